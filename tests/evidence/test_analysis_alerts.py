"""Whether somebody hears of a change of the functions or their rights, and of a finding, in time."""

from __future__ import annotations

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, plan, template

TARGET = "Targets: [{Id: a, Arn: !Ref Topic}]"
LAMBDA_NAMES = "[{prefix: UpdateFunction}, {prefix: AddPermission}]"
IAM_NAMES = "[AttachRolePolicy, PutRolePolicy, UpdateAssumeRolePolicy]"


def rules(*properties: str) -> str:
    head = """
Parameters: {Stage: {Type: String, Default: prod}}
Conditions: {Prod: !Equals [!Ref Stage, prod]}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: email, Endpoint: a@example.com}]}}
  LetIn:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: [events.amazonaws.com, cloudwatch.amazonaws.com]}, Action: sns:Publish}
"""
    return head + "".join(f"  Rule{n}: {{Type: AWS::Events::Rule, {one}}}\n" for n, one in enumerate(properties))


def watching(service: str, detail: str, more: str = TARGET) -> str:
    pattern = f"source: [aws.{service}], detail-type: [AWS API Call via CloudTrail], detail: {detail}"
    return f"Properties: {{EventPattern: {{{pattern}}}, {more}}}"


FOR_LAMBDA = watching("lambda", f"{{eventName: {LAMBDA_NAMES}}}")
FOR_IAM = watching("iam", f"{{eventName: {IAM_NAMES}}}")
BUT_DEPLOY = "userIdentity: {sessionContext: {sessionIssuer: {userName: [{anything-but: [deploy]}, {exists: false}]}}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rules(FOR_LAMBDA, FOR_IAM), True),
        (rules(FOR_LAMBDA), UNKNOWN),
        (rules(), NOTHING),
        (rules(watching("lambda", f"{{eventName: {LAMBDA_NAMES}, {BUT_DEPLOY}}}"), FOR_IAM), True),
        (rules(watching("lambda", "{readOnly: [false]}"), FOR_IAM), True),
        # CloudTrail adds a date to Lambda's names: without prefix nothing fits
        (rules(watching("lambda", "{eventName: [UpdateFunctionCode, AddPermission]}"), FOR_IAM), UNKNOWN),
        (
            rules(watching("lambda", "{userIdentity: {type: [Root]}}"), watching("iam", "{}", "State: DISABLED")),
            UNKNOWN,
        ),
        (rules(watching("lambda", "{requestParameters: {functionName: [a]}}"), FOR_IAM), UNKNOWN),
        (rules(watching("lambda", f"{{eventName: {LAMBDA_NAMES}, errorCode: [AccessDenied]}}"), FOR_IAM), UNKNOWN),
        (rules(watching("lambda", f"{{eventName: {LAMBDA_NAMES}, errorCode: [{{exists: false}}]}}"), FOR_IAM), True),
        (rules(FOR_LAMBDA, watching("iam", f"{{eventName: {IAM_NAMES}, managementEvent: [false]}}")), UNKNOWN),
        (rules(FOR_LAMBDA, watching("iam", f"{{eventName: {IAM_NAMES}}}", "Targets: []")), UNKNOWN),
        (rules(FOR_LAMBDA, watching("iam", f"{{eventName: {IAM_NAMES}}}", f"State: DISABLED, {TARGET}")), UNKNOWN),
        (rules(FOR_LAMBDA, watching("iam", "{}", f"EventBusName: other, {TARGET}")), UNKNOWN),
        (rules(FOR_LAMBDA, f"Condition: Prod, {FOR_IAM}"), UNKNOWN),
        (rules("Properties: {EventPattern: {source: [aws.lambda, aws.iam]}, " + TARGET + "}"), True),
        (rules("Properties: {ScheduleExpression: rate(1 day), " + TARGET + "}"), NOTHING),
        (
            rules(
                watching("iam", f"{{$or: [{{eventName: [PutRolePolicy]}}, {{eventName: {IAM_NAMES}}}]}}"), FOR_LAMBDA
            ),
            True,
        ),
    ],
)
def test_alerts_on_changes(text: str, expected: object) -> None:
    outcome = found(template(text), "account", "function_change_alerts")
    assert answer(outcome) == expected


FILTER = """
  Filter:
    Type: AWS::Logs::MetricFilter
    Properties:
      FilterPattern: '{pattern}'
      MetricTransformations: [{{MetricName: changes, MetricNamespace: audit, MetricValue: "1"}}]
  Alarm: {{Type: AWS::CloudWatch::Alarm, Properties: {{MetricName: {metric}, Namespace: audit, {actions}, Period: 300,
    EvaluationPeriods: 1, ComparisonOperator: GreaterThanOrEqualToThreshold, Threshold: 1}}}}
  Topic: {{Type: AWS::SNS::Topic, Properties: {{Subscription: [{{Protocol: email, Endpoint: a@example.com}}]}}}}
"""
COUNTED = (
    "{ ($.eventSource = lambda.amazonaws.com || $.eventSource = iam.amazonaws.com) && ($.eventName = UpdateFunction* ||"
    " $.eventName = AddPermission* || $.eventName = *RolePolicy) }"
)


@pytest.mark.parametrize(
    ("pattern", "metric", "actions", "expected"),
    [
        (COUNTED, "changes", "AlarmActions: [!Ref Topic]", True),
        (COUNTED, "changes", "AlarmActions: [!Ref Topic], ActionsEnabled: false", NOTHING),
        (COUNTED, "other", "AlarmActions: [!Ref Topic]", NOTHING),
        (COUNTED, "changes", "OKActions: [x]", NOTHING),
        ("{ $.eventName = AttachRolePolicy }", "changes", "AlarmActions: [!Ref Topic]", NOTHING),
        (
            "{ $.userIdentity.type = Root && $.eventSource = iam.amazonaws.com }",
            "changes",
            "AlarmActions: [!Ref Topic]",
            UNKNOWN,
        ),
        (COUNTED + " && ($.errorCode = AccessDenied)", "changes", "AlarmActions: [!Ref Topic]", UNKNOWN),
        (COUNTED + " && ($.readOnly IS TRUE)", "changes", "AlarmActions: [!Ref Topic]", UNKNOWN),
        (COUNTED + " && ($.errorCode NOT EXISTS)", "changes", "AlarmActions: [!Ref Topic]", True),
        ("{ $.eventName != PutRolePolicy }", "changes", "AlarmActions: [!Ref Topic]", UNKNOWN),
    ],
)
def test_alerts_by_metric_filters(pattern: str, metric: str, actions: str, expected: object) -> None:
    text = FILTER.format(pattern=pattern, metric=metric, actions=actions)
    assert answer(found(template(text), "account", "function_change_alerts")) == expected


@pytest.mark.parametrize(
    ("weaker", "by"),
    [
        ("[{Protocol: email, Endpoint: a@example.com}]", "[]"),
        ("Period: 300", "Period: 86400"),
        ("Threshold: 1", "Threshold: 1000000"),
        ("Subscription:", "KmsMasterKeyId: alias/aws/sns, Subscription:"),
    ],
)
def test_alerts_that_nobody_hears_in_time(weaker: str, by: str) -> None:
    text = FILTER.format(pattern=COUNTED, metric="changes", actions="AlarmActions: [!Ref Topic]")
    assert answer(found(template(text), "account", "function_change_alerts")) is True
    assert text.count(weaker) == 1
    assert answer(found(template(text.replace(weaker, by)), "account", "function_change_alerts")) in {UNKNOWN, NOTHING}


def test_alerts_of_a_plan() -> None:
    text = """
aws_cloudwatch_event_rule.a:
  name: a
  state: %s
  event_pattern: '{"source": ["aws.lambda", "aws.iam"], "detail": {"readOnly": [false]}}'
aws_cloudwatch_event_target.a: {rule: %s, arn: "${aws_sns_topic.t.arn}"}
aws_sns_topic.t: {name: t}
aws_sns_topic_subscription.t: {topic_arn: "${aws_sns_topic.t.arn}", protocol: email, endpoint: a@example.com}
aws_sns_topic_policy.t:
  arn: "${aws_sns_topic.t.arn}"
  policy: '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:*"}]}'
"""
    by_link = '"${aws_cloudwatch_event_rule.a.name}"'
    assert answer(found(plan(text % ("ENABLED", by_link)), "account", "function_change_alerts")) is True
    assert answer(found(plan(text % ("ENABLED", "a")), "account", "function_change_alerts")) is True
    assert answer(found(plan(text % ("ENABLED", "b")), "account", "function_change_alerts")) == NOTHING
    assert answer(found(plan(text % ("DISABLED", by_link)), "account", "function_change_alerts")) == NOTHING


LOW = "{severity: [1]}, "


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{source: [aws.guardduty], detail-type: [GuardDuty Finding]}", True),
        ('{source: [aws.guardduty], detail: {severity: [{numeric: [">=", 4]}]}}', True),
        ('{source: [aws.guardduty], detail: {severity: [{numeric: ["<", 4]}]}}', NOTHING),
        ('{source: [aws.guardduty], detail: {$or: [{severity: [{numeric: [">=", 4]}]}, {type: [a]}]}}', True),
        (f"{{source: [aws.guardduty], detail: {{$or: [{LOW * 50}{{severity: [{{numeric: ['>=', 4]}}]}}]}}}}", UNKNOWN),
        ("{source: [aws.guardduty], detail: {severity: [8]}}", NOTHING),
        ('{source: [aws.guardduty], detail: {severity: [{numeric: [">=", 9]}]}}', NOTHING),
        ('{source: [aws.guardduty], detail: {severity: [{numeric: [">=", 7, "<", 9]}]}}', NOTHING),
        ("{source: [aws.guardduty], detail: {type: [a]}}", UNKNOWN),
        ("{source: [aws.securityhub], detail-type: [Security Hub Findings - Imported]}", True),
        ("{source: [aws.securityhub], detail: {findings: {Severity: {Label: [HIGH, CRITICAL]}}}}", True),
        ("{source: [aws.securityhub], detail: {findings: {Severity: {Label: [LOW]}}}}", NOTHING),
        ("{source: [aws.securityhub], detail: {findings: {Severity: {Label: [CRITICAL]}}}}", NOTHING),
        ("{source: [aws.securityhub], detail: {findings: {ProductName: [Inspector]}}}", UNKNOWN),
        ("{source: [aws.s3]}", NOTHING),
        ("!ImportValue pattern", UNKNOWN),
        ('\'{"source": ["aws.guardduty"]}\'', True),
        ("'{not json'", UNKNOWN),
    ],
)
def test_alerts_on_findings(pattern: str, expected: object) -> None:
    text = rules(f"Properties: {{EventPattern: {pattern}, {TARGET}}}")
    assert answer(found(template(text), "account", "findings_routed")) == expected
