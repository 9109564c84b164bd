"""What code answers about packages and deployments, asked of templates and of plans."""

from __future__ import annotations

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, plan, template

# --- packages


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ("F: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3Key: k, S3ObjectVersion: v}}}", True),
        (
            "F: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3Key: k, S3ObjectVersion: !Ref V}}}",
            True,
        ),
        (
            "F: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3ObjectVersion: !ImportValue v}}}",
            UNKNOWN,
        ),
        ("F: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3Key: k}}}", False),
        ("F: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: pass}}}", True),
        ("F: {Type: AWS::Lambda::Function, Properties: {Code: {ImageUri: 'r.example.com/bots@sha256:abc'}}}", True),
        ("F: {Type: AWS::Lambda::Function, Properties: {Code: {ImageUri: !Sub '${Repo.RepositoryUri}:v1'}}}", True),
        (
            "F: {Type: AWS::Lambda::Function, Properties: {Code: {ImageUri: !Sub '${Repo.RepositoryUri}:latest'}}}",
            UNKNOWN,
        ),
        ("F: {Type: AWS::Lambda::Function, Properties: {Code: {ImageUri: !Sub '${Loose.RepositoryUri}:v1'}}}", False),
        ("F: {Type: AWS::Lambda::Function, Properties: {Code: {ImageUri: !Sub '${Plain.RepositoryUri}:v1'}}}", False),
        (
            "F: {Type: AWS::Lambda::Function, Properties: {Code: {ImageUri: !Sub '${Loose.RepositoryUri}@${V}'}}}",
            True,
        ),
        ("F: {Type: AWS::Lambda::Function, Properties: {Code: {ImageUri: 'r.example.com/bots:v1'}}}", UNKNOWN),
        ("F: {Type: AWS::Lambda::Function, Properties: {Code: !ImportValue code}}", UNKNOWN),
        ("F: {Type: AWS::Serverless::Function, Properties: {CodeUri: src/}}", False),
        ("F: {Type: AWS::Serverless::Function, Properties: {CodeUri: {Bucket: b, Key: k, Version: v}}}", True),
        ("F: {Type: AWS::Serverless::Function, Properties: {CodeUri: !Ref V}}", UNKNOWN),
        ("F: {Type: AWS::Serverless::Function, Properties: {ImageUri: 'r.example.com/bots@sha256:abc'}}", True),
        ("F: {Type: AWS::Serverless::Function, Properties: {InlineCode: pass}}", NOTHING),
        ("F: {Type: AWS::Serverless::Function, Properties: {Handler: app.handler}}", False),
    ],
)
def test_packages(resources: str, expected: object) -> None:
    stack = template(f"""
Parameters: {{V: {{Type: String}}}}
Resources:
  Repo: {{Type: AWS::ECR::Repository, Properties: {{ImageTagMutability: IMMUTABLE}}}}
  Loose: {{Type: AWS::ECR::Repository, Properties: {{ImageTagMutability: MUTABLE}}}}
  Plain: {{Type: AWS::ECR::Repository}}
  {resources}
""")
    assert answer(found(stack, "pipeline", "artifacts_immutable")) == expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("{s3_bucket: b, s3_key: k, s3_object_version: v}", True),
        ("{s3_bucket: b, s3_key: k, s3_object_version: null}", False),
        ('{s3_bucket: b, s3_key: k, s3_object_version: "${aws_s3_object.code.version_id}"}', True),
        ("{filename: bot.zip, source_code_hash: abc}", True),
        ("{filename: bot.zip, source_code_hash: null}", False),
        ('{filename: bot.zip, source_code_hash: "?"}', UNKNOWN),
        ('{image_uri: "${aws_ecr_repository.bots.repository_url}:v1"}', True),
        ('{image_uri: "${aws_ecr_repository.bots.repository_url}@sha256:abc"}', True),
    ],
)
def test_packages_of_a_plan(function: str, expected: object) -> None:
    text = f"aws_ecr_repository.bots: {{image_tag_mutability: IMMUTABLE}}\naws_lambda_function.bot: {function}"
    assert answer(found(plan(text), "pipeline", "artifacts_immutable")) == expected


# --- deployments


def watching(function: str, name: str = "none") -> str:
    """An alarm on the errors of a function."""
    return (
        f"{{Type: AWS::CloudWatch::Alarm, Properties: {{AlarmName: {name}, Namespace: AWS/Lambda, MetricName: Errors,"
        f" Dimensions: [{{Name: FunctionName, Value: {function}}}], Statistic: Sum, Period: 60, EvaluationPeriods: 1,"
        " ComparisonOperator: GreaterThanThreshold, Threshold: 0}}"
    )


SAM_FUNCTION = "{{Type: AWS::Serverless::Function, Properties: {{InlineCode: pass, AutoPublishAlias: live{more}}}}}"
CANARY = ", DeploymentPreference: {Type: Canary10Percent5Minutes, Alarms: [!Ref Alarm]}"
LINEAR = ", DeploymentPreference: {Type: Linear10PercentEvery1Minute}"
AT_ONCE = ", DeploymentPreference: {Type: AllAtOnce, Alarms: [!Ref Alarm]}"
OFF = ", DeploymentPreference: {Enabled: false, Type: Canary10Percent5Minutes, Alarms: [!Ref Alarm]}"


@pytest.mark.parametrize(
    ("preferences", "steps", "back"),
    [
        ([CANARY], "canary", True),
        ([CANARY, CANARY], "canary", True),
        ([LINEAR], "linear", False),
        ([AT_ONCE], "all-at-once", True),
        ([OFF], "all-at-once", False),
        ([CANARY, LINEAR], UNKNOWN, False),
        ([CANARY, ""], UNKNOWN, UNKNOWN),
        ([""], "all-at-once", False),
        ([", DeploymentPreference: {Type: !Ref Steps, Alarms: [!Ref Alarm]}"], UNKNOWN, True),
        ([", DeploymentPreference: {Type: Canary10Percent5Minutes, Alarms: !If [Prod, [a], []]}"], "canary", UNKNOWN),
        (
            [", DeploymentPreference: !If [Prod, {Type: Canary10Percent5Minutes, Alarms: [a]}, !Ref 'AWS::NoValue']"],
            UNKNOWN,
            UNKNOWN,
        ),
        ([", DeploymentPreference: {Type: Own, Alarms: [!Ref Alarm]}"], "canary", True),
    ],
)
def test_deployments_of_sam(preferences: list[str], steps: str, back: object) -> None:
    text = """
Parameters: {Stage: {Type: String, Default: prod}, Steps: {Type: String}}
Conditions: {Prod: !Equals [!Ref Stage, prod]}
Resources:
  Own:
    Type: AWS::CodeDeploy::DeploymentConfig
    Properties:
      DeploymentConfigName: Own
      ComputePlatform: Lambda
      TrafficRoutingConfig:
        Type: TimeBasedCanary
        TimeBasedCanary: {CanaryPercentage: 10, CanaryInterval: 10}
"""
    for n, more in enumerate(preferences):
        text += f"  F{n}: {SAM_FUNCTION.format(more=more.replace('!Ref Alarm', f'!Ref Alarm{n}'))}\n"
        text += f"  Alarm{n}: {watching(f'!Ref F{n}')}\n"
    stack = template(text)
    assert answer(found(stack, "pipeline", "deploy_strategy")) == steps
    assert answer(found(stack, "pipeline", "rollback_on_alarm")) == back


BACK = "AutoRollbackConfiguration: {Enabled: true, Events: [DEPLOYMENT_FAILURE, DEPLOYMENT_STOP_ON_ALARM]}"
ALARMS = "AlarmConfiguration: {Enabled: true, Alarms: [{Name: a}]}"


@pytest.mark.parametrize(
    ("group", "steps", "back"),
    [
        (
            f"DeploymentConfigName: CodeDeployDefault.LambdaLinear10PercentEvery1Minute, {BACK}, {ALARMS}",
            "linear",
            True,
        ),
        (f"DeploymentConfigName: CodeDeployDefault.LambdaAllAtOnce, {BACK}", "all-at-once", False),
        (f"DeploymentConfigName: !Ref Own, {ALARMS}", "linear", False),
        (f"DeploymentConfigName: unheard-of, {BACK}, AlarmConfiguration: {{Alarms: [{{Name: a}}]}}", UNKNOWN, UNKNOWN),
        (f"{BACK}, {ALARMS}", "all-at-once", True),
        (
            f"DeploymentConfigName: !ImportValue x, {ALARMS}, AutoRollbackConfiguration: !ImportValue y",
            UNKNOWN,
            UNKNOWN,
        ),
        ("DeploymentConfigName: CodeDeployDefault.ECSAllAtOnce", "all-at-once", False),
    ],
)
def test_deployment_groups(group: str, steps: str, back: object) -> None:
    stack = template(f"""
  App: {{Type: AWS::CodeDeploy::Application, Properties: {{ComputePlatform: Lambda}}}}
  Own:
    Type: AWS::CodeDeploy::DeploymentConfig
    Properties:
      ComputePlatform: Lambda
      TrafficRoutingConfig:
        Type: TimeBasedLinear
        TimeBasedLinear: {{LinearPercentage: 20, LinearInterval: 2}}
  Bot: {{Type: AWS::Lambda::Function, Properties: {{FunctionName: bot, Code: {{ZipFile: pass}}}}}}
  Alarm: {watching("bot", "a")}
  Group: {{Type: AWS::CodeDeploy::DeploymentGroup, Properties: {{ApplicationName: !Ref App, {group}}}}}
""")
    assert answer(found(stack, "pipeline", "deploy_strategy")) == steps
    assert answer(found(stack, "pipeline", "rollback_on_alarm")) == back


@pytest.mark.parametrize(
    ("weaker", "by"),
    [
        ("AWS/Lambda", "Custom"),
        ("MetricName: Errors", "MetricName: Duration"),
        ("Value: !Ref F}", "Value: !Ref G}"),
        ("Period: 60", "Period: 86400"),
        ("EvaluationPeriods: 1", "EvaluationPeriods: 100"),
        ("Threshold: 0", "Threshold: 1000000"),
        ("GreaterThanThreshold", "LessThanThreshold"),
        ("Statistic: Sum", "Statistic: SampleCount"),
        ("TimeBasedCanary: {CanaryPercentage: 10", "TimeBasedCanary: {CanaryPercentage: 99"),
        ("CanaryInterval: 10", "CanaryInterval: 1"),
        ("AutoPublishAlias: live", "AutoPublishAlias: '{{resolve:ssm:/shop/alias:1}}'"),
    ],
)
def test_a_canary_that_nobody_watches(weaker: str, by: str) -> None:
    text = f"""
  F: {{Type: AWS::Serverless::Function, Properties: {{InlineCode: pass, AutoPublishAlias: live,
      DeploymentPreference: {{Type: Own, Alarms: [!Ref Alarm]}}}}}}
  G: {{Type: AWS::Lambda::Function, Properties: {{Code: {{ZipFile: pass}}}}}}
  Alarm: {watching("!Ref F")}
  Own:
    Type: AWS::CodeDeploy::DeploymentConfig
    Properties:
      DeploymentConfigName: Own
      TrafficRoutingConfig:
        Type: TimeBasedCanary
        TimeBasedCanary: {{CanaryPercentage: 10, CanaryInterval: 10}}
"""

    def both(text: str) -> tuple[object, object]:
        stack = template(text)
        strategy, back = (found(stack, "pipeline", name) for name in ("deploy_strategy", "rollback_on_alarm"))
        return answer(strategy), answer(back)

    assert both(text) == ("canary", True)
    assert text.count(weaker) == 1
    assert UNKNOWN in both(text.replace(weaker, by))


def test_deployment_groups_of_a_plan() -> None:
    stack = plan("""
aws_lambda_function.bot: {function_name: bot}
aws_cloudwatch_metric_alarm.a:
  alarm_name: a
  namespace: AWS/Lambda
  metric_name: Errors
  dimensions: {FunctionName: "${aws_lambda_function.bot.function_name}"}
  statistic: Sum
  period: 60
  evaluation_periods: 2
  comparison_operator: GreaterThanThreshold
  threshold: 1
aws_codedeploy_deployment_group.bot:
  deployment_config_name: CodeDeployDefault.LambdaCanary10Percent5Minutes
  alarm_configuration: [{enabled: true, alarms: [a]}]
  auto_rollback_configuration: [{enabled: true, events: [DEPLOYMENT_STOP_ON_ALARM]}]
""")
    assert answer(found(stack, "pipeline", "deploy_strategy")) == "canary"
    assert answer(found(stack, "pipeline", "rollback_on_alarm")) is True
