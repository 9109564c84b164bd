"""What a function's role may do, and who may take it on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.policies.stating import (
    FUNCTION,
    GITHUB,
    HERE,
    MAPPINGS,
    NO,
    NOTHING,
    OPEN,
    UNKNOWN,
    YES,
    allow,
    asked,
    by_policy,
    deny,
    document,
    fact,
    read,
    resource,
    stack,
    trust,
    word,
)
from threatmodel.evidence.analyses.registry import analyses
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.reading.problems import Place
from threatmodel.stacks.sam.policies import from_template, templates
from threatmodel.stacks.values import Joined, Link, Scalar, Table, Unknown


def test_places_are_those_of_the_parts() -> None:
    at = Place("template.yaml", 12, 9)
    outcome = asked("wildcard-action", ("policy", document(allow(["logs:PutLogEvents", Scalar("s3:*", at)]))))
    assert outcome == Answered(True, (at,), "a statement allows every action of s3")


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
        ("job-function/SystemAdministrator", YES),
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


def test_sams_own_policy_templates_raise_no_alarm_but_for_what_they_open() -> None:
    found = {}
    for name, template in templates().items():
        given_values = Table({one: Scalar("thing", HERE) for one in template["parameters"]}, HERE)
        found[name] = word(asked("wildcard-resource", ("policy", from_template(name, given_values, HERE))))
    assert {name for name, answer in found.items() if answer is not NO} <= {
        "EKSDescribePolicy",
        "PollyFullAccessPolicy",  # every lexicon
        "ServerlessRepoReadWriteAccessPolicy",  # every application
    }


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


@pytest.mark.parametrize(
    ("principal", "only"),
    [
        ({"Service": "lambda.amazonaws.com"}, YES),
        ({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}, YES),
        ({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com", "ec2.amazonaws.com"]}, NO),
        ({"Service": "lambda.amazonaws.com", "AWS": "111122223333"}, NO),
        ({"Service": ["lambda.amazonaws.com", UNKNOWN]}, OPEN),
        ({"Service": ["states.amazonaws.com", UNKNOWN]}, NO),
        ("*", NO),
        (UNKNOWN, OPEN),
    ],
)
def test_whom_a_role_trusts(principal: Any, only: Any) -> None:
    assert word(asked("trusts-only-lambda", ("trust", trust(principal)))) == only


@pytest.mark.parametrize(
    ("principal", "edge"),
    [
        ({"Service": "lambda.amazonaws.com"}, NO),
        ({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}, YES),
        ({"Service": "lambda.amazonaws.com", "AWS": "111122223333"}, NO),
        ({"Service": ["lambda.amazonaws.com", UNKNOWN]}, OPEN),
        ({"Service": ["edgelambda.amazonaws.com", UNKNOWN]}, YES),
        ("*", OPEN),
        (UNKNOWN, OPEN),
    ],
)
def test_whether_a_role_can_be_used_at_the_edge(principal: Any, edge: Any) -> None:
    assert word(asked("trusts-edge", ("trust", trust(principal)))) == edge


def test_users_of_a_role() -> None:
    bot, worker = resource(), resource("Worker")
    one, two = Gathered("user", bot.properties, bot), Gathered("user", worker.properties, worker)
    around = stack(bot, worker)
    ask = analyses()["several"].function
    assert ask is not None
    assert word(ask([one], bot, around)) is NO
    assert word(ask([one, one], bot, around)) is NO
    assert word(ask([one, two], bot, around)) is YES
    assert word(ask([one, Gathered("user", UNKNOWN, worker)], bot, around)) is OPEN


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
        ({"aud": "sts.amazonaws.com", "sub": "repo:shop@12/bot@34:ref:refs/heads/main"}, YES),
        ({"aud": "sts.amazonaws.com", "sub": "repo:shop@12/bot@34:*"}, NO),
        ({"aud": "sts.amazonaws.com", "sub": "repo:shop@12/*:ref:refs/heads/main"}, NO),
        ({"aud": "sts.amazonaws.com", "sub": "repository_id:34:environment:live"}, YES),
        ({"aud": "sts.amazonaws.com", "sub": "repository_owner_id:12:repository_id:34:ref:refs/heads/main"}, YES),
        ({"aud": "sts.amazonaws.com", "sub": "repository_id:34"}, NO),
        ({"aud": "sts.amazonaws.com", "sub": "environment:live"}, NO),
        ({"aud": "sts.amazonaws.com", "sub": "*:environment:live"}, NO),
        ({"aud": "sts.amazonaws.com", "sub": "repo:*:environment:live"}, NO),
        ({"aud": "sts.amazonaws.com", "repository_id": "34"}, OPEN),
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


BY_R = "{Effect: Allow, Principal: {AWS: !GetAtt R.Arn}, Action: sts:AssumeRole}"
OF_ACCOUNT = BY_R.replace("!GetAtt R.Arn", "!Sub 'arn:aws:iam::${AWS::AccountId}:root'")
ASSUMES = "{Effect: Allow, Action: sts:AssumeRole, Resource: !GetAtt W.Arn}"
WIDE = "{Effect: Allow, Action: ['iam:*', 'lambda:*'], Resource: '*'}"


def assuming(trust: str, statements: str, own: str = ASSUMES, more: str = "") -> str:
    """A function whose role R may assume the role W."""
    return f"""
Resources:
  R: {{Type: AWS::IAM::Role, Properties: {{Policies: [{{PolicyName: a, PolicyDocument: {{Statement: [{own}]}}}}]}}}}
  W:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{Statement: [{trust}]}}
      Policies: [{{PolicyName: a, PolicyDocument: {{Statement: [{statements}]}}}}]
  Bot: {{Type: AWS::Lambda::Function, Properties: {{Role: !GetAtt R.Arn}}}}
{more}"""


@pytest.mark.parametrize(
    ("trust", "action", "escalates"),
    [
        (BY_R, YES, YES),
        (OF_ACCOUNT, YES, YES),
        (BY_R.replace("AWS: !GetAtt R.Arn", "Service: ec2.amazonaws.com"), NO, OPEN),
        (BY_R.replace("R.Arn", "W.Arn"), NO, OPEN),
        (BY_R.replace("!GetAtt R.Arn", "arn:aws:iam::111122223333:role/r"), OPEN, OPEN),
        (BY_R[:-1] + ", Condition: {StringEquals: {sts:ExternalId: x}}}", OPEN, OPEN),
    ],
)
def test_what_an_assumed_role_may_do_is_a_right_of_the_function(trust: str, action: Any, escalates: Any) -> None:
    """Where the trust policy may not allow it, the right is in doubt: it alarms, and no way to more rights is sure."""
    text = assuming(trust, WIDE)
    assert fact(text, "function", "role_wildcard_action", "Bot") == action
    assert fact(text, "function", "role_wildcard_resource", "Bot") == action
    assert fact(text, "function", "role_can_escalate", "Bot") == escalates
    if action == OPEN:
        outcome = of_bot(text, "role_wildcard_action")
        assert isinstance(outcome, Unanswered)
        assert outcome.stands is not None
        assert outcome.stands.value is True


@pytest.mark.parametrize(
    ("resource", "trust", "action"),
    [
        ('"*"', OF_ACCOUNT, YES),
        ("arn:aws:iam::*:role/*", OF_ACCOUNT, YES),
        ('!Sub "arn:aws:iam::${AWS::AccountId}:role/*"', OF_ACCOUNT, YES),
        ("arn:aws:iam::111122223333:role/*", OF_ACCOUNT, OPEN),
        ('"*"', BY_R.replace("AWS: !GetAtt R.Arn", "Service: ec2.amazonaws.com"), NO),
        ("arn:aws:iam::*:user/*", OF_ACCOUNT, NO),
    ],
)
def test_a_statement_about_every_role_means_those_of_the_file(resource: str, trust: str, action: Any) -> None:
    own = f"{{Effect: Allow, Action: sts:AssumeRole, Resource: {resource}}}"
    assert fact(assuming(trust, WIDE, own), "function", "role_wildcard_action", "Bot") == action


def of_bot(text: str, name: str) -> Outcome:
    found = read(text)
    return StackFacts(found, MAPPINGS).of("function", found.resources["Bot"]).get(name)


def test_the_role_that_is_assumed_is_named() -> None:
    outcome = of_bot(assuming(BY_R, WIDE), "role_wildcard_action")
    assert isinstance(outcome, Answered)
    assert outcome.note == "the role 'W', which it may assume, allows every action of iam"


def test_a_denial_is_of_one_role() -> None:
    """One of the assumed role takes its ways to more rights, one of the function's own role does not."""
    denies = "{Effect: Deny, Action: '*', Resource: '*'}"
    assert fact(assuming(BY_R, f"{WIDE}, {denies}"), "function", "role_can_escalate", "Bot") == OPEN
    mine = f"{ASSUMES}, {{Effect: Deny, Action: 'iam:*', Resource: '*'}}"
    assert fact(assuming(BY_R, WIDE, mine), "function", "role_can_escalate", "Bot") is YES


def test_roles_are_assumed_one_after_another() -> None:
    """To the end, where they assume each other."""
    last = """  X:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {AWS: !GetAtt W.Arn}, Action: sts:AssumeRole}]}
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess']
"""
    on = "{Effect: Allow, Action: sts:AssumeRole, Resource: [!GetAtt X.Arn, !GetAtt R.Arn]}"
    assert fact(assuming(BY_R, on, more=last), "function", "role_broad_policy", "Bot") is YES


@pytest.mark.parametrize(
    ("actions", "more", "expected"),
    [
        ("[logs:CreateLogStream, logs:PutLogEvents]", "", False),
        ("[logs:PutLogEvents, 'dynamodb:GetItem']", "", True),
        ("[logs:PutLogEvents, 'kms:Decrypt']", "", True),
        ("[!Ref Action]", "", True),
        ("[logs:PutLogEvents]", ", ManagedPolicyArns: [!Ref Action]", True),
    ],
)
def test_a_role_that_allows_only_logging_is_shared_without_harm(actions: str, more: str, expected: bool) -> None:
    role = f"{{Statement: [{{Effect: Allow, Action: {actions}, Resource: '*'}}]}}"
    text = f"""
Parameters: {{Action: {{Type: String}}}}
Resources:
  Role: {{Type: AWS::IAM::Role, Properties: {{Policies: [{{PolicyName: a, PolicyDocument: {role}}}]{more}}}}}
  Bot: {{Type: AWS::Lambda::Function, Properties: {{Role: !GetAtt Role.Arn}}}}
  Worker: {{Type: AWS::Lambda::Function, Properties: {{Role: !GetAtt Role.Arn}}}}
"""
    assert fact(text, "function", "role_shared", "Bot") is expected


@pytest.mark.parametrize("name", ["role_trusts_only_lambda", "role_shared"])
def test_a_role_that_something_else_makes_is_not_told(name: str) -> None:
    """A custom resource's attribute is no role that SAM makes for the function alone."""
    text = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Made: {Type: Custom::Role, Properties: {ServiceToken: "arn:aws:lambda:eu-west-1:111122223333:function:f"}}
  Bot:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: a.b, InlineCode: "", Role: !GetAtt Made.Arn}
"""
    assert fact(text, "function", name, "Bot") == OPEN
    alone = text.replace(", Role: !GetAtt Made.Arn", "")
    assert fact(alone, "function", name, "Bot") is (name == "role_trusts_only_lambda")
