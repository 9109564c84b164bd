"""What a file names and does not hold: by what name it is told apart."""

from __future__ import annotations

import pytest

from tests.evidence.relations.stacks_of import allow, names, of_f, of_role, resource, wired, with_resources
from tests.stacks.serverless_text import BOT, service

ARN = "arn:aws:{}:${{AWS::Region}}:${{AWS::AccountId}}:{}"
STAGE = "{Stage: {Type: String, Default: dev}, Table: {Type: String}, TableArn: {Type: String}}"


def test_resources_with_one_parameter_in_their_names_are_told_apart() -> None:
    relations = of_role(
        ", ".join(
            allow("s3:GetObject", f"!Sub 'arn:aws:s3:::{name}-${{Stage}}-${{AWS::AccountId}}/*'")
            for name in ("invoices", "letters")
        ),
        Parameters=STAGE,
    )
    assert names(relations, "reads") == ["aws:s3:invoices-Stage", "aws:s3:letters-Stage"]
    assert "reads" in relations.unknown  # a deployment may give the parameter anything


@pytest.mark.parametrize(
    ("resource_", "key"),
    [
        ("!ImportValue core-orders-arn", "core-orders-arn"),
        ("{'Fn::ImportValue': !Sub '${Stage}-OrdersArn'}", "Stage-OrdersArn"),
        ("!Join [/, [!ImportValue core-orders-arn, index/by-day]]", "core-orders-arn"),
        (f"!Sub '{ARN.format('dynamodb', 'table/${Table}')}'", "Table"),
        (f"!Sub '{ARN.format('dynamodb', 'table/shop-${Stage}-orders/index/*')}'", "shop-Stage-orders"),
        ("!Ref TableArn", "TableArn"),
    ],
)
def test_a_table_of_another_stack(resource_: str, key: str) -> None:
    relations = of_role(allow("dynamodb:GetItem", resource_), Parameters=STAGE)
    assert names(relations, "reads") == [f"aws:dynamodb:{key}"]
    assert "reads" in relations.unknown


def test_what_aws_fills_in_is_no_part_of_a_name() -> None:
    arn = ARN.format("dynamodb", "table/${AWS::StackName}-orders")
    assert names(of_role(allow("dynamodb:GetItem", f"!Sub '{arn}'")), "reads") == ["aws:dynamodb:orders"]


def test_what_is_imported_is_named_only_where_the_statement_is_about_one_service() -> None:
    relations = of_role(allow("[dynamodb:GetItem, s3:GetObject]", "!ImportValue core-thing"))
    assert names(relations, "reads") == []
    assert "reads" in relations.unknown


def test_what_another_stack_gives_starts_and_is_sent_to_by_its_name() -> None:
    event = of_f("Events: {E: {Type: SQS, Properties: {Queue: !ImportValue core-jobs}}}")
    assert [start.source for start in event.triggers] == ["aws:sqs:core-jobs"]
    assert "triggers" in event.unknown
    relations = of_role(allow("sqs:SendMessage", "!ImportValue core-jobs"))
    assert names(relations, "sends") == ["aws:sqs:core-jobs"]
    assert relations.unknown["sends"].why == "its role may send to a queue that is not in this file"


def test_what_a_parameter_gives_is_never_shown() -> None:
    relations = of_role(
        allow("s3:GetObject", "!Sub 'arn:aws:s3:::${Stage}-${Name}/*'"),
        Parameters="{Stage: {Type: String, Default: hunter2}, Name: {Type: String}}",
    )
    assert names(relations, "reads") == ["aws:s3:Stage-Name"]


def test_stages_of_a_serverless_file_are_names_too() -> None:
    statements = ", ".join(
        "{Effect: Allow, Action: 'dynamodb:GetItem', "
        f"Resource: 'arn:aws:dynamodb:eu-west-1:123456789012:table/{name}-${{opt:stage, \"dev\"}}'}}"
        for name in ("orders", "people")
    )
    head = f"service: shop\nprovider:\n  name: aws\n  iam: {{role: {{statements: [{statements}]}}}}\n"
    relations = wired(service("functions: {bot: {handler: a.b}}\n", head))[BOT]
    assert names(relations, "reads") == ["aws:dynamodb:orders-opt-stage", "aws:dynamodb:people-opt-stage"]


@pytest.mark.parametrize(
    ("name", "value", "host"),
    [
        ("GEO_HOST", "geo.example.com", ("geo.example.com",)),
        ("SmtpEndpoint", "mail.example.com:587", ("mail.example.com",)),
        ("GEO_HOST", "x.eu-west-1.amazonaws.com", ()),
        ("MODEL", "geo.example.com", ()),
        ("HANDLER_HOST", "app.handler/x", ()),
        ("HOST", "localhost", ()),
        ("DB_HOST", "10.0.0.1", ()),
    ],
)
def test_hosts_without_a_scheme(name: str, value: str, host: tuple[str, ...]) -> None:
    assert of_f(f"Environment: {{Variables: {{{name}: '{value}'}}}}").externals == host


SCHEME = """\
{type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: custom, \
x-amazon-apigateway-authorizer: {type: request, identitySource: method.request.header.Authorization, \
authorizerUri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations'}}"""


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("AWS::Serverless::Api", "StageName: v1, DefinitionBody"),
        ("AWS::Serverless::HttpApi", "DefinitionBody"),
        ("AWS::ApiGateway::RestApi", "Body"),
        ("AWS::ApiGatewayV2::Api", "Body"),
    ],
)
@pytest.mark.parametrize("where", ["components: {securitySchemes: {own: %s}}", "securityDefinitions: {own: %s}"])
def test_an_authorizer_in_the_definition_of_an_api(kind: str, key: str, where: str) -> None:
    body = f"{{openapi: 3.0.1, paths: {{}}, {where % SCHEME}}}"
    api = resource("Api", kind, f"{key}: {body}")
    function = resource("F", "AWS::Serverless::Function", "Handler: a.b, Runtime: python3.13")
    (start,) = with_resources(f"{function}\n{api}")["F"].triggers
    assert (start.by, start.source) == ("authorizes", "Api")


def test_a_scheme_that_cannot_be_read_authorizes_nobody_knows_what() -> None:
    body = "{openapi: 3.0.1, paths: {}, components: {securitySchemes: {own: !ImportValue x}}}"
    api = resource("Api", "AWS::ApiGateway::RestApi", f"Body: {body}")
    function = resource("F", "AWS::Serverless::Function", "Handler: a.b, Runtime: python3.13")
    permission = resource(
        "P", "AWS::Lambda::Permission",
        "FunctionName: !Ref F, Action: 'lambda:InvokeFunction', Principal: apigateway.amazonaws.com",
    )  # fmt: skip
    assert "triggers" in with_resources(f"{function}\n{api}\n{permission}")["F"].unknown


@pytest.mark.parametrize(
    ("event", "by", "key"),
    [
        ("{Type: DynamoDB, Properties: {Stream: !Ref TableArn, StartingPosition: LATEST}}", "store", "aws:dynamodb:"),
        ("{Type: Kinesis, Properties: {Stream: !Ref TableArn, StartingPosition: LATEST}}", "queue", "aws:kinesis:"),
        ("{Type: SQS, Properties: {Queue: !Ref TableArn}}", "queue", "aws:sqs:"),
    ],
)
def test_an_event_says_of_which_service_it_is_where_its_arn_does_not(event: str, by: str, key: str) -> None:
    relations = of_f(f"Events: {{E: {event}}}", Parameters=STAGE)
    assert [(one.by, one.source) for one in relations.triggers] == [(by, f"{key}TableArn")]
    assert "triggers" in relations.unknown


@pytest.mark.parametrize(("more", "sources"), [("", ["aws:sqs:TableArn"]), (", StartingPosition: LATEST", [""])])
def test_only_a_queue_is_polled_from_no_position(more: str, sources: list[str]) -> None:
    """Kinesis or DynamoDB, that is not told: nothing is guessed, and the list is open."""
    mapping = resource("M", "AWS::Lambda::EventSourceMapping", f"FunctionName: !Ref F, EventSourceArn: !Ref P{more}")
    relations = of_f("Handler: a.b", mapping.replace("!Ref P", "!Ref TableArn"), Parameters=STAGE)
    assert [one.source for one in relations.triggers] == sources
    assert "triggers" in relations.unknown


def test_a_stream_of_serverless_says_of_which_service_it_is() -> None:
    stream = "{stream: {type: kinesis, arn: {'Fn::ImportValue': clicks}}}"
    relations = wired(service(f"functions: {{bot: {{handler: a.b, events: [{stream}]}}}}\n"))[BOT]
    assert [(one.by, one.source) for one in relations.triggers] == [("queue", "aws:kinesis:clicks")]


def test_what_sends_nothing_is_no_source() -> None:
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s"
    relations = of_f(f"Events: {{E: {{Type: SQS, Properties: {{Queue: '{secret}'}}}}}}")
    assert [one.source for one in relations.triggers] == [""]
    assert "triggers" in relations.unknown
