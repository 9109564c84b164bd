"""What starts each function and what it uses: every construct as a golden dump, the rules one by one, and soundness."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import working_at_most
from threatmodel.evidence.mappings.facts import StackFacts
from threatmodel.evidence.mappings.format import load_places
from threatmodel.evidence.relations.found import Wiring, wirings
from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.terraform import reader as terraform
from threatmodel.stacks.values import Link, List, Node, Scalar, Table, Unknown, links, table

Golden = Callable[[str, str], None]
HERE = Path(__file__).parent
USES = ("reads", "writes", "sends", "secrets")
PLACES = {"cloudformation": load_places("cloudformation"), "terraform": load_places("terraform")}


def wired(stack: Stack) -> Mapping[str, Wiring]:
    kind = "terraform" if stack.kind == "terraform" else "cloudformation"
    return wirings(stack, StackFacts(stack, PLACES[kind], {}))


def stack_of(template: str) -> Stack:
    return sam.expanded(*cloudformation.read(template, "t.yaml"))


def with_resources(resources: str, **sections: str) -> Mapping[str, Wiring]:
    more = "".join(f"{name}: {body}\n" for name, body in sections.items())
    lines = "".join(f"  {line}\n" for line in resources.strip().split("\n"))
    return wired(stack_of(f"Transform: AWS::Serverless-2016-10-31\n{more}Resources:\n{lines}"))


def resource(name: str, kind: str, properties: str = "", more: str = "") -> str:
    return f"{name}: {{Type: {kind}, {more}Properties: {{{properties}}}}}"


def of_f(properties: str, *others: str, **sections: str) -> Wiring:
    """The wiring of a SAM function F with these properties."""
    return with_resources("\n".join((resource("F", "AWS::Serverless::Function", properties), *others)), **sections)["F"]


def of_role(statements: str, *others: str, environment: str = "", **sections: str) -> Wiring:
    """The wiring of a plain function F whose role has these statements."""
    function = plain("F", f"Environment: {{Variables: {{{environment}}}}}")
    return with_resources("\n".join((function, role(statements), *others)), **sections)["F"]


def plain(name: str, properties: str = "Handler: a.b", more: str = "") -> str:
    """A function that has the role R."""
    return resource(name, "AWS::Lambda::Function", f"Role: !GetAtt R.Arn, {properties}", more)


def role(statements: str) -> str:
    return resource("R", "AWS::IAM::Role", f"Policies: [{{PolicyName: p, {document(statements)}}}]")


def document(statements: str) -> str:
    return f"PolicyDocument: {{Statement: [{statements}]}}"


def allow(action: str, resource: str, more: str = "") -> str:
    return f"{{Effect: Allow, Action: {action}, Resource: {resource}{more}}}"


def dump(found: Mapping[str, Wiring]) -> str:
    """Every wiring as lines that a person can check against the template."""
    lines = []
    for name, wiring in found.items():
        lines.append(name)
        for start in wiring.triggers:
            said = " ".join(part for part in (start.by, start.detail, start.source, start.path) if part)
            lines.append(f"  started by {said} [{_lines(start.places)}]")
        for relation in (*USES, "unused", "ungranted"):
            uses = getattr(wiring, relation)
            lines += [f"  {relation} {use.resource}: {', '.join(use.how)} [{_lines(use.places)}]" for use in uses]
        lines += [f"  names {host}" for host in wiring.externals]
        lines += [f"  {relation}? {open_.why} [{_lines((open_.place,))}]" for relation, open_ in wiring.unknown.items()]
    return "\n".join(lines) + "\n"


def _lines(places: tuple[Any, ...]) -> str:
    return " ".join(place.part or str(place.line) for place in places)


def names(wiring: Wiring, relation: str) -> list[str]:
    return [use.resource for use in getattr(wiring, relation)]


# --- everything at once


@pytest.mark.parametrize("sample", ["plain", "sam", "others"])
def test_every_construct(sample: str, golden: Golden) -> None:
    path = HERE / "wiring" / f"{sample}.yaml"
    golden(f"evidence/wiring-{sample}.txt", dump(wired(stack_of(path.read_text(encoding="utf-8")))))


def test_a_plan(golden: Golden) -> None:
    path = HERE / "wiring" / "plan.json"
    golden("evidence/wiring-plan.txt", dump(wired(terraform.read(path.read_text(encoding="utf-8"), "plan.json"))))


def test_no_value_is_told() -> None:
    for path in (HERE / "wiring").iterdir():
        text = path.read_text(encoding="utf-8")
        stack = terraform.read(text, "plan.json") if path.suffix == ".json" else stack_of(text)
        assert "planted" in text
        assert "planted" not in repr(wired(stack))


# --- what starts a function


def test_a_stack_without_functions() -> None:
    assert with_resources("Q: {Type: AWS::SQS::Queue}") == {}


def test_nothing_starts_it() -> None:
    wiring = of_f("Handler: a.b")
    assert wiring.triggers == ()
    assert wiring.unknown == {}


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("{Type: AlexaSkill}", "a permission lets somebody outside call it"),
        (
            "{Type: CloudWatchLogs, Properties: {LogGroupName: g, FilterPattern: x}}",
            "the log subscription 'FE' sends to it",
        ),
        ("{Type: IoTRule, Properties: {Sql: x}}", "the rule 'FE' of IoT calls it"),
        ("{Type: Novelty, Properties: {}}", "an event has a type that is not known"),
        ("!If [C, {Type: Api}, !Ref AWS::NoValue]", "it depends on the condition 'C'"),
        (
            "{Type: SQS, Properties: {Queue: !ImportValue q}}",
            "a queue, topic or bus that is not in this file starts it",
        ),
        ("{Type: Schedule, Properties: {Schedule: !Ref P}}", "when it is started by the clock is not told"),
        (
            "{Type: EventBridgeRule, Properties: {Pattern: {source: [a]}}}",
            "a queue, topic or bus that is not in this file",
        ),
    ],
)
def test_what_a_trigger_cannot_say_leaves_the_list_open(event: str, why: str) -> None:
    wiring = of_f(
        f"Events: {{E: {event}}}",
        Parameters="{P: {Type: String, Default: planted}, Q: {Type: String}}",
        Conditions="{C: !Equals [!Ref Q, x]}",
    )
    assert wiring.unknown["triggers"].why.startswith(why)
    assert "planted" not in repr(wiring)


def test_a_route_that_a_parameter_gives() -> None:
    wiring = of_f(
        "Handler: a.b",
        resource("H", "AWS::ApiGatewayV2::Api", "ProtocolType: HTTP"),
        resource("I", "AWS::ApiGatewayV2::Integration", "ApiId: !Ref H, IntegrationUri: !GetAtt F.Arn"),
        resource(
            "J",
            "AWS::ApiGatewayV2::Route",
            "ApiId: !Ref H, RouteKey: !Sub 'GET /${P}', Target: !Sub 'integrations/${I}'",
        ),
        Parameters="{P: {Type: String, Default: planted}}",
    )
    assert [start[:4] for start in wiring.triggers] == [("http", "", "H", "")]
    why = wiring.unknown["triggers"].why
    assert why.startswith("the path or method of a route to it is not told: a deployment may replace the default of")
    assert "'P'" in why
    assert "planted" not in why


@pytest.mark.parametrize(("kind", "api"), [("Api", "RestApiId"), ("HttpApi", "ApiId")])
@pytest.mark.parametrize("open_part", ["Path: !Ref P, Method: get", "Path: /x, Method: !Ref V"])
@pytest.mark.parametrize("default", [", Default: ", ""])
def test_a_route_of_sam_that_a_parameter_gives(kind: str, api: str, open_part: str, default: str) -> None:
    """The default is no route: a deployment may give another one."""
    values = {"P": "/given", "V": "post"}
    declared = ", ".join(f"{name}: {{Type: String{default and default + value}}}" for name, value in values.items())
    wiring = of_f(
        f"Handler: a.b, Events: {{E: {{Type: {kind}, Properties: {{{api}: !Ref H, {open_part}}}}}}}",
        resource("H", f"AWS::Serverless::{kind}", "StageName: prod"),
        Parameters=f"{{{declared}}}",
    )
    assert "/given" not in {start.path for start in wiring.triggers}
    assert wiring.unknown["triggers"].why.startswith("the path or method of a route to it is not told")
    assert ("default of the parameter" in wiring.unknown["triggers"].why) == bool(default)


@pytest.mark.parametrize(
    ("action", "on", "relations"),
    [
        ("!Ref A", "!GetAtt T.Arn", {"reads", "writes"}),
        ("!Ref A", "!GetAtt Q.Arn", {"sends"}),
        ("!Ref A", "!Ref S", {"secrets"}),
        ("!Ref A", "[!GetAtt Q.Arn, !Ref S]", {"sends", "secrets"}),
        ("!Ref A", "'*'", {"reads", "writes", "sends", "secrets"}),
        ("!Ref A", "!Ref B", {"reads", "writes", "sends", "secrets"}),
        ("!Ref A", "'arn:aws:s3:::somebodys/*'", {"reads", "writes"}),
        ("!Sub 'dynamodb:${A}'", "'*'", {"reads", "writes"}),
        ("!Sub 'sqs:Send${A}'", "'*'", {"sends"}),
        ("!Sub 'ec2:${A}'", "'*'", set()),
    ],
)
def test_an_action_that_is_not_known_opens_only_what_it_may_be_about(action: str, on: str, relations: set[str]) -> None:
    wiring = of_role(
        allow(action, on),
        resource("T", "AWS::DynamoDB::Table"),
        resource("Q", "AWS::SQS::Queue"),
        resource("S", "AWS::SecretsManager::Secret"),
        Parameters="{A: {Type: String}, B: {Type: String}}",
    )
    assert set(wiring.unknown) - {"triggers"} == relations
    assert "planted" not in repr(wiring)


@pytest.mark.parametrize(
    ("action", "on", "opens"),
    [
        ("!Ref A", "'*'", True),
        ("!Ref A", "!GetAtt G.Arn", True),
        ("!Ref A", "!GetAtt Q.Arn", False),
        ("!Sub 'lambda:Invoke${A}'", "'*'", True),
        ("!Sub 'lambda:Get${A}'", "'*'", False),
        ("!Sub 'sqs:${A}'", "'*'", False),
    ],
)
def test_an_action_that_is_not_known_may_call_other_functions(action: str, on: str, *, opens: bool) -> None:
    other = resource("G", "AWS::Serverless::Function", "Handler: a.b")
    parts = (plain("F"), role(allow(action, on)), other, resource("Q", "AWS::SQS::Queue"))
    found = with_resources("\n".join(parts), Parameters="{A: {Type: String}}")
    assert ("triggers" in found["G"].unknown) is opens
    assert "triggers" not in found["F"].unknown


@pytest.mark.parametrize(
    ("permission", "why"),
    [
        ("Principal: '*'", "a permission lets anybody call it"),
        ("Principal: '123456789012'", "a permission lets somebody outside call it"),
        ("Principal: !Ref P", "a permission lets somebody outside call it"),
        (
            "Principal: s3.amazonaws.com, SourceAccount: '1'",
            "a permission lets s3 start it, and what it does so for is",
        ),
        ("Principal: '*', FunctionUrlAuthType: NONE", "a function URL that is not in this file may start it"),
        (
            "Principal: events.amazonaws.com, SourceArn: !GetAtt Other.Arn",
            "a permission lets events start it for something",
        ),
    ],
)
def test_a_permission_without_what_it_is_for(permission: str, why: str) -> None:
    may = f"FunctionName: !Ref F, Action: 'lambda:InvokeFunction', {permission}"
    wiring = of_f(
        "Handler: a.b",
        rule("R", "[{Arn: !GetAtt F.Arn}]"),
        rule("Other", "!Ref P"),
        resource("May", "AWS::Lambda::Permission", may),
        Parameters="{P: {Type: String}}",
    )
    assert wiring.unknown["triggers"].why.startswith(why)


def rule(name: str, targets: str, more: str = "") -> str:
    return resource(name, "AWS::Events::Rule", f"ScheduleExpression: rate(1 day), Targets: {targets}", more)


@pytest.mark.parametrize(
    ("effect", "why"), [("Allow", {"triggers": "a permission lets anybody call it"}), ("Deny", {})]
)
def test_a_policy_on_the_function(effect: str, why: Mapping[str, str]) -> None:
    anybody = document(f"{{Effect: {effect}, Principal: '*', Action: 'lambda:InvokeFunction'}}")
    policy = resource("May", "AWS::Lambda::ResourcePolicy", f"ResourceArn: !GetAtt F.Arn, {anybody}")
    unknown = of_f("Handler: a.b", policy).unknown
    assert {relation: found.why for relation, found in unknown.items()} == why


def test_a_route_that_nobody_can_read_may_lead_to_whom_the_api_may_call() -> None:
    events = "Events: {A: {Type: Api, Properties: {Path: /a, Method: get}}}"
    leads = "HttpMethod: GET, Integration: {Uri: !ImportValue x}"
    own = of_f(events, resource("M", "AWS::ApiGateway::Method", f"RestApiId: !Ref ServerlessRestApi, {leads}"))
    why = "apigateway may start it in another way too: it is imported from another stack as 'x'"
    assert own.unknown["triggers"].why == why
    other = resource("B", "AWS::ApiGateway::RestApi", "Name: b")
    elsewhere = of_f(events, other, resource("M", "AWS::ApiGateway::Method", f"RestApiId: !Ref B, {leads}"))
    assert "triggers" not in elsewhere.unknown


@pytest.mark.parametrize(
    ("function", "target", "open_"),
    [
        ("Handler: a.b", "!ImportValue x", True),
        ("Handler: a.b", "!Ref P", False),  # nobody can give the name that AWS makes up for it
        ("FunctionName: f", "!Ref P", True),
        ("FunctionName: !Ref P", "!Ref P", False),
    ],
)
def test_a_mapping_for_a_function_that_nobody_knows(function: str, target: str, *, open_: bool) -> None:
    mapping = f"FunctionName: {target}, EventSourceArn: !GetAtt Q.Arn"
    wiring = of_f(
        function, QUEUE, resource("M", "AWS::Lambda::EventSourceMapping", mapping), Parameters="{P: {Type: String}}"
    )
    assert [start[:3] for start in wiring.triggers] == ([("queue", "", "Q")] if "!Ref" in function else [])
    assert ("triggers" in wiring.unknown) is open_
    if open_:
        assert wiring.unknown["triggers"].why.startswith("the event source mapping 'M' may start it: ")


LAMBDA = "AWS::Serverless::Function"
INVOKE = "PolicyDocument: {Statement: {Effect: Allow, Action: lambda:Invoke*, Resource: !GetAtt F.Arn}}"


@pytest.mark.parametrize(
    ("kind", "properties", "why"),
    [
        ("AWS::AppSync::DataSource", "LambdaConfig: {LambdaFunctionArn: !GetAtt F.Arn}", "the GraphQL data source 'D'"),
        ("AWS::New::Thing", "Handler: !GetAtt F.Arn", "'D' (AWS::New::Thing) names it and may call it"),
        ("Custom::Setup", "ServiceToken: !GetAtt F.Arn", "deployments call it for 'D'"),
        (LAMBDA, "EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: Lambda, Destination: !GetAtt F.Arn}}}", ""),
        (LAMBDA, "Policies: [LambdaInvokePolicy: {FunctionName: !Ref F}]", "the function 'D' may call it"),
        (
            LAMBDA,
            "Policies: [{Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}]",
            "the function 'D' may call eve",
        ),
        ("AWS::IAM::Role", f"Policies: [{{{INVOKE}}}]", "whoever has the role 'D' may call it"),
        ("AWS::CloudFormation::Stack", "TemplateURL: x", "D may hold more: what a nested stack makes"),
    ],
)
def test_callers_of_other_kinds_leave_the_list_open(kind: str, properties: str, why: str) -> None:
    assert of_f("Handler: a.b", resource("D", kind, properties)).unknown["triggers"].why.startswith(why)


def test_what_only_watches_a_function_starts_nothing() -> None:
    wiring = of_f(
        "Handler: a.b",
        resource("A", "AWS::CloudWatch::Alarm", "Dimensions: [{Name: FunctionName, Value: !Ref F}]"),
        resource("L", "AWS::Logs::LogGroup", "LogGroupName: !Sub '/aws/lambda/${F}'"),
    )
    assert wiring.unknown == {}


def test_a_condition_leaves_the_list_open_unless_the_function_has_it_too() -> None:
    sections = {"Parameters": "{P: {Type: String}}", "Conditions": "{C: !Equals [!Ref P, x]}"}
    daily = rule("D", "[{Arn: !GetAtt F.Arn}]", "Condition: C, ")
    wiring = of_f("Handler: a.b", daily, **sections)
    assert [start.by for start in wiring.triggers] == ["schedule"]
    assert wiring.unknown["triggers"].why.startswith("it exists only under the condition 'C'")
    both = with_resources("\n".join((plain("F", more="Condition: C, "), role(""), daily)), **sections)
    assert "triggers" not in both["F"].unknown


# --- what a function uses

TABLE = resource("T", "AWS::DynamoDB::Table")
QUEUE = resource("Q", "AWS::SQS::Queue")
BUCKET = resource("B", "AWS::S3::Bucket")
STREAM = resource("S", "AWS::Kinesis::Stream")
SECRET = resource("S", "AWS::SecretsManager::Secret", "Name: slack/signing")
SCAN = allow("dynamodb:Scan", "!GetAtt T.Arn")


@pytest.mark.parametrize(
    ("statement", "reads", "writes"),
    [
        (allow("dynamodb:GetItem", "!GetAtt T.Arn"), ["T"], []),
        (allow("dynamodb:PutItem", "!GetAtt T.Arn"), [], ["T"]),
        (allow("dynamodb:*", "!GetAtt T.Arn"), ["T"], ["T"]),
        (allow("dynamodb:DescribeTable", "!GetAtt T.Arn"), [], []),
        (allow("dynamodb:GetRecords", "!GetAtt T.StreamArn"), [], []),
        (allow("dynamodb:CreateItem", "!GetAtt T.Arn"), [], []),  # no such action
        (allow("[dynamodb:GetItem, s3:PutObject]", "[!GetAtt T.Arn, !Sub '${B.Arn}/*']"), ["T"], ["B"]),
        (allow("s3:GetObject", "!Sub '${B.Arn}/in/*'"), ["B"], []),
        (
            allow("dynamodb:*", "!GetAtt T.Arn") + ", {Effect: Deny, Action: dynamodb:PutItem, Resource: '*'}",
            ["T"],
            ["T"],
        ),
        (allow("dynamodb:PutItem", "!GetAtt T.Arn") + ", {Effect: Deny, Action: dynamodb:Put*, Resource: '*'}", [], []),
    ],
)
def test_grants_by_level(statement: str, reads: list[str], writes: list[str]) -> None:
    wiring = of_role(statement, TABLE, BUCKET)
    assert names(wiring, "reads") == reads
    assert names(wiring, "writes") == writes
    assert wiring.unknown == {}


@pytest.mark.parametrize(
    ("statement", "relation", "why"),
    [
        (allow("dynamodb:GetItem", "'*'"), "reads", "its role may read every table"),
        (allow("dynamodb:PutItem", "'arn:aws:dynamodb:*:*:table/*'"), "writes", "its role may write every table"),
        (allow("s3:GetObject", "'arn:aws:s3:::*/*'"), "reads", "its role may read every bucket"),
        (
            allow("s3:GetObject", "'arn:aws:s3:::other/*'"),
            "reads",
            "its role may read a bucket that is not in this file",
        ),
        (allow("s3:GetObject", "!Ref P"), "reads", "its role may read a bucket that is not in this file"),
        (allow("sqs:SendMessage", "!ImportValue q"), "sends", "its role may send to a queue that is not in this file"),
        (allow("events:PutEvents", "'*'"), "sends", "its role may send to every event bus"),
        (
            allow("ssm:GetParameter", "'arn:aws:ssm:*:*:parameter/shop/*'"),
            "secrets",
            "its role may read a parameter that is",
        ),
        (allow("!Ref P", "!GetAtt T.Arn"), "writes", "the parameter 'P' has no default"),
        ("!If [C, {Effect: Allow}, !Ref AWS::NoValue]", "reads", "it depends on the condition 'C'"),
        ("{Effect: Allow, NotAction: 'iam:*', Resource: '*'}", "secrets", "its role may read every"),
    ],
)
def test_what_may_be_used_elsewhere_leaves_the_list_open(statement: str, relation: str, why: str) -> None:
    sections = {"Parameters": "{P: {Type: String}}", "Conditions": "{C: !Equals [!Ref P, x]}"}
    wiring = of_role(statement, TABLE, **sections)
    assert wiring.unknown[relation].why.startswith(why)
    assert names(wiring, relation) == []


def test_a_wildcard_leaves_a_list_open_and_keeps_what_is_named() -> None:
    others = (TABLE, resource("U", "AWS::DynamoDB::Table"), resource("V", "AWS::DynamoDB::Table"))
    wiring = of_role(f"{SCAN}, {allow('dynamodb:*', chr(39) + '*' + chr(39))}", *others, environment="X: !Ref U")
    assert names(wiring, "reads") == ["T", "U"]  # U is named by the environment, V by nothing
    assert names(wiring, "writes") == ["U"]
    assert wiring.unknown.keys() == {"reads", "writes"}


def test_actions_that_need_a_wildcard_leave_nothing_open() -> None:
    wiring = of_role(allow("[s3:ListAllMyBuckets, ssm:DescribeParameters, logs:*, 'ec2:*NetworkInterface*']", "'*'"))
    assert wiring.unknown == {}


def test_polling_is_no_reading() -> None:
    stream = "{Type: Kinesis, Properties: {Stream: !GetAtt S.Arn, StartingPosition: LATEST}}"
    queue = "{Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}"
    wiring = of_f(f"Events: {{A: {stream}, B: {queue}}}", STREAM, QUEUE)
    assert [start[:3] for start in wiring.triggers] == [("queue", "", "S"), ("queue", "", "Q")]
    assert wiring.unknown == {}
    assert wiring.unused == ()
    polls = of_f("Policies: [KinesisStreamReadPolicy: {StreamName: !Ref S}]", STREAM)
    assert names(polls, "reads") == ["S"]  # nothing polls for it: its code reads


def test_a_role_that_functions_share_is_counted_for_each() -> None:
    found = with_resources("\n".join((plain("F"), plain("G"), role(SCAN), TABLE)))
    assert [names(wiring, "reads") for wiring in found.values()] == [["T"], ["T"]]


@pytest.mark.parametrize(
    ("arn", "why"),
    [
        ("arn:aws:iam::123456789012:role/r", "its role is not in this file"),
        ("!ImportValue r", "it is imported from another stack as 'r'"),
        ("!Ref P", "the parameter 'P' has no default"),
    ],
)
def test_a_role_elsewhere_leaves_everything_open(arn: str, why: str) -> None:
    wiring = of_f(f"Role: {arn}, Environment: {{Variables: {{X: !Ref T}}}}", TABLE, Parameters="{P: {Type: String}}")
    assert {wiring.unknown[relation].why for relation in USES} == {why}
    assert wiring.ungranted == ()  # nobody can tell


def attached(to: str, more: str = "") -> str:
    return resource("A", "AWS::IAM::Policy", f"Roles: [{to}], {document(SCAN)}", more)


def test_a_policy_that_may_be_attached_to_the_role() -> None:
    why = of_f("Handler: a.b", attached("!ImportValue x"), TABLE).unknown["reads"].why
    assert why.startswith("'A' may be attached to its role: ")
    made_up = of_f("Handler: a.b", attached("!Ref P"), TABLE, Parameters="{P: {Type: String}}")
    assert made_up.unknown == {}  # nobody can give the name that AWS makes up for its role
    assert names(of_f("Handler: a.b", attached("!Ref FRole"), TABLE), "reads") == ["T"]


def test_a_policy_under_a_condition() -> None:
    sections = {"Parameters": "{P: {Type: String}}", "Conditions": "{C: !Equals [!Ref P, x]}"}
    wiring = of_f("Handler: a.b", attached("!Ref FRole", "Condition: C, "), TABLE, **sections)
    assert wiring.unknown["reads"].why.startswith("it exists only under the condition 'C'")


@pytest.mark.parametrize(
    ("kind", "about", "action", "relation"),
    [
        ("AWS::SQS::QueuePolicy", "Queues: [!Ref Q]", "sqs:SendMessage", "sends"),
        ("AWS::S3::BucketPolicy", "Bucket: !Ref B", "s3:GetObject", "reads"),
    ],
)
def test_a_policy_of_the_resource_grants_too(kind: str, about: str, action: str, relation: str) -> None:
    statement = allow(action, "'*'", ", Principal: {AWS: !GetAtt FRole.Arn}")
    wiring = of_f("Handler: a.b", QUEUE, BUCKET, resource("P", kind, f"{about}, {document(statement)}"))
    assert len(names(wiring, relation)) == 1
    assert wiring.unknown == {}


def test_grants_and_uses_without_counterpart() -> None:
    wiring = of_role(SCAN, TABLE, QUEUE, BUCKET, environment="A: !Ref Q, B: !GetAtt B.Arn")
    assert names(wiring, "unused") == ["T"]
    assert names(wiring, "ungranted") == ["Q", "B"]
    assert all(use.how == ("environment",) and use.places for use in wiring.ungranted)


def test_what_cannot_be_seen_is_neither_unused_nor_ungranted() -> None:
    sections = {"Parameters": "{P: {Type: String}}", "Conditions": "{C: !Equals [!Ref P, x]}"}
    blind = of_role(SCAN, TABLE, environment="A: !If [C, !Ref T, x]", **sections)
    assert blind.unused == ()
    hidden = of_role("!If [C, {Effect: Allow}, !Ref AWS::NoValue]", TABLE, environment="A: !Ref T", **sections)
    assert hidden.ungranted == ()
    received = of_role(allow("sqs:ReceiveMessage", "!GetAtt Q.Arn"), QUEUE, environment="A: !Ref Q")
    assert received.ungranted == ()


def test_a_secret_put_into_the_environment_is_a_use() -> None:
    by_link = of_role("", SECRET, environment="A: !Sub '{{resolve:secretsmanager:${S}:SecretString}}'")
    by_name = of_role("", SECRET, environment="A: '{{resolve:secretsmanager:slack/signing:SecretString}}'")
    for wiring in (by_link, by_name):
        assert [(use.resource, use.how) for use in wiring.secrets] == [("S", ("environment",))]
        assert wiring.ungranted == ()


def test_a_secret_behind_its_attachment() -> None:
    behind = resource("A", "AWS::SecretsManager::SecretTargetAttachment", "SecretId: !Ref S")
    wiring = of_role(allow("secretsmanager:GetSecretValue", "!Ref A"), SECRET, behind)
    assert names(wiring, "secrets") == ["S"]
    assert wiring.unknown == {}


def test_a_database_is_reached_without_a_grant() -> None:
    wiring = of_role("", resource("D", "AWS::RDS::DBInstance"), environment="HOST: !GetAtt D.Endpoint.Address")
    assert wiring.unknown.keys() == {"reads", "writes"}
    assert wiring.unknown["reads"].why == "it is told where 'D' is, which needs no grant to be used"
    assert wiring.ungranted == ()


def test_hosts_but_never_values() -> None:
    wiring = of_f(
        "Environment: {Variables: {A: 'https://u:planted@Example.org/planted?planted', B: 'planted', C: !Ref P, "
        "D: 'https://sqs.eu-west-1.amazonaws.com/planted', E: 'wss://a.example.net:8443/x'}}",
        Parameters="{P: {Type: String, Default: 'https://planted.example.com'}}",
    )
    assert wiring.externals == ("example.org", "a.example.net")
    assert "planted" not in repr(wiring)


def test_names_by_text() -> None:
    others = (
        resource("Q", "AWS::SQS::Queue", "QueueName: jobs"),
        resource("T", "AWS::DynamoDB::Table", "TableName: !Sub '${P}-orders'"),
    )
    statements = ", ".join([
        allow("sqs:SendMessage", "'arn:aws:sqs:eu-west-1:123456789012:jobs'"),
        allow("dynamodb:GetItem", "!Sub 'arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${P}-orders'"),
    ])  # fmt: skip
    wiring = of_role(
        statements, *others, environment="A: jobs, B: !Sub '${P}-orders'", Parameters="{P: {Type: String}}"
    )
    assert [(use.resource, use.how) for use in (*wiring.sends, *wiring.reads)] == [
        ("Q", ("grant", "environment")),
        ("T", ("grant", "environment")),
    ]
    assert wiring.unknown == {}


# --- soundness

TEMPLATES = HERE.parent / "stacks" / "sam"
SAMPLES = sorted((*(HERE / "wiring").iterdir(), *TEMPLATES.iterdir(), *(HERE / "samples").glob("plan*.json")))


Change = Callable[[Node], Node]


def variants(node: Node, change: Change, *, depth: int = 0) -> Iterator[Node]:
    """A node with one thing in it changed, for each thing in it."""
    if depth > 12:
        return
    if isinstance(node, Table):
        for name, child in node.entries.items():
            for other in (change(child), *variants(child, change, depth=depth + 1)):
                yield node._replace(entries={**node.entries, name: other})
    elif isinstance(node, List):
        for index, child in enumerate(node.items):
            for other in (change(child), *variants(child, change, depth=depth + 1)):
                yield node._replace(items=(*node.items[:index], other, *node.items[index + 1 :]))


def _hidden(node: Node) -> Unknown:
    return Unknown("hidden", node.place._replace(line=node.place.line + 1000))


def _listed(wiring: Wiring, relation: str) -> set[Any]:
    if relation == "triggers":
        return {start[:4] for start in wiring.triggers}
    return set(names(wiring, relation))


def read_sample(path: Path) -> Stack:
    text = path.read_text(encoding="utf-8")
    return terraform.read(text, "x") if path.suffix == ".json" else stack_of(text)


def changed(stack: Stack, resource: Resource) -> Mapping[str, Wiring]:
    return wired(replace(stack, resources={**stack.resources, resource.name: resource}))


def lost(known: Mapping[str, Wiring], found: Mapping[str, Wiring]) -> list[tuple[str, str]]:
    """Functions and relations whose list is another one."""
    return [
        (function, relation)
        for function, wiring in found.items()
        for relation in ("triggers", *USES)
        if _listed(wiring, relation) != _listed(known[function], relation)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_what_is_hidden_changes_no_list_that_is_called_complete(sample: Path) -> None:
    stack = read_sample(sample)
    known = wired(stack)
    for resource in stack.resources.values():
        for properties in variants(resource.properties, _hidden):
            assert isinstance(properties, Table)
            found = changed(stack, replace(resource, properties=properties))
            assert [one for one in lost(known, found) if one[1] not in found[one[0]].unknown] == [], resource.name


ODD: Mapping[str, Change] = {
    "number": lambda node: Scalar(7, node.place),
    "nothing": lambda node: Scalar(None, node.place),
    "text": lambda node: Scalar("${a}" * 200 + ":", node.place),
    "list": lambda node: List((node, Scalar("x", node.place)), node.place),
    "mapping": lambda node: table({"x": node}, node.place),
    "link": lambda node: Link("Nowhere", "Arn", node.place),
}


@pytest.mark.slow
@pytest.mark.parametrize("sample", ["wiring/plain.yaml", "wiring/sam.yaml", "wiring/others.yaml", "wiring/plan.json"])
@pytest.mark.parametrize("odd", ODD)
def test_nothing_odd_stops_it(sample: str, odd: str) -> None:
    stack = read_sample(HERE / sample)
    for resource in stack.resources.values():
        for properties in variants(resource.properties, ODD[odd]):
            assert isinstance(properties, Table)
            changed(stack, replace(resource, properties=properties))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_nor_does_a_resource_of_which_nothing_is_known(sample: Path) -> None:
    stack = read_sample(sample)
    known = wired(stack)
    for resource in stack.resources.values():
        if not resource.made_by:  # what SAM makes is as opaque as its maker
            nothing = replace(resource, opaque=_hidden(resource.properties), properties=table({}, resource.place))
            found = changed(stack, nothing)
            assert [one for one in lost(known, found) if one[1] not in found[one[0]].unknown] == [], resource.name


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_nor_does_a_resource_that_may_not_exist(sample: Path) -> None:
    stack = read_sample(sample)
    known = wired(stack)
    facts = StackFacts(stack, PLACES["terraform" if stack.kind == "terraform" else "cloudformation"], {})
    # without these, what refers to them could not exist either
    referred = {link.resource for one in stack.resources.values() for link in links(one.properties)}
    for name, resource in stack.resources.items():
        if name not in referred and not {"function", "store", "queue", "secret", "api"} & set(facts.kinds_of(resource)):
            without = wired(replace(stack, resources={key: one for key, one in stack.resources.items() if key != name}))
            doubted = changed(stack, replace(resource, doubt=_hidden(resource.properties)))
            assert [one for one in lost(known, without) if one[1] not in doubted[one[0]].unknown] == [], name


# --- cost

ONE = """
  F{i}:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {{Variables: {{T: !Ref T{i}, Q: !Ref Q{i}}}}}
      Policies:
        - DynamoDBCrudPolicy: {{TableName: !Ref T{i}}}
        - SQSSendMessagePolicy: {{QueueName: !GetAtt Q{i}.QueueName}}
        - Statement: {{Effect: Allow, Action: "{action}", Resource: "*"}}
      Events:
        A: {{Type: Api, Properties: {{Path: /x{i}, Method: post}}}}
        B: {{Type: SQS, Properties: {{Queue: !GetAtt Q{i}.Arn}}}}
  T{i}: {{Type: AWS::DynamoDB::Table}}
  Q{i}: {{Type: AWS::SQS::Queue}}
"""


@pytest.mark.parametrize("action", ["logs:*", "*"])
def test_500_functions_take_little_time(action: str) -> None:
    body = "".join(ONE.format(i=index, action=action) for index in range(500))
    stack = stack_of(f"Transform: AWS::Serverless-2016-10-31\nResources:{body}")
    with working_at_most(seconds=3):
        found = wired(stack)
    assert len(found) == 500
    assert {start[:4] for start in found["F7"].triggers} == {
        ("http", "POST", "ServerlessRestApi", "/x7"),
        ("queue", "", "Q7", ""),
    }
