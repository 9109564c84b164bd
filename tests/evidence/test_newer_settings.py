"""Settings that AWS added of late, where a template states them."""

from __future__ import annotations

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, template

FUNCTION = """
  Bot: {{Type: AWS::Lambda::Function, Properties: {{Handler: a.b{more}}}}}
{beside}
"""
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
        ("keeps_workflow_state", ", DurableConfig: {ExecutionTimeout: 3600}", "", True),
        ("keeps_workflow_state", "", "", NOTHING),
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
