"""What elements hand on by themselves, with no function between."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.evidence.relations.stacks_of import MAPPINGS, QUEUE, resource, stack_of
from tests.stacks.terraform.planning import plan, references
from tests.stacks.terraform.planning import resource as planned
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.relations.passing import passed_on
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.terraform import reader as terraform

API = resource("A", "AWS::ApiGateway::RestApi", "Name: a")
HTTP = resource("H", "AWS::ApiGatewayV2::Api", "Name: h, ProtocolType: HTTP")
MACHINE = resource("M", "AWS::StepFunctions::StateMachine", "RoleArn: r, DefinitionString: '{}'")
TOPIC = resource("T", "AWS::SNS::Topic")
BUS = resource("B", "AWS::Events::EventBus", "Name: b")
BUCKET = resource("S", "AWS::S3::Bucket")
TABLE = resource("D", "AWS::DynamoDB::Table")
FUNCTION = resource("F", "AWS::Serverless::Function", "Handler: a.b")
TO_SQS = "!Sub 'arn:aws:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/${Q.QueueName}'"


def passed(stack: Stack) -> list[tuple[str, str]]:
    return [one[:2] for one in passed_on(stack, StackFacts(stack, MAPPINGS))]


def of(*resources: str) -> list[tuple[str, str]]:
    lines = "".join(f"  {line}\n" for one in resources for line in one.strip().split("\n"))
    return passed(stack_of(f"Transform: AWS::Serverless-2016-10-31\nResources:\n{lines}"))


def method(integration: str) -> str:
    given = f"RestApiId: !Ref A, ResourceId: x, HttpMethod: POST, Integration: {{{integration}}}"
    return resource("P", "AWS::ApiGateway::Method", given)


@pytest.mark.parametrize(
    ("integration", "others", "to"),
    [
        pytest.param(f"Type: AWS, Uri: {TO_SQS}", (QUEUE,), "Q", id="queue"),
        pytest.param(
            "Type: AWS, Uri: 'arn:aws:apigateway:eu-west-1:sqs:path/123456789012/jobs'",
            (resource("Q", "AWS::SQS::Queue", "QueueName: jobs"),),
            "Q",
            id="queue by its name",
        ),
        pytest.param(
            "Type: AWS, Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:states:action/StartExecution', "
            'RequestTemplates: {application/json: !Sub \'{"stateMachineArn": "${M}"}\'}',
            (MACHINE,),
            "M",
            id="state machine in a template",
        ),
        pytest.param(
            "Type: AWS, Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:dynamodb:action/PutItem'",
            (TABLE,),
            "aws:dynamodb:",
            id="service alone",
        ),
        pytest.param(
            "Type: AWS, "
            "Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations'",
            (FUNCTION,),
            "",
            id="function",
        ),
        pytest.param("Type: HTTP_PROXY, Uri: 'https://example.org/a:path/b'", (), "host:example.org", id="address"),
        pytest.param("Type: MOCK", (), "", id="mock"),
    ],
)
def test_a_method_leads_to_a_service(integration: str, others: Sequence[str], to: str) -> None:
    assert of(API, method(integration), *others) == ([("A", to)] if to else [])


def test_a_method_that_may_not_exist_hands_on_nothing_for_sure() -> None:
    one = method(f"Type: AWS, Uri: {TO_SQS}").replace("Properties", "Condition: C, Properties")
    text = (
        f"Parameters: {{P: {{Type: String}}}}\nConditions: {{C: !Equals [!Ref P, x]}}\nResources:\n  {API}\n  {QUEUE}\n"
    )
    assert passed(stack_of(f"{text}  {one}\n")) == []


@pytest.mark.parametrize("kind", ["Api", "HttpApi"])
def test_routes_of_a_definition(kind: str) -> None:
    integration = f"{{x-amazon-apigateway-integration: {{type: aws, httpMethod: POST, uri: {TO_SQS}}}}}"
    body = f"{{openapi: 3.0.1, paths: {{/a: {{post: {integration}}}}}}}"
    assert of(QUEUE, resource("A", f"AWS::Serverless::{kind}", f"StageName: p, DefinitionBody: {body}")) == [("A", "Q")]


@pytest.mark.parametrize(
    ("subtype", "parameters", "to"),
    [
        ("SQS-SendMessage", "QueueUrl: !Ref Q", "Q"),
        ("EventBridge-PutEvents", "Source: x", "aws:events:default"),
        ("StepFunctions-StartExecution", "StateMachineArn: !Ref M", "M"),
        ("Kinesis-PutRecord", "StreamName: s", "aws:kinesis:"),
    ],
)
def test_an_integration_of_an_http_api(subtype: str, parameters: str, to: str) -> None:
    settings = f"ApiId: !Ref H, IntegrationType: AWS_PROXY, IntegrationSubtype: {subtype}"
    one = resource("I", "AWS::ApiGatewayV2::Integration", f"{settings}, RequestParameters: {{{parameters}}}")
    assert of(HTTP, QUEUE, MACHINE, one) == [("H", to)]


@pytest.mark.parametrize(
    ("one", "pair"),
    [
        pytest.param(
            resource(
                "R",
                "AWS::Events::Rule",
                "EventBusName: !Ref B, EventPattern: {a: [b]}, Targets: [{Id: i, Arn: !GetAtt Q.Arn}]",
            ),
            ("B", "Q"),
            id="rule",
        ),
        pytest.param(
            resource("R", "AWS::Events::Rule", "EventPattern: {a: [b]}, Targets: [{Id: i, Arn: !Ref M, RoleArn: r}]"),
            ("aws:events:default", "M"),
            id="rule of the default bus",
        ),
        pytest.param(
            resource("N", "AWS::SNS::Subscription", "TopicArn: !Ref T, Protocol: sqs, Endpoint: !GetAtt Q.Arn"),
            ("T", "Q"),
            id="subscription",
        ),
        pytest.param(
            resource("U", "AWS::SNS::Topic", "Subscription: [{Protocol: sqs, Endpoint: !GetAtt Q.Arn}]"),
            ("U", "Q"),
            id="subscription in the topic",
        ),
        pytest.param(
            resource(
                "V",
                "AWS::S3::Bucket",
                "NotificationConfiguration: {QueueConfigurations: [{Event: e, Queue: !GetAtt Q.Arn}]}",
            ),
            ("V", "Q"),
            id="bucket",
        ),
        pytest.param(
            resource("P", "AWS::Pipes::Pipe", "Source: !GetAtt Q.Arn, Target: !Ref M, RoleArn: r"),
            ("Q", "M"),
            id="pipe",
        ),
    ],
)
def test_what_elements_hand_on(one: str, pair: tuple[str, str]) -> None:
    assert of(QUEUE, MACHINE, TOPIC, BUS, BUCKET, one) == [pair]


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(
            resource(
                "R", "AWS::Events::Rule", "ScheduleExpression: rate(1 day), Targets: [{Id: i, Arn: !GetAtt Q.Arn}]"
            ),
            id="the clock is no element",
        ),
        pytest.param(
            resource("N", "AWS::SNS::Subscription", "TopicArn: !Ref T, Protocol: email, Endpoint: a@example.org"),
            id="mail",
        ),
        pytest.param(
            resource("N", "AWS::SNS::Subscription", "TopicArn: !Ref T, Protocol: lambda, Endpoint: !GetAtt F.Arn"),
            id="a function is started by it",
        ),
        pytest.param(
            resource("P", "AWS::Pipes::Pipe", "Source: !GetAtt Q.Arn, Target: !GetAtt F.Arn, RoleArn: r"),
            id="pipe to a function",
        ),
    ],
)
def test_what_is_no_handing_on(one: str) -> None:
    assert of(QUEUE, TOPIC, FUNCTION, one) == []


def test_a_plan() -> None:
    """The state machine's ARN is known only after apply, and stands in a text: the configuration says whose it is."""
    found = plan(
        [
            planned("aws_api_gateway_rest_api.a", {"name": "a"}, unknown={"id": True}),
            planned("aws_sqs_queue.q", {"name": "jobs"}, unknown={"arn": True}),
            planned(
                "aws_api_gateway_integration.i",
                {"type": "AWS", "uri": "arn:aws:apigateway:eu-west-1:sqs:path/123456789012/jobs"},
                unknown={"rest_api_id": True},
            ),
            planned(
                "aws_api_gateway_integration.j",
                {"type": "AWS", "uri": "arn:aws:apigateway:eu-west-1:states:action/StartExecution"},
                unknown={"rest_api_id": True, "request_templates": True},
            ),
            planned("aws_sns_topic.t", {"name": "t"}, unknown={"arn": True}),
            planned("aws_sns_topic_subscription.s", {"protocol": "sqs"}, unknown={"topic_arn": True, "endpoint": True}),
            planned("aws_sfn_state_machine.m", {"name": "m", "definition": "{}"}, unknown={"arn": True}),
            planned("aws_pipes_pipe.p", {"name": "p"}, unknown={"source": True, "target": True}),
        ],
        {
            "aws_api_gateway_integration.i": {"rest_api_id": references("aws_api_gateway_rest_api.a.id")},
            "aws_api_gateway_integration.j": {
                "rest_api_id": references("aws_api_gateway_rest_api.a.id"),
                "request_templates": references("aws_sfn_state_machine.m.arn"),
            },
            "aws_sns_topic_subscription.s": {
                "topic_arn": references("aws_sns_topic.t.arn"),
                "endpoint": references("aws_sqs_queue.q.arn"),
            },
            "aws_pipes_pipe.p": {
                "source": references("aws_sqs_queue.q.arn"),
                "target": references("aws_sfn_state_machine.m.arn"),
            },
        },
    )
    assert passed(terraform.read(json.dumps(found), "plan.json")) == [
        ("aws_api_gateway_rest_api.a", "aws_sqs_queue.q"),
        ("aws_api_gateway_rest_api.a", "aws_sfn_state_machine.m"),
        ("aws_sns_topic.t", "aws_sqs_queue.q"),
        ("aws_sqs_queue.q", "aws_sfn_state_machine.m"),
    ]
