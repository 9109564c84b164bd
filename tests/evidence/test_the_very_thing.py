"""What a proof looks at is the very thing: its own log group, its own layer, a source of one account."""

from __future__ import annotations

import pytest

from tests.evidence.asking import UNKNOWN, answer, found, places, template
from threatmodel.evidence.mappings.stack_facts import StackFacts

LOGS = """
  Function: {Type: AWS::Lambda::Function, Properties: {FunctionName: the-bot}}
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: %s, RetentionInDays: 90%s}}
"""


def retention(logs: str) -> object:
    stack = template(logs)
    facts = StackFacts(stack, places())
    return answer(facts.fact("function", stack.resources["Function"], "log_retention_days"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/aws/lambda/the-bot", 90),
        ("!Sub '/aws/lambda/${Function}'", 90),
        ("!Join ['', [/aws/lambda/, !Ref Function]]", 90),
        ("!Sub '/audit/${Function}'", None),
        ("/audit/the-bot", None),
        ("the-bot", None),
        ("!Ref Function", None),
        ("!Sub '/aws/lambda/${Function}/audit-of-${Group}'", None),
    ],
)
def test_the_log_group_of_a_function_is_the_one_that_it_writes_to(name: str, expected: int | None) -> None:
    assert retention(LOGS % (name, "")) == expected


def test_a_log_group_that_hands_its_events_on_keeps_none() -> None:
    for kind, expected in (("STANDARD", 90), ("INFREQUENT_ACCESS", 90), ("DELIVERY", UNKNOWN)):
        assert retention(LOGS % ("/aws/lambda/the-bot", f", LogGroupClass: {kind}")) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("ContentUri: layer/", True),
        ("Content: {S3Bucket: !Ref Code, S3Key: a.zip}", True),
        ("Content: {S3Bucket: !Sub 'cdk-assets-${AWS::AccountId}', S3Key: a.zip}", True),
        ("Content: {S3Bucket: someone-elses, S3Key: a.zip}", UNKNOWN),
        ("Content: {S3Bucket: !ImportValue code, S3Key: a.zip}", UNKNOWN),
        ("ContentUri: s3://someone-elses/a.zip", UNKNOWN),
        ("ContentUri: {Bucket: someone-elses, Key: a.zip}", UNKNOWN),
    ],
)
def test_a_layer_from_another_bucket_is_not_surely_this_account_s(content: str, expected: object) -> None:
    stack = template(f"""
  Code: {{Type: AWS::S3::Bucket}}
  Shared: {{Type: AWS::Serverless::LayerVersion, Properties: {{{content}}}}}
  Function: {{Type: AWS::Lambda::Function, Properties: {{Layers: [!Ref Shared]}}}}
""")
    assert answer(found(stack, "function", "layers_pinned_and_trusted")) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("SourceArn: 'arn:aws:sns:eu-west-1:123456789012:topic'", True),
        ("SourceArn: 'arn:aws:s3:::bucket', SourceAccount: '123456789012'", True),
        ("SourceArn: 'arn:aws:s3:::bucket'", False),
        ("SourceArn: 'arn:aws:sns:*:*:topic'", False),
        ("SourceArn: 'arn:aws:execute-api:eu-west-1:*:api/*'", False),
    ],
)
@pytest.mark.parametrize("principal", ["'*'", "sns.amazonaws.com"])
def test_a_source_of_any_account_is_not_pinned_whoever_calls(principal: str, source: str, expected: object) -> None:
    stack = template(f"""
  Function: {{Type: AWS::Lambda::Function, Properties: {{}}}}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {{FunctionName: !Ref Function, Action: lambda:InvokeFunction, Principal: {principal}, {source}}}
""")
    assert answer(found(stack, "function", "invoke_source_pinned")) == expected
