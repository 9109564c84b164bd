"""Settings that AWS added of late, where a template states them."""

from __future__ import annotations

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, template

FUNCTION = """
  Bot: {{Type: AWS::Lambda::Function, Properties: {{Handler: a.b{more}}}}}
{beside}
"""
METHOD = """\
  Read:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: a, ResourceId: r, HttpMethod: GET, Integration: {Type: AWS, Uri: !GetAtt Bot.Arn%s}}"""
HTTP = "  Way: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: a, IntegrationUri: !GetAtt Bot.Arn}}"
ALIAS = "  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Bot, FunctionVersion: '1', Name: live}}"
OF_ALIAS = "  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref Live, InvokeMode: RESPONSE_STREAM}}"
VARIABLES = ", Environment: {Variables: {A: b}}"
URL = "  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref Bot, AuthType: NONE, InvokeMode: %s}}"


@pytest.mark.parametrize(
    ("fact", "more", "beside", "expected"),
    [
        ("snap_start", ", SnapStart: {ApplyOn: PublishedVersions}", "", True),
        ("snap_start", ", SnapStart: {ApplyOn: None}", "", False),
        ("snap_start", "", "", False),
        ("snap_start", ", SnapStart: {ApplyOn: !ImportValue x}", "", UNKNOWN),
        ("streams_responses", "", URL % "RESPONSE_STREAM", True),
        ("streams_responses", "", URL % "BUFFERED", False),
        ("streams_responses", "", "", NOTHING),
        ("streams_responses", "", METHOD % "", False),
        ("streams_responses", "", METHOD % ", ResponseTransferMode: BUFFERED", False),
        ("streams_responses", "", METHOD % ", ResponseTransferMode: STREAM", True),
        ("streams_responses", "", METHOD % ", ResponseTransferMode: !ImportValue x", UNKNOWN),
        ("streams_responses", "", HTTP, False),
        ("streams_responses", "", f"{HTTP}\n{URL % 'RESPONSE_STREAM'}", True),
        ("streams_responses", "", f"{METHOD % ', ResponseTransferMode: STREAM'}\n{URL % 'BUFFERED'}", True),
        ("streams_responses", "", f"{ALIAS}\n{OF_ALIAS}", True),
        ("runs_at_edge", "", "", NOTHING),
        ("runs_at_edge", VARIABLES, "", False),
        ("runs_at_edge", ", Environment: {Variables: {}}", "", NOTHING),
        ("runs_at_edge", ", Layers: ['arn:aws:lambda:us-east-1:1:layer:x:1']", "", False),
        ("runs_at_edge", ", VpcConfig: {SubnetIds: [s], SecurityGroupIds: [g]}", "", False),
        ("runs_at_edge", ", DeadLetterConfig: {TargetArn: x}", "", False),
        ("keeps_workflow_state", ", DurableConfig: {ExecutionTimeout: 3600}", "", True),
        ("keeps_workflow_state", "", "", NOTHING),
        ("durable", ", DurableConfig: {ExecutionTimeout: 3600}", "", True),
        ("durable", ", DurableConfig: !ImportValue x", "", UNKNOWN),
        ("durable", "", "", False),
    ],
)
def test_of_a_function(fact: str, more: str, beside: str, expected: object) -> None:
    text = FUNCTION.format(more=more, beside=beside)
    assert answer(found(template(text), "function", fact, "Bot")) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("KmsMasterKeyId: alias/aws/sqs", False),
        ("SqsManagedSseEnabled: true", False),
        ("KmsMasterKeyId: !GetAtt Key.Arn", True),
        ("KmsMasterKeyId: !ImportValue key", UNKNOWN),
    ],
)
def test_key_of_a_queue(key: str, expected: object) -> None:
    policy = "{Version: '2012-10-17', Statement: []}"
    text = f"""
  Key: {{Type: AWS::KMS::Key, Properties: {{KeyPolicy: {policy}}}}}
  Jobs: {{Type: AWS::SQS::Queue, Properties: {{{key}}}}}
"""
    assert answer(found(template(text), "queue", "customer_managed_key", "Jobs")) == expected


@pytest.mark.parametrize(("required", "expected"), [("true", True), ("false", UNKNOWN)])
def test_api_keys_are_seen_where_they_are_asked_for(required: str, expected: object) -> None:
    text = f"""
  Api: {{Type: AWS::ApiGateway::RestApi, Properties: {{Name: api}}}}
  Read:
    Type: AWS::ApiGateway::Method
    Properties: {{RestApiId: !Ref Api, ResourceId: r, HttpMethod: GET, ApiKeyRequired: {required}}}
"""
    assert answer(found(template(text), "api", "api_key_required", "Api")) == expected
