"""What code answers about an account: costs, concurrency, what is switched off; of templates and of plans."""

from __future__ import annotations

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, plan, template

# --- costs and concurrency

SUBSCRIBERS = (
    "NotificationsWithSubscribers: [{Notification:"
    " {NotificationType: ACTUAL, ComparisonOperator: GREATER_THAN, Threshold: 80},"
    " Subscribers: [{SubscriptionType: EMAIL, Address: a@example.com}]}]"
)


@pytest.mark.parametrize(
    ("budgets", "expected"),
    [
        ([f"{{Budget: {{BudgetType: COST}}, {SUBSCRIBERS}}}"], True),
        (["{Budget: {BudgetType: COST}}"], NOTHING),
        ([f"{{Budget: {{BudgetType: USAGE}}, {SUBSCRIBERS}}}"], NOTHING),
        (
            [f"{{Budget: {{CostFilters: {{Service: [AWS Lambda, Amazon API Gateway]}}}}, {SUBSCRIBERS}}}"],
            True,
        ),
        ([f"{{Budget: {{BudgetType: COST, CostFilters: {{Service: [AWS Lambda]}}}}, {SUBSCRIBERS}}}"], UNKNOWN),
        (
            [
                f"{{Budget: {{BudgetType: COST, CostFilters: {{Service: [AWS Lambda]}}}}, {SUBSCRIBERS}}}",
                f"{{Budget: {{BudgetType: COST, CostFilters: {{Service: [Amazon API Gateway]}}}}, {SUBSCRIBERS}}}",
            ],
            True,
        ),
        ([f"{{Budget: {{BudgetType: COST, CostFilters: {{Region: [eu-west-1]}}}}, {SUBSCRIBERS}}}"], NOTHING),
        ([f"{{Budget: {{BudgetType: COST, CostFilters: !ImportValue filters}}, {SUBSCRIBERS}}}"], UNKNOWN),
        ([f"{{Budget: !ImportValue budget, {SUBSCRIBERS}}}"], UNKNOWN),
    ],
)
def test_budgets(budgets: list[str], expected: object) -> None:
    text = "".join(f"  B{n}: {{Type: AWS::Budgets::Budget, Properties: {one}}}\n" for n, one in enumerate(budgets))
    text = text.replace("Budget: {", "Budget: {TimeUnit: MONTHLY, BudgetLimit: {Amount: 50, Unit: USD}, ")
    assert answer(found(template(text), "account", "budget_alert")) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("GREATER_THAN", "LESS_THAN"),
        ("Threshold: 80", "Threshold: 1000000"),
        ("Amount: 50", "Amount: 10000000"),
        ("MONTHLY", "ANNUALLY"),
        ("MONTHLY", "MONTHLY, TimePeriod: {End: '2020-01-01'}"),
    ],
)
def test_a_budget_that_tells_nobody_in_time(old: str, new: str) -> None:
    budget = f"{{Budget: {{TimeUnit: MONTHLY, BudgetLimit: {{Amount: 50}}, BudgetType: COST}}, {SUBSCRIBERS}}}"
    text = "  B: {Type: AWS::Budgets::Budget, Properties: %s}"
    assert answer(found(template(text % budget), "account", "budget_alert")) is True
    assert answer(found(template(text % budget.replace(old, new)), "account", "budget_alert")) in {UNKNOWN, NOTHING}


def test_cost_anomalies() -> None:
    text = """
  M: {Type: AWS::CE::AnomalyMonitor, Properties: {MonitorType: DIMENSIONAL, MonitorDimension: %s}}
  S:
    Type: AWS::CE::AnomalySubscription
    Properties: {MonitorArnList: [!Ref M], Subscribers: %s, Threshold: 100}
"""
    assert (
        answer(
            found(template(text % ("SERVICE", "[{Type: EMAIL, Address: a@example.com}]")), "account", "budget_alert")
        )
        is True
    )
    assert answer(found(template(text % ("SERVICE", "[]")), "account", "budget_alert")) == NOTHING
    assert (
        answer(
            found(
                template(text % ("LINKED_ACCOUNT", "[{Type: EMAIL, Address: a@example.com}]")),
                "account",
                "budget_alert",
            )
        )
        == NOTHING
    )


def test_costs_of_a_plan() -> None:
    text = """
aws_budgets_budget.all:
  budget_type: COST
  cost_filter: %s
  time_unit: MONTHLY
  limit_amount: "50"
  notification:
    - subscriber_email_addresses: [a@example.com]
      subscriber_sns_topic_arns: null
      notification_type: ACTUAL
      comparison_operator: GREATER_THAN
      threshold: 80
      threshold_type: PERCENTAGE
"""
    both = "[{name: Service, values: [AWS Lambda, Amazon API Gateway]}]"
    assert answer(found(plan(text % "[]"), "account", "budget_alert")) is True
    assert answer(found(plan(text % both), "account", "budget_alert")) is True
    assert answer(found(plan(text % "[{name: LinkedAccount, values: ['1']}]"), "account", "budget_alert")) == NOTHING


ALARM = (
    "{{Type: AWS::CloudWatch::Alarm, {more}Properties: {{Namespace: AWS/Lambda, MetricName: {metric}, "
    "Period: 60, EvaluationPeriods: 5, ComparisonOperator: GreaterThanThreshold, Threshold: 10, {rest}}}}}"
)
ACTS = "AlarmActions: [!Ref Topic]"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("ConcurrentExecutions", ACTS, ""), ("Throttles", ACTS, ""), True),
        (("ClaimedAccountConcurrency", ACTS, ""), ("Throttles", ACTS, ""), True),
        (("ConcurrentExecutions", ACTS, ""), ("Errors", ACTS, ""), UNKNOWN),
        (("ConcurrentExecutions", ACTS, ""), ("Throttles", "Statistic: Sum", ""), UNKNOWN),
        (("ConcurrentExecutions", ACTS, ""), ("Throttles", f"{ACTS}, ActionsEnabled: false", ""), UNKNOWN),
        (
            ("ConcurrentExecutions", ACTS, ""),
            ("Throttles", f"{ACTS}, Dimensions: [{{Name: FunctionName, Value: f}}]", ""),
            UNKNOWN,
        ),
        (("ConcurrentExecutions", "AlarmActions: [!Ref Given]", ""), ("Throttles", ACTS, ""), UNKNOWN),
        (("ConcurrentExecutions", ACTS, ""), ("Throttles", ACTS, "Condition: Prod, "), UNKNOWN),
        (("Errors", ACTS, ""), ("Duration", ACTS, ""), NOTHING),
    ],
)
def test_concurrency_alarm(first: tuple[str, str, str], second: tuple[str, str, str], expected: object) -> None:
    text = """
Parameters: {Stage: {Type: String, Default: prod}, Given: {Type: String}}
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
    for n, (metric, rest, more) in enumerate((first, second)):
        text += f"  A{n}: {ALARM.format(metric=metric, rest=rest, more=more)}\n"
    assert answer(found(template(text), "account", "concurrency_alarm")) == expected


def test_alarms_of_a_plan() -> None:
    text = """
aws_sns_topic.t: {name: t}
aws_sns_topic_subscription.t: {topic_arn: "${aws_sns_topic.t.arn}", protocol: email, endpoint: a@example.com}
aws_cloudwatch_metric_alarm.a:
  namespace: AWS/Lambda
  metric_name: ConcurrentExecutions
  alarm_actions: ["${aws_sns_topic.t.arn}"]
  comparison_operator: GreaterThanThreshold
  threshold: 800
  period: 60
  evaluation_periods: 5
aws_cloudwatch_metric_alarm.b:
  alarm_actions: ["${aws_sns_topic.t.arn}"]
  comparison_operator: GreaterThanThreshold
  threshold: 1
  evaluation_periods: 5
  metric_query: [{id: t, metric: [{namespace: AWS/Lambda, metric_name: Throttles, period: 60, dimensions: %s}]}]
"""
    assert answer(found(plan(text % "{}"), "account", "concurrency_alarm")) is True
    assert answer(found(plan(text % "{FunctionName: f}"), "account", "concurrency_alarm")) == UNKNOWN


# --- what is switched off


DETECTOR = "  Detector: {Type: AWS::GuardDuty::Detector, Properties: {%s}}"
RECORDER = "  Recorder: {Type: AWS::Config::ConfigurationRecorder, Properties: {RoleARN: a, RecordingGroup: {%s}}}"


@pytest.mark.parametrize(
    ("fact", "text", "expected"),
    [
        ("guardduty", DETECTOR % "Enable: false", False),
        ("guardduty", DETECTOR % "Enable: 'false'", False),
        ("guardduty", DETECTOR % "Enable: true", UNKNOWN),
        ("guardduty", DETECTOR % "Enable: !ImportValue on", UNKNOWN),
        ("guardduty", "  Queue: {Type: AWS::SQS::Queue}", NOTHING),
        ("guardduty_lambda", DETECTOR % "Enable: false", False),
        (
            "guardduty_lambda",
            DETECTOR % "Enable: true, Features: [{Name: LAMBDA_NETWORK_LOGS, Status: DISABLED}]",
            False,
        ),
        (
            "guardduty_lambda",
            DETECTOR % "Enable: true, Features: [{Name: LAMBDA_NETWORK_LOGS, Status: ENABLED}]",
            UNKNOWN,
        ),
        ("guardduty_lambda", DETECTOR % "Enable: true, Features: [{Name: S3_DATA_EVENTS, Status: DISABLED}]", UNKNOWN),
        ("guardduty_objects", DETECTOR % "Enable: true, Features: [{Name: S3_DATA_EVENTS, Status: DISABLED}]", False),
        ("guardduty_objects", DETECTOR % "Enable: false", False),
        ("guardduty_objects", DETECTOR % "Enable: true, Features: [{Name: AI_PROTECTION, Status: DISABLED}]", UNKNOWN),
        ("guardduty_models", DETECTOR % "Enable: true, Features: [{Name: AI_PROTECTION, Status: DISABLED}]", False),
        ("guardduty_models", DETECTOR % "Enable: true, Features: [{Name: AI_PROTECTION, Status: ENABLED}]", UNKNOWN),
        ("config_recording", RECORDER % "AllSupported: true", UNKNOWN),
        ("config_recording", RECORDER % "AllSupported: false, ResourceTypes: ['AWS::EC2::Instance']", False),
        ("config_recording", RECORDER % "ResourceTypes: ['AWS::Lambda::Function', 'AWS::IAM::Role']", UNKNOWN),
        ("config_recording", RECORDER % "ResourceTypes: [!ImportValue kind]", UNKNOWN),
        ("config_recording", RECORDER % "ExclusionByResourceTypes: {ResourceTypes: ['AWS::IAM::Role']}", False),
        ("config_recording", RECORDER % "ExclusionByResourceTypes: {ResourceTypes: ['AWS::EC2::Host']}", UNKNOWN),
    ],
)
def test_a_template_shows_that_detection_is_off_and_never_that_it_is_on(fact: str, text: str, expected: object) -> None:
    assert answer(found(template(text), "account", fact)) == expected


@pytest.mark.parametrize(
    ("fact", "text", "expected"),
    [
        ("guardduty", "aws_guardduty_detector.a: {enable: false}", False),
        ("guardduty", "aws_guardduty_detector.a: {enable: true}", UNKNOWN),
        ("guardduty", "aws_guardduty_detector_feature.a: {name: LAMBDA_NETWORK_LOGS, status: DISABLED}", UNKNOWN),
        ("guardduty_lambda", "aws_guardduty_detector_feature.a: {name: LAMBDA_NETWORK_LOGS, status: DISABLED}", False),
        ("guardduty_lambda", "aws_guardduty_detector_feature.a: {name: S3_DATA_EVENTS, status: DISABLED}", UNKNOWN),
        (
            "config_recording",
            "aws_config_configuration_recorder.a: {recording_group: [{all_supported: false, resource_types: [a]}]}",
            False,
        ),
    ],
)
def test_a_plan_shows_that_detection_is_off(fact: str, text: str, expected: object) -> None:
    assert answer(found(plan(text), "account", fact)) == expected
