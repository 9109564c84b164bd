"""Types of resources that name functions: those that never call them, and those that do so in other ways than triggers.

A type in neither table, nor among those that `starts` reads, may call what it names: nobody can tell.
"""

from __future__ import annotations

from collections.abc import Mapping

CALLS_NOBODY = (
    *("AWS::IAM::", "AWS::Lambda::", "AWS::Serverless::Function", "AWS::Serverless::Api", "AWS::Serverless::HttpApi"),
    *("AWS::Serverless::WebSocketApi", "AWS::Serverless::GraphQLApi", "AWS::Serverless::Connector"),
    *("AWS::CloudWatch::", "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter", "AWS::Logs::QueryDefinition"),
    *("AWS::ApplicationAutoScaling::", "AWS::CodeDeploy::", "AWS::SSM::Parameter", "AWS::CloudTrail::"),
    *("AWS::ApiGateway::", "AWS::ApiGatewayV2::", "AWS::KMS::", "AWS::SQS::", "AWS::Budgets::", "AWS::WAFv2::"),
    *("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SecretsManager::ResourcePolicy", "AWS::DynamoDB::"),
    *("AWS::ApplicationInsights::", "AWS::ResourceGroups::", "AWS::Events::EventBusPolicy"),
    *("aws_iam_", "aws_lambda_function", "aws_lambda_alias", "aws_lambda_provisioned_concurrency_config"),
    *(
        "aws_lambda_layer",
        "aws_cloudwatch_log_group",
        "aws_cloudwatch_log_metric_filter",
        "aws_cloudwatch_metric_alarm",
    ),
    *("aws_cloudwatch_dashboard", "aws_cloudwatch_composite_alarm", "aws_cloudwatch_event_rule", "aws_appautoscaling_"),
    *("aws_codedeploy_", "aws_ssm_parameter", "aws_cloudtrail", "aws_api_gateway_", "aws_apigatewayv2_", "aws_kms_"),
    *("aws_sqs_", "aws_budgets_", "aws_wafv2_", "aws_s3_bucket_policy", "aws_sns_topic_policy", "aws_dynamodb_"),
    *("aws_secretsmanager_secret_policy", "null_resource", "terraform_data", "local_file", "time_"),
)
"""How types begin whose resources name functions without ever calling them, or do so by resources that are read."""

OTHERS: Mapping[str, tuple[str, str]] = {
    "AWS::StepFunctions::StateMachine": ("states", "the state machine {} calls it"),
    "AWS::Serverless::StateMachine": ("states", "the state machine {} calls it"),
    "aws_sfn_state_machine": ("states", "the state machine {} calls it"),
    "AWS::Cognito::UserPool": ("cognito-idp", "the user pool {} calls it"),
    "aws_cognito_user_pool": ("cognito-idp", "the user pool {} calls it"),
    "AWS::IoT::TopicRule": ("iot", "the rule {} of IoT calls it"),
    "aws_iot_topic_rule": ("iot", "the rule {} of IoT calls it"),
    "AWS::Logs::SubscriptionFilter": ("logs", "the log subscription {} sends to it"),
    "aws_cloudwatch_log_subscription_filter": ("logs", "the log subscription {} sends to it"),
    "AWS::SecretsManager::RotationSchedule": ("secretsmanager", "the rotation {} calls it"),
    "aws_secretsmanager_secret_rotation": ("secretsmanager", "the rotation {} calls it"),
    "AWS::Config::ConfigRule": ("config", "the rule {} of AWS Config calls it"),
    "aws_config_config_rule": ("config", "the rule {} of AWS Config calls it"),
    "AWS::AppSync::DataSource": ("appsync", "the GraphQL data source {} calls it"),
    "aws_appsync_datasource": ("appsync", "the GraphQL data source {} calls it"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("elasticloadbalancing", "the load balancer's group {} sends to it"),
    "aws_lb_target_group_attachment": ("elasticloadbalancing", "the load balancer's group {} sends to it"),
    "AWS::CloudFront::Distribution": ("edgelambda", "the distribution {} calls it at the edge"),
    "aws_cloudfront_distribution": ("edgelambda", "the distribution {} calls it at the edge"),
}
"""Types of resources that call functions in ways for which a model has no trigger: the service, and how it is said."""
