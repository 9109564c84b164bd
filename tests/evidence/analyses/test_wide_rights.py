"""What a right over every resource is told as: all of it, where it comes from, and what to write instead."""

from __future__ import annotations

import pytest

from tests.evidence.policies.stating import MAPPINGS, allow, asked, document, read
from threatmodel.evidence.answers import Answered
from threatmodel.evidence.mappings.stack_facts import StackFacts

BOT = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Jobs: {Type: AWS::SQS::Queue}
  Orders: {Type: AWS::DynamoDB::Table}
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: a.b
      CodeUri: .
"""
STARTED = "      Events: {Job: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}}\n"


def note(more: str) -> str:
    stack = read(BOT + more)
    outcome = StackFacts(stack, MAPPINGS).of("function", stack.resources["Bot"])["role_wildcard_resource"]
    assert isinstance(outcome, Answered)
    assert outcome.value is True
    return outcome.note


def test_what_sam_attaches_by_itself_is_told_as_that() -> None:
    assert note(STARTED) == (
        "AWSLambdaSQSQueueExecutionRole, which SAM attaches to the role that it creates, allows sqs:ReceiveMessage, "
        "sqs:DeleteMessage on every resource; "
        "use instead: a role that allows the actions of SQSPollerPolicy on one resource"
    )


def test_a_managed_policy_that_the_author_attaches_has_a_template_that_fits() -> None:
    found = note("      Policies: [AWSLambdaSQSQueueExecutionRole]\n")
    assert found.startswith("AWSLambdaSQSQueueExecutionRole, an AWS managed policy, allows sqs:ReceiveMessage")
    assert found.endswith("use instead: SQSPollerPolicy")


def test_what_the_variables_name_is_what_to_name() -> None:
    policy = "Statement: [{Effect: Allow, Action: 'dynamodb:PutItem', Resource: '*'}]"
    text = f"      Environment: {{Variables: {{ORDERS: !Ref Orders}}}}\n      Policies: [{{{policy}}}]\n"
    assert note(text) == "a statement allows dynamodb:PutItem on every resource; use instead: the ARN of Orders"


@pytest.mark.parametrize("name", ["wildcard-action", "wildcard-resource"])
def test_all_reasons_are_told_at_once(name: str) -> None:
    outcome = asked(name, ("policy", document(allow("s3:*"), allow("dynamodb:*"))))
    assert isinstance(outcome, Answered)
    assert "s3" in outcome.note
    assert "dynamodb" in outcome.note


def test_the_weightiest_action_comes_first() -> None:
    actions = ["dynamodb:UpdateTable", "dynamodb:PutItem", "secretsmanager:GetSecretValue"]
    outcome = asked("wildcard-resource", ("policy", document(allow(actions))))
    assert isinstance(outcome, Answered)
    assert outcome.note == (
        "a statement allows secretsmanager:GetSecretValue, dynamodb:PutItem, dynamodb:UpdateTable on every resource"
    )


def test_patterns_of_actions_and_resources_are_told_as_they_are_written() -> None:
    outcome = asked("wildcard-resource", ("policy", document(allow(["logs:*", "lambda:*"]))))
    assert isinstance(outcome, Answered)
    assert outcome.note == "a statement allows lambda:*, logs:* on every resource"
    tables = "arn:aws:dynamodb:eu-west-1:*:*"
    outcome = asked("wildcard-resource", ("policy", document({**allow("dynamodb:PutItem"), "Resource": tables})))
    assert isinstance(outcome, Answered)
    assert outcome.note == f"a statement allows dynamodb:PutItem on every resource of {tables}"


@pytest.mark.parametrize(
    ("actions", "everywhere", "beyond"),
    [
        (["sqs:ReceiveMessage", "sqs:DeleteMessage"], True, False),
        (["kinesis:GetRecords", "dynamodb:GetRecords"], True, False),
        (["sqs:ReceiveMessage", "sqs:SendMessage"], True, True),
        (["sqs:*"], True, True),
        (["dynamodb:Get*"], True, True),
        (["s3:GetObject"], True, True),
        (["logs:PutLogEvents"], False, False),
    ],
)
def test_what_polls_event_sources_is_told_from_the_rest(actions: list[str], everywhere: bool, beyond: bool) -> None:
    for name, wanted in (("wildcard-resource", everywhere), ("wildcard-beyond-polling", beyond)):
        outcome = asked(name, ("policy", document(allow(actions))))
        assert isinstance(outcome, Answered)
        assert outcome.value is wanted


def test_everything_but_something_goes_beyond_polling() -> None:
    statement = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    outcome = asked("wildcard-beyond-polling", ("policy", document(statement)))
    assert isinstance(outcome, Answered)
    assert outcome.value is True
