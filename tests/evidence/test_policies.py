"""Policies as facts: documents, what they allow and reach, and the questions that analyses answer about them."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threatmodel.evidence.analyses.names import ANALYSES
from threatmodel.evidence.analyses.policies import POLICIES
from threatmodel.evidence.answers import Answer, Gathered, Outcome, Unanswered
from threatmodel.evidence.mappings.facts import StackFacts
from threatmodel.evidence.mappings.format import load_places
from threatmodel.evidence.policies.arns import Targets, whole
from threatmodel.evidence.policies.grants import grants, pattern, statements
from threatmodel.evidence.policies.iam import actions_of, expanded, glob, managed_policies
from threatmodel.evidence.policies.permissions import (
    ESCALATIONS,
    UNKNOWN_LEVEL,
    Permissions,
    Reach,
    effective,
    reached,
    reaches,
)
from threatmodel.reading.problems import Place
from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.sam.policies import from_template, templates
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Joined, Link, Node, Scalar, Table, Unknown, table

HERE = Place("template.yaml", 7, 3)
PLACES = load_places("cloudformation")
UNKNOWN = Unknown("the parameter P has no default", HERE, given=("P",))
YES, NO, OPEN, NOTHING = True, False, "open", None


# --- helpers


def node(raw: Any) -> Node:
    """Plain data as nodes; nodes in it stay."""
    match raw:
        case dict():
            return table({name: node(child) for name, child in raw.items()}, HERE)
        case list():
            return _list([node(child) for child in raw])
        case Scalar() | Table() | Link() | Joined() | Unknown():
            return raw
        case _:
            return Scalar(raw, HERE)


def _list(children: list[Node]) -> Node:
    from threatmodel.stacks.values import List

    return List(tuple(children), HERE)


def document(*stated: Any) -> Node:
    return node({"Version": "2012-10-17", "Statement": list(stated)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def resource(name: str = "Bot", kind: str = "AWS::Lambda::Function", **properties: Any) -> Resource:
    found = node(properties)
    assert isinstance(found, Table)
    return Resource(name=name, type=kind, properties=found, place=HERE)


def stack(*resources: Resource, kind: str = "cloudformation") -> Stack:
    return Stack(file="template.yaml", kind=kind, resources={one.name: one for one in resources})


def asked(name: str, *parts: tuple[str, Any], around: Stack | None = None, of: Resource | None = None) -> Outcome:
    bot = of or resource()
    gathered = [Gathered(part, node(raw), bot) for part, raw in parts]
    return POLICIES[name](gathered, bot, around or stack(bot))


def word(outcome: Outcome) -> Any:
    return OPEN if isinstance(outcome, Unanswered) else outcome.value if isinstance(outcome, Answer) else NOTHING


def by_policy(name: str, *stated: Any) -> Any:
    return word(asked(name, ("policy", document(*stated))))


# --- tables


def test_every_policy_analysis_is_there_and_takes_what_the_data_files_gather() -> None:
    others = {"layers-trusted", "secret-in-environment", "qualifier", "egress", "any-true", "deployment-steps"}
    assert POLICIES.keys() <= ANALYSES.keys()
    assert not POLICIES.keys() & others
    reading = {"policy", "managed", "sam", "trust", "guardrail", "authorisations", "permission", "block"}
    missing = {name for name, row in ANALYSES.items() if reading & set(row.takes)} - POLICIES.keys()
    assert missing <= {"qualifier", "cdn-only"}


def test_the_tables_are_small_and_have_what_functions_use() -> None:
    folder = Path("threatmodel/evidence/policies")
    assert (folder / "iam-actions.json").stat().st_size < 150_000
    assert (folder / "iam-managed.json").stat().st_size < 150_000
    assert actions_of("lambda")["lambda:invokefunction"].level == "write"
    assert actions_of("lambda")["lambda:listfunctions"] == ("lambda:ListFunctions", "list", False)
    assert actions_of("iam")["iam:passrole"].limitable
    assert {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "AdministratorAccess"} <= managed_policies().keys()
    needed = {action for actions in ESCALATIONS.values() for action in actions}
    assert [action for action in needed if not expanded(action.lower())] == []


@pytest.mark.parametrize(
    ("written", "text", "fits"),
    [
        ("s3:Get*", "s3:GetObject", True),
        ("s3:*Object", "s3:GetObject", True),
        ("s3:Get?bject", "s3:GetObject", True),
        ("*", "", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-b-b-", False),
        ("a*a", "a", False),
        ("a[b]", "ab", False),
        ("${AWS::StackName}-*", "${AWS::StackName}-orders", True),
    ],
)
def test_patterns_are_those_of_iam(written: str, text: str, fits: bool) -> None:
    assert (glob(written).fullmatch(text) is not None) is fits


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_pattern_fits_what_trying_everything_finds(written: str, text: str) -> None:
    def fits(rest: str, left: str) -> bool:
        if not rest:
            return not left
        if rest[0] == "*":
            return fits(rest[1:], left) or (bool(left) and fits(rest, left[1:]))
        return bool(left) and rest[0] in {"?", left[0]} and fits(rest[1:], left[1:])

    assert (glob(written).fullmatch(text) is not None) is fits(written, text)


def test_a_pattern_made_to_be_slow_is_not() -> None:
    started = time.perf_counter()
    assert glob("*a" * 200 + "b").fullmatch("a" * 2000) is None
    assert pattern(Scalar("*a" * 5000, HERE)).fits("a" * 100) is None
    assert time.perf_counter() - started < 1


# --- documents


@pytest.mark.parametrize("write", [json.dumps, lambda raw: quote(json.dumps(raw)), lambda raw: raw])
def test_a_document_is_read_as_data_as_text_and_as_in_a_url(write: Any) -> None:
    raw = {"Statement": {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": ["*"], "Sid": "x"}}
    (grant,) = statements(node(write(raw)))
    assert (grant.effect, grant.but_actions, grant.actions[0].text, grant.resources[0].text) == (
        "Allow",
        True,
        "iam:*",
        "*",
    )


def test_links_in_json_text_stay_links() -> None:
    whole_text = '{"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "'
    (grant,) = statements(Joined((whole_text, Link("Jobs", "Arn", HERE), '/x"}]}'), HERE))
    assert grant.resources[0].text == "${Jobs.Arn}/x"
    assert grant.resources[0].links == (Link("Jobs", "Arn", HERE),)


def test_what_is_unknown_in_a_document_stays_unknown() -> None:
    assert statements(UNKNOWN)[0].open == UNKNOWN
    (grant,) = statements(document({"Effect": UNKNOWN, "Action": "s3:*", "Resource": "*"}))
    assert (grant.effect, grant.open, grant.actions[0].text) == ("", UNKNOWN, "s3:*")
    (grant,) = statements(document(allow(UNKNOWN, UNKNOWN)))
    assert (grant.actions[0].open, grant.resources[0].open, grant.open) == (UNKNOWN, UNKNOWN, None)
    odd: Any
    for odd in ("no json", '{"Statement": ', "[" * 100_000, "x" * 300_000, 7, None, [], {"Statement": ["x"]}, {}):
        assert all(grant.open is not None for grant in statements(node(odd))) or odd == []


def test_places_are_those_of_the_parts() -> None:
    at = Place("template.yaml", 12, 9)
    outcome = asked("wildcard-action", ("policy", document(allow(["logs:PutLogEvents", Scalar("s3:*", at)]))))
    assert outcome == Answer(True, (at,), "a statement allows every action of s3")


# --- identity policies


@pytest.mark.parametrize(
    ("stated", "action", "over"),
    [
        ([allow("s3:GetObject", "arn:aws:s3:::b/*")], NO, NO),
        ([allow("s3:GetObject")], NO, YES),
        ([allow("S3:getobject")], NO, YES),
        ([allow("s3:*", "arn:aws:s3:::b/*")], YES, NO),
        ([allow("s3:**")], YES, YES),
        ([allow("*", "arn:aws:s3:::b/*")], YES, NO),
        ([allow("*:*")], YES, YES),
        ([allow("s3:Get*", "arn:aws:s3:::*")], NO, YES),
        ([allow("dynamodb:Query", "arn:${AWS::Partition}:dynamodb:*:${AWS::AccountId}:table/*")], NO, YES),
        ([allow("dynamodb:Query", "arn:aws:dynamodb:*:*:table/orders*")], NO, NO),
        ([allow("dynamodb:Query", "arn:aws:dynamodb:*:*:table/*/index/*")], NO, YES),
        ([allow("ssm:GetParameter", "arn:aws:ssm:eu-west-1:${AWS::AccountId}:parameter/*")], NO, YES),
        ([allow("ssm:GetParameter", "arn:aws:ssm:eu-west-1:${AWS::AccountId}:parameter/shop/*")], NO, NO),
        ([allow("sqs:SendMessage", "arn:aws:dynamodb:*:*:table/*")], NO, NO),
        ([allow("sqs:SendMessage", "arn:aws:*")], NO, YES),
        ([allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"])], NO, NO),
        ([allow(["xray:PutTraceSegments", "cloudwatch:PutMetricData", "sts:GetCallerIdentity"])], NO, NO),
        ([allow(["ssm:DescribeParameters", "dynamodb:ListTables", "ec2:DescribeSubnets"])], NO, NO),
        ([allow("dynamodb:DescribeTable")], NO, NO),
        ([allow("iam:PassRole")], NO, YES),
        ([allow("iam:Get*")], NO, YES),
        ([allow("s3:PutBucketPolicy")], NO, YES),
        ([allow("sqs:SendMessageBatch")], NO, OPEN),
        ([allow("nosuchservice:Do")], NO, OPEN),
        ([allow("sqs:SendMessageBatch", "arn:aws:sqs:eu-west-1:1:jobs")], NO, NO),
        ([allow(UNKNOWN)], OPEN, OPEN),
        ([allow(UNKNOWN, "arn:aws:s3:::b")], OPEN, NO),
        ([allow("s3:GetObject", UNKNOWN)], NO, OPEN),
        ([allow("s3:GetObject", Joined(("arn:aws:s3:::", UNKNOWN, "/*"), HERE))], NO, OPEN),
        ([allow("s3:GetObject", Joined(("arn:aws:s3:::", UNKNOWN, "-orders/*"), HERE))], NO, NO),
        ([allow("s3:GetObject", Joined((Link("B", "Arn", HERE), "/*"), HERE))], NO, NO),
        ([allow(Joined(("s3:Get", UNKNOWN), HERE), "arn:aws:s3:::b/*")], NO, NO),
        ([allow(Joined(("s3:", UNKNOWN), HERE), "arn:aws:s3:::b/*")], OPEN, NO),
        ([UNKNOWN, allow("s3:*")], YES, YES),
        ([UNKNOWN], OPEN, OPEN),
        ([{"Effect": UNKNOWN, "Action": "s3:*", "Resource": "*"}], OPEN, OPEN),
        ([{"Effect": UNKNOWN, "Action": "xray:Put*", "Resource": "*"}], NO, NO),
        ([deny("*")], NO, NO),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], YES, YES),
        ([{"Effect": "Allow", "NotAction": "*", "Resource": "*"}], NO, NO),
        ([{"Effect": "Allow", "NotAction": UNKNOWN, "Resource": "*"}], OPEN, OPEN),
        ([{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::b/*"}], NO, YES),
        ([allow("dynamodb:*", Condition={"StringEquals": {"aws:ResourceTag/app": "shop"}})], YES, NO),
        ([allow("dynamodb:Query", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})], NO, YES),
        ([allow("dynamodb:Query", Condition=UNKNOWN)], NO, OPEN),
        ([allow("textract:AnalyzeDocument")], NO, NO),
        ([allow("bedrock:InvokeModel")], NO, YES),
    ],
)
def test_wildcards_of_a_role(stated: list[Any], action: Any, over: Any) -> None:
    assert by_policy("wildcard-action", *stated) == action
    assert by_policy("wildcard-resource", *stated) == over


def test_what_is_known_by_name_is_read_by_name() -> None:
    def managed(name: str, *policies: Any) -> Any:
        return word(asked(name, *[("managed", policy) for policy in policies]))

    basic = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    assert managed("wildcard-resource", basic, "AWSLambdaVPCAccessExecutionRole", "AWSXrayWriteOnlyAccess") is NO
    assert managed("wildcard-resource", "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole") is YES
    assert managed("wildcard-action", "AdministratorAccess") is YES
    assert managed("wildcard-action", "arn:aws:iam::aws:policy/ReadOnlyAccess") is OPEN
    assert managed("wildcard-action", "arn:aws:iam::111122223333:policy/AdministratorAccess") is OPEN
    assert managed("assumes-roles", basic) is NO
    for name, broad in (
        ("AdministratorAccess", YES),
        ("PowerUserAccess", YES),
        ("AmazonS3FullAccess", YES),
        ("AWSLambda_FullAccess", YES),
        ("AmazonDynamoDBFullAccess_v2", YES),
        ("AmazonS3ReadOnlyAccess", NO),
    ):
        assert managed("broad-managed-policy", f"arn:aws:iam::aws:policy/{name}") is broad
    assert managed("broad-managed-policy", "arn:aws:iam::111122223333:policy/OurFullAccess") is NO
    assert managed("broad-managed-policy", UNKNOWN) is OPEN
    assert managed("broad-managed-policy", UNKNOWN, "AdministratorAccess") is YES
    assert by_policy("broad-managed-policy", allow("s3:GetObject")) is NO


def test_an_attached_policy_that_a_step_cannot_follow_is_the_one_that_is_named() -> None:
    name = Scalar("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", HERE)
    outside = Unknown("it refers to something outside this file", HERE)
    assert word(asked("wildcard-action", ("managed", name), ("policy", outside))) is NO


def test_sams_own_policy_templates_raise_no_alarm_but_one() -> None:
    found = {}
    for name, template in templates().items():
        given_values = table({one: Scalar("thing", HERE) for one in template["parameters"]}, HERE)
        found[name] = word(asked("wildcard-resource", ("policy", from_template(name, given_values, HERE))))
    assert {name for name, answer in found.items() if answer is not NO} <= {"EKSDescribePolicy"}


@pytest.mark.parametrize(
    ("stated", "assumes", "named"),
    [
        ([allow("sts:AssumeRole", Link("Other", "Arn", HERE))], YES, YES),
        ([allow("sts:AssumeRole", "arn:aws:iam::${AWS::AccountId}:role/reader")], YES, YES),
        ([allow("sts:AssumeRole", "arn:aws:iam::111122223333:role/reader")], YES, OPEN),
        ([allow("sts:AssumeRole", "arn:aws:iam::111122223333:role/*")], YES, NO),
        ([allow("sts:*")], YES, NO),
        ([allow("sts:AssumeRole", UNKNOWN)], YES, OPEN),
        ([allow("sts:GetCallerIdentity")], NO, NOTHING),
        ([allow(UNKNOWN)], OPEN, OPEN),
        ([{"Effect": "Allow", "NotAction": "sts:*", "Resource": "*"}], NO, NOTHING),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], YES, NO),
        ([{"Effect": "Allow", "Action": "sts:AssumeRole", "NotResource": "x"}], YES, NO),
    ],
)
def test_roles_that_it_assumes(stated: list[Any], assumes: Any, named: Any) -> None:
    around = stack(resource(), resource("Other", "AWS::IAM::Role"))
    assert by_policy("assumes-roles", *stated) == assumes
    assert word(asked("assumed-roles-named", ("policy", document(*stated)), around=around)) == named


# --- trusts


def trust(principal: Any, **more: Any) -> Node:
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


@pytest.mark.parametrize(
    ("principal", "only"),
    [
        ({"Service": "lambda.amazonaws.com"}, YES),
        ({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}, NO),
        ({"Service": "lambda.amazonaws.com", "AWS": "111122223333"}, NO),
        ({"Service": ["lambda.amazonaws.com", UNKNOWN]}, OPEN),
        ({"Service": ["states.amazonaws.com", UNKNOWN]}, NO),
        ("*", NO),
        (UNKNOWN, OPEN),
    ],
)
def test_whom_a_role_trusts(principal: Any, only: Any) -> None:
    assert word(asked("trusts-only-lambda", ("trust", trust(principal)))) == only


def test_users_of_a_role() -> None:
    bot, worker = resource(), resource("Worker")
    one, two = Gathered("user", bot.properties, bot), Gathered("user", worker.properties, worker)
    around = stack(bot, worker)
    ask = POLICIES["several"]
    assert word(ask([one], bot, around)) is NO
    assert word(ask([one, one], bot, around)) is NO
    assert word(ask([one, two], bot, around)) is YES
    assert word(ask([one, Gathered("user", UNKNOWN, worker)], bot, around)) is OPEN
    alone = Gathered("user", Scalar("arn:aws:lambda:eu-west-1:1:function:bot", HERE), bot)
    lambda_only = Gathered("trust", trust({"Service": "lambda.amazonaws.com"}), bot)
    asked_account = stack(kind="aws")
    assert word(ask([alone], bot, asked_account)) is OPEN
    assert word(ask([alone, lambda_only], bot, asked_account)) is NO


GITHUB = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
CLAIMS = "token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    ("conditions", "pinned"),
    [
        ({"aud": "sts.amazonaws.com", "sub": "repo:shop/bot:ref:refs/heads/main"}, YES),
        ({"aud": "sts.amazonaws.com", "sub": "repo:shop/bot:environment:live"}, YES),
        ({"aud": "sts.amazonaws.com", "sub": ["repo:shop/bot:environment:live", "repo:shop/web:environment:live"]}, NO),
        ({"aud": "sts.amazonaws.com", "sub": "repo:shop/bot:*"}, NO),
        ({"aud": "sts.amazonaws.com", "sub": "repo:shop/*"}, NO),
        ({"aud": "sts.amazonaws.com", "sub": "repo:shop/bot:pull_request"}, NO),
        ({"aud": "sts.amazonaws.com"}, NO),
        ({"sub": "repo:shop/bot:ref:refs/heads/main"}, NO),
        ({"aud": "*", "sub": "repo:shop/bot:ref:refs/heads/main"}, NO),
        ({"aud": "sts.amazonaws.com", "sub": UNKNOWN}, OPEN),
        ({"aud": "sts.amazonaws.com", "sub": Joined(("repo:", UNKNOWN, ":ref:refs/heads/main"), HERE)}, OPEN),
        ({"aud": "sts.amazonaws.com", "sub": Joined(("repo:", UNKNOWN, ":*"), HERE)}, NO),
    ],
)
def test_claims_of_a_web_identity(conditions: dict[str, Any], pinned: Any) -> None:
    like = {"StringLike": {f"{CLAIMS}:{name}": value for name, value in conditions.items()}}
    stated = {"Effect": "Allow", "Principal": {"Federated": GITHUB}, "Action": "sts:AssumeRoleWithWebIdentity"}
    answers = asked("oidc-claims-pinned", ("trust", document({**stated, "Condition": like})))
    assert word(answers) == pinned


def test_roles_that_no_pipeline_has_say_nothing_of_pipelines() -> None:
    assert word(asked("oidc-claims-pinned", ("trust", trust({"Service": "lambda.amazonaws.com"})))) is NOTHING
    cognito = trust({"Federated": "cognito-identity.amazonaws.com"}, Action="sts:AssumeRoleWithWebIdentity")
    assert word(asked("oidc-claims-pinned", ("trust", cognito))) is NOTHING


# --- policies of resources


def shared(principal: Any, condition: Any = None, effect: str = "Allow") -> dict[str, Any]:
    found = {"Effect": effect, "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": "*"}
    return {**found, "Condition": condition} if condition is not None else found


@pytest.mark.parametrize(
    ("stated", "public"),
    [
        ([shared("*")], YES),
        ([shared({"AWS": ["*"]})], YES),
        ([shared({"AWS": "111122223333"})], NO),
        ([shared("*", {"StringEquals": {"aws:PrincipalOrgID": "o-1"}})], NO),
        ([shared("*", {"StringEquals": {"aws:SourceVpce": UNKNOWN}})], OPEN),
        ([shared("*", {"StringEquals": {"aws:SourceVpce": [UNKNOWN]}})], NO),
        ([shared("*", {"StringLike": {"aws:SourceVpce": UNKNOWN}})], OPEN),
        ([shared("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}})], YES),
        ([shared("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::shop"}})], NO),
        ([shared("*", {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}})], YES),
        ([shared("*", {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})], NO),
        ([shared("*", {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}})], YES),
        ([shared("*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}})], YES),
        ([shared("*", {"Bool": {"aws:SecureTransport": "true"}})], YES),
        ([shared("*", UNKNOWN)], OPEN),
        ([shared(UNKNOWN)], OPEN),
        ([shared("*"), shared("*", {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, "Deny")], NO),
        ([shared("*"), shared("*", {"Bool": {"aws:SecureTransport": "false"}}, "Deny")], YES),
        ([{**shared("*"), "Effect": "Deny"}], NO),
        ([{"Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "s3:*", "Resource": "*"}], YES),
        ([UNKNOWN], OPEN),
    ],
)
def test_whom_a_policy_lets_in(stated: list[Any], public: Any) -> None:
    assert by_policy("public-statement", *stated) == public


@pytest.mark.parametrize(
    ("permission", "public", "pinned"),
    [
        ({"Principal": "*"}, YES, NOTHING),
        ({"Principal": "*", "FunctionUrlAuthType": "NONE"}, YES, NOTHING),
        ({"Principal": "*", "PrincipalOrgID": "o-1"}, NO, NOTHING),
        ({"Principal": "*", "SourceArn": "*"}, YES, NOTHING),
        ({"Principal": UNKNOWN}, OPEN, OPEN),
        ({"Principal": "111122223333"}, NO, NOTHING),
        ({"Principal": "sns.amazonaws.com"}, NO, NO),
        ({"Principal": "sns.amazonaws.com", "SourceArn": Link("Topic", "", HERE)}, NO, YES),
        ({"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::shop"}, NO, NO),
        ({"Principal": "s3.amazonaws.com", "SourceArn": Link("Files", "Arn", HERE)}, NO, NO),
        ({"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::shop", "SourceAccount": "1"}, NO, YES),
        ({"Principal": "events.amazonaws.com", "SourceArn": "arn:aws:events:eu-west-1:1:rule/daily"}, NO, YES),
        ({"Principal": "events.amazonaws.com", "SourceArn": "arn:aws:events:*:1:rule/*"}, NO, NO),
        ({"Principal": "alexa-appkit.amazon.com", "EventSourceToken": "skill"}, NO, YES),
        ({"principal": "apigateway.amazonaws.com", "source_arn": None}, NO, NO),
        ({"principal": "*", "source_arn": None}, YES, NOTHING),
    ],
)
def test_permissions_of_a_function(permission: dict[str, Any], public: Any, pinned: Any) -> None:
    around = stack(resource(), resource("Topic", "AWS::SNS::Topic"), resource("Files", "AWS::S3::Bucket"))
    assert word(asked("public-statement", ("permission", permission), around=around)) == public
    assert word(asked("sources-pinned", ("permission", permission), around=around)) == pinned


def test_a_url_without_authentication_is_public() -> None:
    assert word(asked("public-statement", ("url-auth", "NONE"))) is YES
    assert word(asked("public-statement", ("url-auth", "AWS_IAM"))) is NO
    assert word(asked("public-statement", ("url-auth", UNKNOWN))) is OPEN


ON = {"RestrictPublicBuckets": True, "IgnorePublicAcls": True}
OFF = {"RestrictPublicBuckets": False, "IgnorePublicAcls": False}


@pytest.mark.parametrize(
    ("parts", "public"),
    [
        ([("policy", document(shared("*")))], YES),
        ([("policy", document(shared("*"))), ("block", ON)], NO),
        ([("policy", document(shared("*"))), ("block", OFF)], YES),
        ([("policy", document(shared("*"))), ("block", UNKNOWN)], OPEN),
        ([("policy", document(shared("*"))), ("block", OFF), ("account-block", ON)], NO),
        ([("acl", "PublicRead")], YES),
        ([("acl", "public-read"), ("block", ON)], NO),
        ([("acl", "Private")], OPEN),
        ([("block", ON)], NO),
        ([("block", OFF)], OPEN),
        ([("policy", document(shared({"AWS": "1"})))], NO),
        ([("acl", {"Grantee": {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}})], YES),
        ([("policy", document(shared("*"))), ("block", {"restrict_public_buckets": True})], NO),
    ],
)
def test_public_buckets(parts: list[tuple[str, Any]], public: Any) -> None:
    assert word(asked("bucket-public", *parts)) == public


_CUSTOMER = "s3:x-amz-server-side-encryption-customer-algorithm"


def uploads(condition: Any) -> Node:
    stated = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}
    return document({**stated, "Condition": condition})


@pytest.mark.parametrize(
    ("parts", "refused"),
    [
        ([("policy", uploads({"Null": {_CUSTOMER: "false"}}))], YES),
        ([("policy", uploads({"Null": {_CUSTOMER: "true"}}))], OPEN),
        ([("policy", uploads({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}))], YES),
        ([("policy", uploads({"Bool": {"aws:SecureTransport": "false"}}))], OPEN),
        ([("policy", uploads({"Null": {_CUSTOMER: UNKNOWN}}))], OPEN),
        ([("blocked-types", {"EncryptionType": ["SSE-C"]})], YES),
        ([("blocked-types", ["SSE-C"])], YES),
        ([("blocked-types", {"EncryptionType": ["NONE"]})], NO),
        ([("policy", UNKNOWN)], OPEN),
    ],
)
def test_keys_that_a_writer_brings(parts: list[tuple[str, Any]], refused: Any) -> None:
    assert word(asked("refuses-customer-keys", *parts)) == refused


# --- who else

SHOP = """
AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Jobs: {Type: AWS::SQS::Queue}
  Token: {Type: AWS::SecretsManager::Secret}
  BotRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: work
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Jobs.Arn}
              - {Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: !Ref Token}
  Bot: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt BotRole.Arn}}
"""
MACHINE = """
  MachineRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - {PolicyName: work, PolicyDocument: {Statement: [{Effect: Allow, Action: ACTION, Resource: RESOURCE}]}}
"""
FENCE = """
  TokenPolicy:
    Type: AWS::SecretsManager::ResourcePolicy
    Properties:
      SecretId: !Ref Token
      ResourcePolicy:
        Statement:
          - Effect: Deny
            Principal: '*'
            Action: secretsmanager:GetSecretValue
            Resource: '*'
            Condition: {ArnNotEquals: {aws:PrincipalArn: [!GetAtt BotRole.Arn]}}
"""
JOBS_FENCE = """
  JobsPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Jobs]
      PolicyDocument:
        Statement:
          - Effect: Deny
            Principal: '*'
            Action: sqs:SendMessage
            Resource: '*'
            Condition: {ArnNotEquals: {aws:PrincipalArn: !GetAtt BotRole.Arn}, SERVICES}
"""
SPARED = JOBS_FENCE.replace("SERVICES", "BoolIfExists: {aws:PrincipalIsAWSService: 'false'}")
LET_IN = "          - {{Effect: Allow, Principal: {}, Action: sqs:SendMessage, Resource: '*'{}}}\n"
NEWS = "\n  News: {Type: AWS::SNS::Topic}\n"
OPEN_QUEUE = """
  JobsPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Jobs]
      PolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: sqs:SendMessage, Resource: '*'}]
"""


def read(text: str) -> Stack:
    return sam.expanded(*cloudformation.read(text, "template.yaml"))


def fact(text: str, kind: str, name: str, of: str) -> Any:
    found = read(text)
    return word(StackFacts(found, PLACES, POLICIES).of(kind, found.resources[of]).get(name))


@pytest.mark.parametrize(
    ("added", "senders", "readers"),
    [
        ("", OPEN, OPEN),
        (MACHINE.replace("ACTION", "sqs:SendMessage").replace("RESOURCE", "!GetAtt Jobs.Arn"), NO, OPEN),
        (MACHINE.replace("ACTION", "'secretsmanager:Get*'").replace("RESOURCE", "'*'"), OPEN, NO),
        (MACHINE.replace("ACTION", "s3:GetObject").replace("RESOURCE", "'*'"), OPEN, OPEN),
        (FENCE, OPEN, YES),
        (OPEN_QUEUE, NO, OPEN),
        # a fence that leaves AWS's services out holds where no statement lets them in
        (SPARED, YES, OPEN),
        (JOBS_FENCE.replace("SERVICES", "BoolIfExists: {aws:PrincipalIsAWSService: 'true'}"), OPEN, OPEN),
        (JOBS_FENCE.replace("SERVICES", "Bool: {aws:PrincipalIsAWSService: 'false'}"), OPEN, OPEN),
        (JOBS_FENCE.replace("SERVICES", "BoolIfExists: {aws:PrincipalIsAWSService: !ImportValue x}"), OPEN, OPEN),
        (JOBS_FENCE.replace("SERVICES", "BoolIfExists: {aws:ViaAWSService: 'false'}"), OPEN, OPEN),
        (SPARED + LET_IN.format("{AWS: !GetAtt BotRole.Arn}", ""), YES, OPEN),
        (SPARED + LET_IN.format("{Service: sns.amazonaws.com}", ""), NO, OPEN),
        (SPARED + LET_IN.format("'*'", ", Condition: {StringEquals: {aws:SourceAccount: '111122223333'}}"), OPEN, OPEN),
        (SPARED + LET_IN.format("{AWS: !ImportValue x}", ""), OPEN, OPEN),
        (
            SPARED
            + LET_IN.format("{Service: sns.amazonaws.com}", ", Condition: {ArnEquals: {aws:SourceArn: !Ref News}}")
            + NEWS,
            YES,
            OPEN,
        ),
        (
            SPARED
            + LET_IN.format(
                "{Service: sns.amazonaws.com}", ", Condition: {ArnEquals: {aws:SourceArn: !ImportValue x}}"
            ),
            OPEN,
            OPEN,
        ),
    ],
)
def test_who_else_may_send_and_read(added: str, senders: Any, readers: Any) -> None:
    assert fact(SHOP + added, "queue", "senders_restricted", "Jobs") == senders
    assert fact(SHOP + added, "secret", "readers_restricted", "Token") == readers


# --- what it reaches

STORES = stack(
    resource("Orders", "AWS::DynamoDB::Table"),
    resource("Named", "AWS::DynamoDB::Table", TableName="orders"),
    resource("ByStack", "AWS::DynamoDB::Table", TableName="${AWS::StackName}-carts"),
    resource("ByParameter", "AWS::DynamoDB::Table", TableName=Joined((UNKNOWN, "-log"), HERE)),
    resource("Files", "AWS::S3::Bucket"),
    resource("Jobs", "AWS::SQS::Queue"),
    resource("Token", "AWS::SecretsManager::Secret", Name="shop/token"),
    resource("Setting", "AWS::SSM::Parameter", Name="/shop/setting"),
)


def reach(*stated: Any) -> dict[str, Reach]:
    return dict(reached(statements(document(*stated)), Targets(STORES)))


def uses(found: dict[str, Reach]) -> dict[str, set[str]]:
    return {name: set(one.actions) for name, one in found.items() if one.actions}


TABLE = "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/"


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (allow("dynamodb:GetItem", Link("Orders", "Arn", HERE)), {"Orders": {"read"}}),
        (allow("dynamodb:*Item", Link("Orders", "Arn", HERE)), {"Orders": {"read", "write"}}),
        (allow("dynamodb:Query", Joined((TABLE, Link("Orders", "", HERE), "/index/*"), HERE)), {"Orders": {"read"}}),
        (allow("dynamodb:PutItem", TABLE + "orders"), {"Named": {"write"}}),
        (allow("dynamodb:PutItem", TABLE + "${AWS::StackName}-carts"), {"ByStack": {"write"}}),
        (allow("dynamodb:PutItem", Joined((TABLE, UNKNOWN, "-log"), HERE)), {"ByParameter": {"write"}}),
        (allow("dynamodb:PutItem", TABLE + "elsewhere"), {}),
        (allow("s3:GetObject", Joined((Link("Files", "Arn", HERE), "/*"), HERE)), {"Files": {"read"}}),
        (allow("s3:GetObject", Link("Files", "Arn", HERE)), {}),
        (allow("s3:ListBucket", Link("Files", "Arn", HERE)), {"Files": {"read"}}),
        (allow("sqs:SendMessage", "*"), {"Jobs": {"send"}}),
        (allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:shop/*"), {"Token": {"value"}}),
        (
            allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:x:1:secret:shop/token-??????"),
            {"Token": {"value"}},
        ),
        (allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:x:1:secret:other-*"), {}),
        (allow("ssm:GetParameters", "arn:aws:ssm:x:1:parameter/shop/setting"), {"Setting": {"value"}}),
        (allow("ssm:GetParametersByPath", "arn:aws:ssm:x:1:parameter/shop/*"), {"Setting": {"value"}}),
    ],
)
def test_what_a_statement_reaches(stated: dict[str, Any], expected: dict[str, set[str]]) -> None:
    assert uses(reach(stated)) == expected


def test_what_may_be_reached_is_said_to_be_unknown() -> None:
    found = reach(allow("dynamodb:GetItem", TABLE + "prod-*"))
    assert not uses(found)
    assert {"Orders", "ByParameter"} <= {name for name, one in found.items() if one.unknown}
    assert reach(allow(UNKNOWN, Link("Jobs", "Arn", HERE)))["Jobs"].unknown == (UNKNOWN,)
    assert reach(UNKNOWN)["Jobs"].unknown == (UNKNOWN,)
    assert reach(allow("sqs:SendMessageBatch", Link("Jobs", "Arn", HERE)))["Jobs"].unknown


def test_a_wildcard_covers_and_does_not_name() -> None:
    assert reach(allow("sqs:SendMessage", "*"))["Jobs"].named == frozenset()
    assert reach(allow("sqs:SendMessage", Link("Jobs", "Arn", HERE)))["Jobs"].named == {"send"}


def test_a_deny_takes_away_what_it_surely_covers() -> None:
    granted = allow("dynamodb:*", "*")
    assert "write" not in reach(granted, deny("dynamodb:*Item", TABLE + "orders"))["Named"].actions.get("write", ())
    left = reach(granted, deny(["dynamodb:Put*", "dynamodb:Update*"], TABLE + "orders"))["Named"].actions["write"]
    assert "dynamodb:PutItem" not in left
    assert "dynamodb:DeleteItem" in left
    conditional = deny("*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert uses(reach(granted, conditional)) == uses(reach(granted))


def test_permissions_by_level_and_ways_to_more_rights() -> None:
    found: Permissions = effective(
        statements(
            document(
                allow(["iam:PassRole"], "arn:aws:iam::${AWS::AccountId}:role/deploy"),
                allow(["lambda:Create*", "lambda:InvokeFunction"], "*"),
                allow("made:Up", "*"),
                allow("dynamodb:GetItem", Link("Orders", "Arn", HERE)),
                UNKNOWN,
            )
        )
    )
    assert found.passes == ("arn:aws:iam::${AWS::AccountId}:role/deploy",)
    assert "new function with another role" in {one.name for one in found.escalations}
    assert found.by_level()["read"] == {"${Orders.Arn}": ("dynamodb:GetItem",)}
    assert found.by_level()[UNKNOWN_LEVEL] == {"*": ("made:up",)}
    assert found.unknown == (UNKNOWN,)
    assert "lambda:InvokeFunction" in {action for one in found.every for action in one.actions}
    barred = effective(statements(document(allow("iam:*"), deny("iam:CreatePolicyVersion"))))
    assert "new version of a policy" not in {one.name for one in barred.escalations}


def test_values_that_parameters_give_are_never_shown() -> None:
    hidden = "planted-default-value"
    given_text = Scalar(f"arn:aws:s3:::{hidden}/*", HERE, given=("Bucket",))
    given_action = Scalar(f"s3:{hidden}*", HERE, given=("Action",))
    found = effective(statements(document(allow("s3:GetObject", given_text), allow(given_action))))
    assert hidden not in repr(found)
    every = [asked(name, ("policy", document(allow(given_action), shared(given_text)))) for name in POLICIES]
    assert hidden not in repr(every)


# --- of whole templates

FUNCTION = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Wide: {Type: String, Default: 'yes'}
  Name: {Type: String}
Conditions:
  IsWide: !Equals [!Ref Wide, 'yes']
Resources:
  Orders: {Type: AWS::DynamoDB::Table}
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      Tracing: Active
      Policies:
        - DynamoDBReadPolicy: {TableName: !Ref Orders}
        - POLICY
"""


@pytest.mark.parametrize(
    ("policy", "action", "over", "broad"),
    [
        ("AWSLambdaBasicExecutionRole", NO, NO, NO),
        ("AmazonS3FullAccess", YES, YES, YES),
        ("Statement: [{Effect: Allow, Action: s3:GetObject, Resource: '*'}]", NO, YES, NO),
        ("!Ref Name", OPEN, OPEN, OPEN),
        ("Statement: [{Effect: Allow, Action: 's3:*', Resource: !Sub 'arn:aws:s3:::${Name}/*'}]", YES, OPEN, NO),
    ],
)
def test_policies_of_a_sam_function(policy: str, action: Any, over: Any, broad: Any) -> None:
    text = FUNCTION.replace("POLICY", policy)
    assert fact(text, "function", "role_wildcard_action", "Bot") == action
    assert fact(text, "function", "role_wildcard_resource", "Bot") == over
    assert fact(text, "function", "role_broad_policy", "Bot") == broad
    assert fact(text, "function", "role_trusts_only_lambda", "Bot") is YES
    assert fact(text, "function", "role_shared", "Bot") is NO


def test_what_defaults_would_give_is_said() -> None:
    statement = "Statement: [{Effect: Allow, Action: !If [IsWide, 's3:*', 's3:GetObject'], Resource: '*'}]"
    found = read(FUNCTION.replace("POLICY", statement))
    outcome = StackFacts(found, PLACES, POLICIES).of("function", found.resources["Bot"])["role_wildcard_action"]
    assert isinstance(outcome, Unanswered)
    assert outcome.usual is not None
    assert outcome.usual.value is True
    assert "IsWide" in outcome.why


# --- of an account


def details(*roles: Any, users: Sequence[Any] = (), policies: Sequence[Any] = ()) -> dict[str, Any]:
    return {"RoleDetailList": list(roles), "UserDetailList": list(users), "Policies": list(policies)}


def role(trusted: Any, *stated: Any, path: str = "/") -> dict[str, Any]:
    return {
        "Path": path,
        "AssumeRolePolicyDocument": trust(trusted),
        "RolePolicyList": [{"PolicyDocument": document(*stated)}],
    }


CHANGE = allow("lambda:UpdateFunctionCode")
DEPLOYER = role({"Federated": GITHUB}, CHANGE, allow("lambda:InvokeFunction"))
STARTER = role(
    {"Service": "scheduler.amazonaws.com"}, allow("lambda:InvokeFunction", "arn:aws:lambda:x:1:function:Bot")
)
ADMIN = role({"AWS": "111122223333"}, allow("*"))
BOUND = allow(
    "iam:PassRole",
    "arn:aws:iam::1:role/bot",
    Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
)


@pytest.mark.parametrize(
    ("name", "roles", "expected"),
    [
        ("only-pipeline-changes-functions", [DEPLOYER, STARTER], YES),
        ("only-pipeline-changes-functions", [DEPLOYER, ADMIN], NO),
        ("only-pipeline-changes-functions", [role({"AWS": "1"}, CHANGE, path="/aws-service-role/x/")], YES),
        ("invokers-restricted", [DEPLOYER, STARTER], YES),
        ("invokers-restricted", [ADMIN], NO),
        (
            "invokers-restricted",
            [role({"AWS": "1"}, allow("lambda:InvokeFunction", "arn:aws:lambda:x:1:function:Else"))],
            YES,
        ),
        ("passrole-restricted", [role({"AWS": "1"}, BOUND)], YES),
        ("passrole-restricted", [role({"AWS": "1"}, BOUND), ADMIN], NO),
        ("passrole-restricted", [role({"AWS": "1"}, allow("iam:PassRole", "arn:aws:iam::1:role/*"))], NO),
        ("passrole-restricted", [STARTER], YES),
    ],
)
def test_who_may_what_in_an_account(name: str, roles: list[Any], expected: Any) -> None:
    assert word(asked(name, ("authorisations", details(*roles)), around=stack(kind="aws"))) == expected
    assert word(asked(name, ("authorisations", UNKNOWN), around=stack(kind="aws"))) is OPEN


EXEMPT = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/security"}}
STOPPING = ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "config:Delete*", "config:Stop*", "guardduty:Delete*"]


@pytest.mark.parametrize(
    ("name", "stated", "expected"),
    [
        ("denies-leaving", [deny("organizations:LeaveOrganization")], YES),
        ("denies-leaving", [deny("organizations:*", Condition=EXEMPT)], YES),
        ("denies-leaving", [deny("organizations:*", Condition={"Bool": {"aws:ViaAWSService": "true"}})], NO),
        ("denies-leaving", [allow("*")], NO),
        ("denies-leaving", [UNKNOWN], OPEN),
        ("denies-leaving", [{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}], YES),
        ("denies-stopping-detection", [deny(STOPPING), deny("s3:DeleteBucket", "arn:aws:s3:::trail")], YES),
        ("denies-stopping-detection", [deny(STOPPING)], NO),
        ("denies-stopping-detection", [deny(STOPPING[:2]), deny("s3:DeleteBucket")], NO),
        ("denies-root", [deny("*", Condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}})], YES),
        ("denies-root", [deny("s3:*", Condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}})], NO),
        (
            "denies-other-regions",
            [
                {
                    "Effect": "Deny",
                    "NotAction": ["iam:*"],
                    "Resource": "*",
                    "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
                }
            ],
            YES,
        ),
        ("denies-other-regions", [deny("ec2:*", Condition={"StringNotEquals": {"aws:RequestedRegion": "x"}})], NO),
        (
            "denies-public-functions",
            [
                deny(
                    ["lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"],
                    Condition={"StringNotEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
                ),
                deny("lambda:AddPermission", Condition={"StringEquals": {"lambda:Principal": "*"}}),
            ],
            YES,
        ),
        ("denies-public-functions", [deny("lambda:CreateFunctionUrlConfig")], NO),
        ("denies-without-mfa", [deny("*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})], YES),
        ("denies-without-mfa", [deny("*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})], NO),
    ],
)
def test_guardrails(name: str, stated: list[Any], expected: Any) -> None:
    text = document(*stated) if any(isinstance(one, Unknown) for one in stated) else json.dumps({"Statement": stated})
    assert word(asked(name, ("guardrail", text))) == expected


def test_users_whose_own_policies_ask_for_mfa() -> None:
    asks = deny("*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})
    users = [{"Path": "/", "UserPolicyList": [{"PolicyDocument": document(asks)}]}]
    assert word(asked("denies-without-mfa", ("authorisations", details(users=users)))) is YES
    assert word(asked("denies-without-mfa", ("authorisations", details(users=[*users, {"Path": "/"}])))) is NO


def test_standing_administrators() -> None:
    name = "standing-administrators"
    assert word(asked(name, ("managed", "arn:aws:iam::aws:policy/AdministratorAccess"))) is YES
    assert word(asked(name, ("managed", "arn:aws:iam::aws:policy/ReadOnlyAccess"))) is NO
    assert word(asked(name, ("policy", document(allow("*"))))) is YES
    assert word(asked(name, ("policy", document(allow("s3:*"))))) is NO
    assert word(asked(name, ("policy", UNKNOWN))) is OPEN


# --- properties

READINGS = ("*", "s3:*", "s3:GetObject", "sts:AssumeRole", "xray:PutTraceSegments", "lambda.amazonaws.com")
ACTIONS = st.sampled_from(["*", "s3:*", "s3:GetObject", "sts:AssumeRole", "xray:PutTraceSegments", "made:Up", UNKNOWN])
RESOURCES = st.sampled_from(["*", "arn:aws:s3:::b/*", "arn:aws:iam::${AWS::AccountId}:role/r", UNKNOWN])
PRINCIPALS = st.sampled_from(["*", {"Service": "lambda.amazonaws.com"}, {"AWS": "111122223333"}, UNKNOWN])
CONDITIONS = st.sampled_from(
    [
        None,
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringLike": {"aws:PrincipalOrgID": UNKNOWN}},
        {"StringEquals": {"aws:ResourceTag/app": "x"}},
    ]
)


@st.composite
def one_statement(draw: st.DrawFn) -> dict[str, Any]:
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    found = {"Effect": effect, "Action": draw(st.lists(ACTIONS, min_size=1, max_size=2)), "Resource": draw(RESOURCES)}
    found["Principal"] = draw(PRINCIPALS)
    condition = draw(CONDITIONS)
    return {**found, "Condition": condition} if condition else found


STATEMENTS = st.lists(one_statement(), min_size=1, max_size=3)
SOME = ("wildcard-action", "wildcard-resource", "assumes-roles", "public-statement")
ALL_OF_THEM = (*SOME, "trusts-only-lambda", "assumed-roles-named", "sources-pinned")


def part_of(name: str) -> str:
    return "trust" if name == "trusts-only-lambda" else "policy"


@settings(max_examples=300, deadline=None)
@given(STATEMENTS, st.sampled_from(SOME), one_statement())
def test_a_deny_or_what_does_not_matter_never_makes_a_wildcard(
    stated: list[Any], name: str, other: dict[str, Any]
) -> None:
    before = by_policy(name, *stated)
    harmless = {"Effect": "Allow", "Action": "xray:PutTraceSegments", "Resource": "*", "Principal": {"AWS": "1"}}
    for added in ({**other, "Effect": "Deny"}, harmless):
        after = by_policy(name, *stated, added)
        assert after is before or (name == "public-statement" and before is not NO)


@settings(max_examples=300, deadline=None)
@given(STATEMENTS, st.sampled_from(ALL_OF_THEM))
def test_an_answer_holds_for_every_reading_of_what_is_unknown(stated: list[Any], name: str) -> None:
    answer = word(asked(name, (part_of(name), document(*stated))))
    if answer is OPEN:
        return
    for reading in READINGS:
        known = word(asked(name, (part_of(name), document(*_read(stated, reading)))))
        assert known is answer or known is OPEN  # a reading may be an action that nobody knows


def _read(raw: Any, reading: str) -> Any:
    match raw:
        case Unknown():
            return reading
        case dict():
            return {key: _read(child, reading) for key, child in raw.items()}
        case list():
            return [_read(child, reading) for child in raw]
        case _:
            return raw


@settings(max_examples=200, deadline=None)
@given(STATEMENTS, one_statement())
def test_a_deny_never_adds_to_what_is_reached(stated: list[Any], other: dict[str, Any]) -> None:
    before, after = reach(*stated), reach(*stated, {**other, "Effect": "Deny"})
    for name, found in after.items():
        for use, actions in found.actions.items():
            assert set(actions) <= set(before[name].actions[use])


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=12) | ACTIONS,
        lambda child: (
            st.lists(child, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["Statement", "Effect", "Action", "NotAction", "Resource", "Principal", "Condition", "x"]
                ),
                child,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_stands_there_is_answered(raw: Any) -> None:
    for name, part in itertools.product(POLICIES, ("policy", "trust", "managed", "sam", "permission", "guardrail")):
        outcome = asked(name, (part, raw))
        assert outcome is None or isinstance(outcome, Answer | Unanswered)
    reach(raw)


# --- speed, and what others say


def test_a_whole_role_takes_little_time() -> None:
    text = FUNCTION.replace("POLICY", "Statement: [{Effect: Allow, Action: ['s3:Get*', 'sqs:*'], Resource: '*'}]")
    found = read(text)
    facts, bot = StackFacts(found, PLACES, POLICIES), found.resources["Bot"]
    policies = [
        Gathered("policy", document(allow(["s3:Get*", "sqs:*"])), bot),
        Gathered("managed", node(READINGS[0]), bot),
    ]
    facts.of("function", bot)
    targets = Targets(found)
    started = time.perf_counter()
    for _ in range(100):
        facts.of("function", bot)
        reaches(policies, bot, found, targets)
        effective(grants(policies, bot, found))
    assert (time.perf_counter() - started) / 100 < 0.02


def test_expansion_is_that_of_policy_sentry() -> None:
    expansion = pytest.importorskip("policy_sentry.analysis.expand")
    raw = json.loads(Path("threatmodel/evidence/policies/iam-actions.json").read_text(encoding="utf-8"))
    for service in raw.keys() - {"ec2", "eks", "sagemaker"}:
        for written in ("*", "Get*", "List*", "*Tag*", "Put*Policy", "?e*", "Describe*s"):
            theirs = {name.lower() for name in expansion.expand(f"{service}:{written}")} - {
                f"{service}:{written}".lower()
            }
            assert {action.name.lower() for action in expanded(f"{service}:{written}".lower())} == theirs


@pytest.mark.parametrize(
    ("written", "service", "covers"),
    [
        ("*", "s3", True),
        ("arn:aws:s3:::*", "s3", True),
        ("arn:aws:s3:::*/*", "s3", True),
        ("arn:aws:s3:::shop*", "s3", False),
        ("arn:aws:s3:::table/*", "s3", False),
        ("arn:aws:lambda:*:*:function:*", "lambda", True),
        ("arn:aws:lambda:*:*:function:shop-*", "lambda", False),
        ("arn:aws:rds:*:*:cluster:*", "rds-data", True),
        ("arn:aws:logs:*:*:*", "logs", True),
        ("arn:*", "sqs", True),
        ("shop", "sqs", False),
        ("", "sqs", False),
    ],
)
def test_what_covers_everything(written: str, service: str, covers: bool) -> None:
    assert whole(pattern(Scalar(written, HERE)), service) is covers
