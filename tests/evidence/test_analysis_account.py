"""What code answers about an account's alerts, asked of templates and of plans."""

from __future__ import annotations

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, plan, template, usual

# --- alerts

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
    if "Condition: Prod" in text:
        assert usual(outcome) is True


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


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{source: [aws.guardduty], detail-type: [GuardDuty Finding]}", True),
        ('{source: [aws.guardduty], detail: {severity: [{numeric: [">=", 4]}]}}', True),
        ('{source: [aws.guardduty], detail: {severity: [{numeric: ["<", 4]}]}}', NOTHING),
        ('{source: [aws.guardduty], detail: {$or: [{severity: [{numeric: [">=", 4]}]}, {type: [a]}]}}', True),
        ("{source: [aws.guardduty], detail: {type: [a]}}", UNKNOWN),
        ("{source: [aws.securityhub], detail-type: [Security Hub Findings - Imported]}", True),
        ("{source: [aws.securityhub], detail: {findings: {Severity: {Label: [HIGH, CRITICAL]}}}}", True),
        ("{source: [aws.securityhub], detail: {findings: {Severity: {Label: [LOW]}}}}", NOTHING),
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
