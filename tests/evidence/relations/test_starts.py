"""What starts a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.evidence.relations.stacks_of import (
    HERE,
    QUEUE,
    USES,
    allow,
    document,
    names,
    of_f,
    of_role,
    plain,
    resource,
    role,
    stack_of,
    wired,
    with_resources,
)
from threatmodel.evidence.relations.use import FunctionRelations
from threatmodel.stacks.terraform import reader as terraform

Golden = Callable[[str, str], None]


def dump(found: Mapping[str, FunctionRelations]) -> str:
    """All relations as lines that a person can check against the template."""
    lines = []
    for name, relations in found.items():
        lines.append(name)
        for start in relations.triggers:
            said = " ".join(part for part in (start.by, start.detail, start.source, start.path) if part)
            lines.append(f"  started by {said} [{_lines(start.places)}]")
        lists = {name: relations.lists[name] for name in USES}
        for relation, uses in {**lists, "unused": relations.unused, "ungranted": relations.ungranted}.items():
            lines += [f"  {relation} {use.resource}: {', '.join(use.how)} [{_lines(use.places)}]" for use in uses]
        lines += [f"  names {host}" for host in relations.externals]
        lines += [
            f"  {relation}? {open_.why} [{_lines((open_.place,))}]" for relation, open_ in relations.unknown.items()
        ]
    return "\n".join(lines) + "\n"


def _lines(places: tuple[Any, ...]) -> str:
    return " ".join(place.part or str(place.line) for place in places)


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


def test_a_stack_without_functions() -> None:
    assert with_resources("Q: {Type: AWS::SQS::Queue}") == {}


def test_nothing_starts_it() -> None:
    relations = of_f("Handler: a.b")
    assert relations.triggers == ()
    assert relations.unknown == {}


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("{Type: AlexaSkill}", "a permission allows an external principal to call it"),
        ("{Type: Novelty, Properties: {}}", "an event has an unknown type"),
        ("!If [C, {Type: Api}, !Ref AWS::NoValue]", "it depends on the condition 'C'"),
        ("{Type: SQS, Properties: {Queue: !ImportValue q}}", "another stack sets which SQS starts it"),
        ("{Type: Schedule, Properties: {Schedule: !Ref P}}", "its schedule is unknown"),
        ("{Type: SQS, Properties: {Queue: !Ref Q}}", "a parameter sets which SQS starts it"),
    ],
)
def test_what_a_trigger_cannot_say_leaves_the_list_open(event: str, why: str) -> None:
    relations = of_f(
        f"Events: {{E: {event}}}",
        Parameters="{P: {Type: String, Default: planted}, Q: {Type: String}}",
        Conditions="{C: !Equals [!Ref Q, x]}",
    )
    assert relations.unknown["triggers"].why.startswith(why)
    assert "planted" not in repr(relations)


def test_a_route_that_a_parameter_gives() -> None:
    relations = of_f(
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
    assert [start[:4] for start in relations.triggers] == [("http", "", "H", "")]
    why = relations.unknown["triggers"].why
    assert why.startswith("the path or method of a route to it is unknown: a deployment may replace the default of")
    assert "'P'" in why
    assert "planted" not in why


@pytest.mark.parametrize(("kind", "api"), [("Api", "RestApiId"), ("HttpApi", "ApiId")])
@pytest.mark.parametrize("open_part", ["Path: !Ref P, Method: get", "Path: /x, Method: !Ref V"])
@pytest.mark.parametrize("default", [", Default: ", ""])
def test_a_route_of_sam_that_a_parameter_gives(kind: str, api: str, open_part: str, default: str) -> None:
    """The default is no route: a deployment may give another one."""
    values = {"P": "/given", "V": "post"}
    declared = ", ".join(f"{name}: {{Type: String{default and default + value}}}" for name, value in values.items())
    relations = of_f(
        f"Handler: a.b, Events: {{E: {{Type: {kind}, Properties: {{{api}: !Ref H, {open_part}}}}}}}",
        resource("H", f"AWS::Serverless::{kind}", "StageName: prod"),
        Parameters=f"{{{declared}}}",
    )
    assert "/given" not in {start.path for start in relations.triggers}
    assert relations.unknown["triggers"].why.startswith("the path or method of a route to it is unknown")
    assert ("default of the parameter" in relations.unknown["triggers"].why) == bool(default)


@pytest.mark.parametrize(
    ("action", "on", "opened"),
    [
        ("!Ref A", "!GetAtt T.Arn", {"reads", "writes"}),
        ("!Ref A", "!GetAtt Q.Arn", {"sends"}),
        ("!Ref A", "!Ref S", {"secrets"}),
        ("!Ref A", "[!GetAtt Q.Arn, !Ref S]", {"sends", "secrets"}),
        ("!Ref A", "'*'", {"reads", "writes", "sends", "secrets", "invokes"}),
        ("!Ref A", "!Ref B", {"reads", "writes", "sends", "secrets", "invokes"}),
        ("!Ref A", "'arn:aws:s3:::somebodys/*'", {"reads", "writes"}),
        ("!Sub 'dynamodb:${A}'", "'*'", {"reads", "writes"}),
        ("!Sub 'sqs:Send${A}'", "'*'", {"sends"}),
        ("!Sub 'ec2:${A}'", "'*'", set()),
    ],
)
def test_an_action_that_is_not_known_opens_only_what_it_may_be_about(action: str, on: str, opened: set[str]) -> None:
    relations = of_role(
        allow(action, on),
        resource("T", "AWS::DynamoDB::Table"),
        resource("Q", "AWS::SQS::Queue"),
        resource("S", "AWS::SecretsManager::Secret"),
        Parameters="{A: {Type: String}, B: {Type: String}}",
    )
    assert set(relations.unknown) - {"triggers"} == opened
    assert "planted" not in repr(relations)


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
    assert ("triggers" in found["F"].unknown) is (opens and on == "'*'"), "every function is the function itself too"


@pytest.mark.parametrize(
    ("permission", "why"),
    [
        ("Principal: '*'", "a permission allows any principal to call it"),
        ("Principal: '123456789012'", "a permission allows an external principal to call it"),
        ("Principal: !Ref P", "a permission allows an external principal to call it"),
        (
            "Principal: s3.amazonaws.com, SourceAccount: '1'",
            "a permission allows s3 to start it, and its source is",
        ),
        ("Principal: '*', FunctionUrlAuthType: NONE", "a function URL that is not in this file may start it"),
        (
            "Principal: events.amazonaws.com, SourceArn: !GetAtt Other.Arn",
            "a permission allows events to start it for a source",
        ),
    ],
)
def test_a_permission_without_what_it_is_for(permission: str, why: str) -> None:
    may = f"FunctionName: !Ref F, Action: 'lambda:InvokeFunction', {permission}"
    relations = of_f(
        "Handler: a.b",
        rule("R", "[{Arn: !GetAtt F.Arn}]"),
        rule("Other", "!Ref P"),
        resource("May", "AWS::Lambda::Permission", may),
        Parameters="{P: {Type: String}}",
    )
    assert relations.unknown["triggers"].why.startswith(why)


def rule(name: str, targets: str, more: str = "") -> str:
    return resource(name, "AWS::Events::Rule", f"ScheduleExpression: rate(1 day), Targets: {targets}", more)


@pytest.mark.parametrize(
    ("effect", "why"), [("Allow", {"triggers": "a permission allows any principal to call it"}), ("Deny", {})]
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
    why = "apigateway may also start it in another way: it is imported from another stack as 'x'"
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
    relations = of_f(
        function, QUEUE, resource("M", "AWS::Lambda::EventSourceMapping", mapping), Parameters="{P: {Type: String}}"
    )
    assert [start[:3] for start in relations.triggers] == ([("queue", "", "Q")] if "!Ref" in function else [])
    assert ("triggers" in relations.unknown) is open_
    if open_:
        assert relations.unknown["triggers"].why.startswith("the event source mapping 'M' may start it: ")


LAMBDA = "AWS::Serverless::Function"
INVOKE = "PolicyDocument: {Statement: {Effect: Allow, Action: lambda:Invoke*, Resource: !GetAtt F.Arn}}"


@pytest.mark.parametrize(
    ("kind", "properties", "why"),
    [
        ("AWS::New::Thing", "Handler: !GetAtt F.Arn", "'D' (AWS::New::Thing) names it and may call it"),
        (
            LAMBDA,
            "Policies: [{Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}]",
            "the function 'D' may call eve",
        ),
        ("AWS::IAM::Role", f"Policies: [{{{INVOKE}}}]", "any principal with the role 'D' may call it"),
        (
            "AWS::CloudFormation::Stack",
            "TemplateURL: x, Parameters: {A: !GetAtt F.Arn}",
            "'D' (AWS::CloudFormation::Stack) names it and may call it",
        ),
    ],
)
def test_callers_of_other_kinds_leave_the_list_open(kind: str, properties: str, why: str) -> None:
    assert of_f("Handler: a.b", resource("D", kind, properties)).unknown["triggers"].why.startswith(why)


@pytest.mark.parametrize(
    ("own", "handed", "open_"),
    [
        ("Handler: a.b", "{}", False),
        ("Handler: a.b", "{A: !Ref Q}", False),
        ("Handler: a.b, Environment: {Variables: {Q: !Ref Q}}", "{A: !Ref Q}", True),
        ("Handler: a.b, Role: !GetAtt R.Arn", "{A: !Ref R}", True),
        ("Handler: a.b", "{A: !GetAtt F.Arn}", True),
        ("Handler: a.b, FunctionName: bot", "{A: 'arn:aws:lambda:eu-west-1:111122223333:function:bot'}", True),
        ("Handler: a.b, FunctionName: !Sub '${P}-bot'", "{A: !Sub '${P}-bot'}", True),
        ("Handler: a.b, FunctionName: !Sub '${P}-bot'", "{A: x}", False),
    ],
)
def test_a_nested_stack_that_nobody_read_reaches_what_it_is_handed(own: str, handed: str, *, open_: bool) -> None:
    nested = resource("D", "AWS::CloudFormation::Stack", f"TemplateURL: x, Parameters: {handed}")
    relations = of_f(own, nested, QUEUE, resource("R", "AWS::IAM::Role"), Parameters="{P: {Type: String}}")
    assert ("triggers" in relations.unknown) is open_
    assert open_ or not {"reads", "writes", "sends", "secrets"} & relations.unknown.keys()


@pytest.mark.parametrize(
    ("event", "start"),
    [
        ("{Type: CloudWatchLogs, Properties: {LogGroupName: g, FilterPattern: x}}", ("service", "", "FE")),
        ("{Type: IoTRule, Properties: {Sql: x}}", ("service", "", "FE")),
        ("{Type: EventBridgeRule, Properties: {Pattern: {source: [a]}}}", ("queue", "", "aws:events:default")),
        ("{Type: SQS, Properties: {Queue: 'arn:aws:sqs:eu-west-1:111122223333:jobs'}}", ("queue", "", "aws:sqs:jobs")),
    ],
)
def test_what_lies_elsewhere_starts_it_by_name(event: str, start: tuple[str, str, str]) -> None:
    relations = of_f(f"Events: {{E: {event}}}")
    assert [one[:3] for one in relations.triggers] == [start]
    assert "triggers" not in relations.unknown


GRAPH = resource("G", "AWS::AppSync::GraphQLApi", "Name: g")


@pytest.mark.parametrize(
    ("kind", "properties", "starts"),
    [
        ("AWS::AppSync::DataSource", "ApiId: !GetAtt G.ApiId, LambdaConfig: {LambdaFunctionArn: !GetAtt F.Arn}", ["G"]),
        ("Custom::Setup", "ServiceToken: !GetAtt F.Arn", ["aws:cloudformation:"]),
        ("AWS::Cognito::UserPool", "LambdaConfig: {PreSignUp: !GetAtt F.Arn}", ["D"]),
        (LAMBDA, "EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: Lambda, Destination: !GetAtt F.Arn}}}", []),
        (LAMBDA, "Policies: [LambdaInvokePolicy: {FunctionName: !Ref F}]", []),
    ],
)
def test_services_start_functions_and_functions_call_them(kind: str, properties: str, starts: list[str]) -> None:
    found = with_resources("\n".join((plain("F"), GRAPH, resource("D", kind, properties))))
    assert [one.source for one in found["F"].triggers] == starts
    assert "triggers" not in found["F"].unknown
    if kind == LAMBDA:
        assert names(found["D"], "invokes") == ["F"]


def test_what_only_watches_a_function_starts_nothing() -> None:
    relations = of_f(
        "Handler: a.b",
        resource("A", "AWS::CloudWatch::Alarm", "Dimensions: [{Name: FunctionName, Value: !Ref F}]"),
        resource("L", "AWS::Logs::LogGroup", "LogGroupName: !Sub '/aws/lambda/${F}'"),
    )
    assert relations.unknown == {}


def test_a_condition_leaves_the_list_open_unless_the_function_has_it_too() -> None:
    sections = {"Parameters": "{P: {Type: String}}", "Conditions": "{C: !Equals [!Ref P, x]}"}
    daily = rule("D", "[{Arn: !GetAtt F.Arn}]", "Condition: C, ")
    relations = of_f("Handler: a.b", daily, **sections)
    assert [start.by for start in relations.triggers] == ["schedule"]
    assert [start.certain for start in relations.triggers] == [False]
    assert relations.unknown["triggers"].why.startswith("it exists only under the condition 'C'")
    both = with_resources("\n".join((plain("F", more="Condition: C, "), role(""), daily)), **sections)
    assert "triggers" not in both["F"].unknown


@pytest.mark.parametrize(
    ("event", "service"),
    [
        (
            "{Type: MSK, Properties: {Stream: 'arn:aws:kafka:eu-west-1:123456789012:cluster/c/1-2', Topics: [t]}}",
            "kafka",
        ),
        (
            "{Type: MSK, Properties: {Stream: !Sub 'arn:aws:kafka:${AWS::Region}:${AWS::AccountId}:cluster/${P}/1'}}",
            "kafka",
        ),
        (
            (
                "{Type: MQ, Properties: {Broker: 'arn:aws:mq:eu-west-1:123456789012:broker:b:b-1', Queues: [q], "
                "SourceAccessConfigurations: [{Type: BASIC_AUTH, URI: !Ref S}]}}"
            ),
            "mq",
        ),
    ],
)
def test_a_broker_starts_a_function_and_is_not_called_for_being_polled(event: str, service: str) -> None:
    secret = resource("S", "AWS::SecretsManager::Secret")
    relations = of_f(f"Events: {{E: {event}}}", secret, Parameters="{P: {Type: String, Default: x}}")
    assert [(one.by, one.source) for one in relations.triggers] == [("service", f"aws:{service}:")]
    assert names(relations, "calls") == []


def test_what_else_is_done_with_a_broker_is_a_call() -> None:
    statement = allow("[kafka:GetBootstrapBrokers, kafka:CreateTopic]", "'*'")
    event = "{Type: MSK, Properties: {Stream: 'arn:aws:kafka:eu-west-1:123456789012:cluster/c/1-2', Topics: [t]}}"
    relations = of_f(f"Policies: [{{Statement: [{statement}]}}], Events: {{E: {event}}}")
    assert names(relations, "calls") == ["aws:kafka:"]


def test_an_event_says_its_route_although_the_definition_stands_in_another_file() -> None:
    api = resource("A", "AWS::Serverless::Api", "StageName: v1, DefinitionUri: s3://b/api.json")
    relations = of_f("Events: {E: {Type: Api, Properties: {RestApiId: !Ref A, Path: /orders, Method: post}}}", api)
    assert [(one.detail, one.path, one.source) for one in relations.triggers] == [("POST", "/orders", "A")]
    assert "triggers" in relations.unknown  # the definition may have more
