"""Copies that are kept long enough, failures that end somewhere: asked of templates and of a plan."""

from __future__ import annotations

import pytest

from tests.evidence.asking import UNKNOWN, answer, found, plan, template

BACKUP = """
Resources:
  Orders: {{Type: AWS::DynamoDB::Table, Properties: {{{table}}}}}
  Plan: {{Type: AWS::Backup::BackupPlan, Properties: {{BackupPlan: {{BackupPlanName: p, BackupPlanRule: {rules}}}}}}}
  Chosen:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: {plan}
      BackupSelection: {{SelectionName: s, Resources: [!GetAtt Orders.Arn]{more}}}
"""
DAILY = "{ScheduleExpression: rate(1 day)%s}"
LOG = "PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: %s}"


@pytest.mark.parametrize(
    ("table", "rules", "plan_id", "more", "expected"),
    [
        ("", f"[{DAILY % ''}]", "!Ref Plan", "", True),
        ("", f"[{DAILY % ', Lifecycle: {DeleteAfterDays: 35}'}]", "!Ref Plan", "", True),
        ("", f"[{DAILY % ', Lifecycle: {DeleteAfterDays: 1}'}]", "!Ref Plan", "", False),
        ("", "[{Lifecycle: {DeleteAfterDays: 35}}]", "!Ref Plan", "", False),
        ("", "[]", "!Ref Plan", "", False),
        ("", f"[{DAILY % ''}]", "!ImportValue plan", "", UNKNOWN),
        ("", f"[{DAILY % ''}]", "!Ref Plan", ", NotResources: [!GetAtt Orders.Arn]", UNKNOWN),
        ("", f"[{DAILY % ''}]", "!Ref Plan", ", Conditions: {StringEquals: [{ConditionKey: a}]}", UNKNOWN),
        (LOG % "true", "[]", "!Ref Plan", "", True),
        (LOG % "true, RecoveryPeriodInDays: 1", "[]", "!Ref Plan", "", False),
        (LOG % "true, RecoveryPeriodInDays: !ImportValue days", "[]", "!Ref Plan", "", UNKNOWN),
        (LOG % "false", "[]", "!Ref Plan", "", False),
    ],
)
def test_recovery(table: str, rules: str, plan_id: str, more: str, expected: object) -> None:
    text = BACKUP.format(table=table, rules=rules, plan=plan_id, more=more)
    assert answer(found(template(text), "store", "recovery")) == expected


@pytest.mark.parametrize(
    ("tries", "expected"), [("5", True), ("100", True), ("1000", False), ("!ImportValue x", UNKNOWN)]
)
def test_dead_letters_after_few_tries(tries: str, expected: object) -> None:
    text = f"""
  Dead: {{Type: AWS::SQS::Queue}}
  Jobs:
    Type: AWS::SQS::Queue
    Properties: {{RedrivePolicy: {{deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: {tries}}}}}
"""
    assert answer(found(template(text), "queue", "dead_letter_queue", "Jobs")) == expected


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        ("", False),
        (", MaximumRetryAttempts: -1", False),
        (", MaximumRetryAttempts: 5", True),
        (", MaximumRecordAgeInSeconds: 3600", True),
        (", MaximumRetryAttempts: 10000", False),
        (", MaximumRecordAgeInSeconds: 604800", False),
        (", MaximumRetryAttempts: !ImportValue x", UNKNOWN),
    ],
)
def test_failures_of_a_stream(bound: str, expected: object) -> None:
    text = """
  Events: {Type: AWS::Kinesis::Stream}
  Dead: {Type: AWS::SQS::Queue}
  Map:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: bot
      EventSourceArn: !GetAtt Events.Arn
      DestinationConfig: {OnFailure: {Destination: !GetAtt Dead.Arn}}
"""
    text = text.replace("      FunctionName: bot\n", f"      FunctionName: bot\n{bound.replace(', ', '      ')}\n")
    assert answer(found(template(text), "queue", "dead_letter_queue", "Events")) == expected


def test_a_plan() -> None:
    text = "aws_dynamodb_table.orders: {point_in_time_recovery: [{enabled: true, recovery_period_in_days: %s}]}"
    assert answer(found(plan(text % 35), "store", "recovery")) is True
    assert answer(found(plan(text % 1), "store", "recovery")) is False


STREAM = """
  Failed: {{Type: AWS::SQS::Queue}}
  Changes:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Worker
      EventSourceArn: arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026
      {position}
      {more}
  Worker: {{Type: AWS::Lambda::Function, Properties: {{Handler: a.b{dead}}}}}
{beside}
"""
KEPT = "{DestinationConfig: {OnFailure: {Destination: !GetAtt Failed.Arn}}, MaximumRetryAttempts: 3}"
DEAD = ", DeadLetterConfig: {TargetArn: !GetAtt Failed.Arn}"
TOPIC = "  Told: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Worker, Principal: %s}}"


@pytest.mark.parametrize(
    ("position", "kept", "dead", "beside", "expected"),
    [
        ("StartingPosition: LATEST", True, "", "", True),
        ("StartingPosition: LATEST", True, "", TOPIC % "apigateway.amazonaws.com", True),
        ("StartingPosition: LATEST", True, "", TOPIC % "sns.amazonaws.com", False),
        ("StartingPosition: LATEST", True, DEAD, TOPIC % "sns.amazonaws.com", True),
        ("StartingPosition: LATEST", False, DEAD, "", False),
        ("StartingPosition: LATEST", False, "", "", False),
        ("", False, DEAD, "", True),
        ("", False, "", "", False),
    ],
)
def test_failures_of_a_stream_are_kept_by_its_mapping(
    position: str, kept: bool, dead: str, beside: str, expected: object
) -> None:
    more = KEPT[1:-1].replace(", Max", "\n      Max") if kept else "Enabled: true"
    text = STREAM.format(position=position or "BatchSize: 1", more=more, dead=dead, beside=beside)
    assert answer(found(template(text), "function", "failure_destination", "Worker")) == expected


def test_provisioned_pollers_bound_a_queue_in_a_way_that_is_not_told() -> None:
    text = """
  Jobs: {Type: AWS::SQS::Queue}
  Works:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: f, EventSourceArn: !GetAtt Jobs.Arn, ProvisionedPollerConfig: {MaximumPollers: 2}}
"""
    assert answer(found(template(text), "queue", "consumer_concurrency", "Jobs")) == UNKNOWN


def test_a_pipe_takes_from_a_queue_without_a_bound_that_is_told() -> None:
    text = """
  Jobs: {Type: AWS::SQS::Queue}
  Works:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: f, EventSourceArn: !GetAtt Jobs.Arn, ScalingConfig: {MaximumConcurrency: 2}}
  Pipe: {Type: AWS::Pipes::Pipe, Properties: {Source: !GetAtt Jobs.Arn, Target: other}}
"""
    assert answer(found(template(text), "queue", "consumer_concurrency", "Jobs")) == UNKNOWN
