"""What is known of types of AWS resources: one row a type, under its names in CloudFormation (or SAM) and Terraform.

Which kind of element a type can be stands in the data files (`mappings`), beside its facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """One type of resource.

    `names` are its names, `own_name` the property by which it names itself (one of either spelling, `|` between).  A
    type that statements can reach has the `services` of their actions, first the one in its ARN, and `arn`, the ARN's
    last part.  `networked`: it may be used over the network, with no grant.  `stands_for` is the property that says for
    which other resource it stands.

    What concerns functions: `read_as` says which reader in `relations.starts` knows how it starts them; `calls` is the
    service that a permission names, where it calls one that it names; `calls_by_role`: it calls by
    a role, and its targets are read; `hands_over`: it says where results and failures go; `rotates` is the property
    with the function that rotates a secret.  `service` names the service of AWS as which it is drawn, where it is no
    other kind of element; `part_of` is the property with the resource that is drawn in its place, `names_in` those in
    which functions stand that it starts.
    """

    names: tuple[str, ...]
    own_name: str = ""
    services: tuple[str, ...] = ()
    arn: str = ""
    networked: bool = False
    stands_for: str = ""
    read_as: str = ""
    calls: str = ""
    calls_by_role: bool = False
    hands_over: bool = False
    rotates: str = ""
    service: str = ""
    part_of: str = ""
    names_in: tuple[str, ...] = ()

    def own_name_in(self, name: str) -> str:
        """The property of the own name in the language of a type's name; '' where AWS gives the name."""
        template, _, plan = self.own_name.partition("|")
        return (plan or template) if name.startswith("aws_") else template


_ROWS = (
    ResourceType(
        names=("AWS::Lambda::Function", "AWS::Serverless::Function", "aws_lambda_function"),
        own_name="FunctionName|function_name",
        services=("lambda",),
        arn="function:{}",
    ),
    ResourceType(
        names=(
            "AWS::DynamoDB::Table",
            "AWS::DynamoDB::GlobalTable",
            "AWS::Serverless::SimpleTable",
            "aws_dynamodb_table",
        ),
        own_name="TableName|name",
        services=("dynamodb",),
        arn="table/{}",
    ),
    ResourceType(
        names=("AWS::S3::Bucket", "aws_s3_bucket"),
        own_name="BucketName|bucket",
        services=("s3",),
        arn="{}",
        read_as="bucket",
    ),
    ResourceType(names=("AWS::SQS::Queue", "aws_sqs_queue"), own_name="QueueName|name", services=("sqs",), arn="{}"),
    ResourceType(
        names=("AWS::SNS::Topic", "aws_sns_topic"),
        own_name="TopicName|name",
        services=("sns",),
        arn="{}",
        read_as="topic",
    ),
    ResourceType(
        names=("AWS::Events::EventBus", "aws_cloudwatch_event_bus"),
        own_name="Name|name",
        services=("events",),
        arn="event-bus/{}",
    ),
    ResourceType(
        names=("AWS::Kinesis::Stream", "aws_kinesis_stream"),
        own_name="Name|name",
        services=("kinesis",),
        arn="stream/{}",
    ),
    ResourceType(
        names=("AWS::SecretsManager::Secret", "aws_secretsmanager_secret"),
        own_name="Name|name",
        services=("secretsmanager",),
        arn="secret:{}-??????",
    ),
    ResourceType(
        names=("AWS::SSM::Parameter", "aws_ssm_parameter"), own_name="Name|name", services=("ssm",), arn="parameter/{}"
    ),
    ResourceType(
        names=("AWS::RDS::DBCluster", "aws_rds_cluster"),
        own_name="DBClusterIdentifier|cluster_identifier",
        services=("rds", "rds-data"),
        arn="cluster:{}",
        networked=True,
    ),
    ResourceType(
        names=("AWS::RDS::DBInstance", "aws_db_instance"),
        own_name="DBInstanceIdentifier|identifier",
        services=("rds",),
        arn="db:{}",
        networked=True,
    ),
    ResourceType(
        names=("AWS::OpenSearchService::Domain", "aws_opensearch_domain"),
        own_name="DomainName|domain_name",
        services=("es",),
        arn="domain/{}",
        networked=True,
    ),
    ResourceType(
        names=("AWS::EFS::FileSystem", "aws_efs_file_system"),
        own_name="",
        services=("elasticfilesystem",),
        arn="file-system/{}",
        networked=True,
    ),
    ResourceType(
        names=("AWS::ElastiCache::ReplicationGroup", "aws_elasticache_replication_group"),
        own_name="ReplicationGroupId|replication_group_id",
        services=("elasticache",),
        arn="replicationgroup:{}",
        networked=True,
    ),
    ResourceType(
        names=("AWS::ElastiCache::ServerlessCache", "aws_elasticache_serverless_cache"),
        own_name="ServerlessCacheName|name",
        services=("elasticache",),
        arn="serverlesscache:{}",
        networked=True,
    ),
    ResourceType(names=("AWS::Lambda::Alias", "AWS::Lambda::Version", "aws_lambda_alias"), stands_for="FunctionName"),
    ResourceType(
        names=("AWS::Kinesis::StreamConsumer", "aws_kinesis_stream_consumer"), stands_for="StreamARN|stream_arn"
    ),
    ResourceType(names=("AWS::S3::AccessPoint", "aws_s3_access_point"), stands_for="Bucket"),
    ResourceType(names=("AWS::EFS::AccessPoint", "aws_efs_access_point"), stands_for="FileSystemId"),
    ResourceType(
        names=("AWS::SecretsManager::SecretTargetAttachment", "aws_secretsmanager_secret_version"),
        stands_for="SecretId",
    ),
    ResourceType(names=("AWS::IAM::Role", "aws_iam_role"), own_name="RoleName|name"),
    ResourceType(names=("AWS::Logs::LogGroup", "aws_cloudwatch_log_group"), own_name="LogGroupName|name"),
    ResourceType(
        names=(
            "AWS::ApiGateway::RestApi",
            "aws_api_gateway_rest_api",
            "AWS::ApiGatewayV2::Api",
            "aws_apigatewayv2_api",
        ),
        own_name="Name|name",
        read_as="api",
    ),
    ResourceType(
        names=("AWS::Serverless::Api", "AWS::Serverless::HttpApi", "AWS::Serverless::WebSocketApi"), own_name="Name"
    ),
    ResourceType(names=("AWS::Lambda::Url", "aws_lambda_function_url"), read_as="url"),
    ResourceType(
        names=("AWS::ApiGateway::Method", "aws_api_gateway_integration"), read_as="method", calls_by_role=True
    ),
    ResourceType(
        names=("AWS::ApiGatewayV2::Integration", "aws_apigatewayv2_integration"),
        read_as="integration",
        calls_by_role=True,
    ),
    ResourceType(
        names=(
            "AWS::ApiGateway::Authorizer",
            "AWS::ApiGatewayV2::Authorizer",
            "aws_api_gateway_authorizer",
            "aws_apigatewayv2_authorizer",
        ),
        read_as="authorizer",
        calls_by_role=True,
    ),
    ResourceType(
        names=("AWS::Lambda::EventSourceMapping", "aws_lambda_event_source_mapping"), read_as="mapping", hands_over=True
    ),
    ResourceType(
        names=("AWS::Lambda::EventInvokeConfig", "aws_lambda_function_event_invoke_config"),
        read_as="destination",
        hands_over=True,
    ),
    ResourceType(names=("AWS::SNS::Subscription", "aws_sns_topic_subscription"), read_as="subscription"),
    ResourceType(names=("aws_s3_bucket_notification",), read_as="bucket"),
    ResourceType(names=("AWS::Events::Rule",), own_name="Name", read_as="rule", calls_by_role=True),
    ResourceType(names=("aws_cloudwatch_event_target",), read_as="target", calls_by_role=True),
    ResourceType(
        names=("AWS::Scheduler::Schedule", "aws_scheduler_schedule"),
        own_name="Name|name",
        read_as="schedule",
        calls_by_role=True,
    ),
    ResourceType(
        names=("AWS::Pipes::Pipe", "aws_pipes_pipe"), own_name="Name|name", read_as="pipe", calls_by_role=True
    ),
    ResourceType(names=("AWS::IAM::InstanceProfile", "AWS::Lambda::Permission"), calls_by_role=True),
    ResourceType(
        names=("AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine", "aws_sfn_state_machine"),
        own_name="StateMachineName|name",
        services=("states",),
        arn="stateMachine:{}",
        calls="states",
        names_in=("DefinitionString", "Definition", "DefinitionSubstitutions", "definition"),
        service="Step Functions",
    ),
    ResourceType(
        names=("AWS::Cognito::UserPool", "aws_cognito_user_pool"),
        own_name="UserPoolName|name",
        services=("cognito-idp",),
        arn="userpool/{}",
        calls="cognito-idp",
        names_in=("LambdaConfig", "lambda_config"),
        service="Cognito",
    ),
    ResourceType(
        names=("AWS::IoT::TopicRule", "aws_iot_topic_rule"),
        own_name="RuleName|name",
        calls="iot",
        names_in=("TopicRulePayload", "lambda", "error_action"),
        service="IoT Core",
    ),
    ResourceType(
        names=("AWS::Logs::SubscriptionFilter", "aws_cloudwatch_log_subscription_filter"),
        calls="logs",
        names_in=("DestinationArn", "destination_arn"),
        service="CloudWatch Logs",
    ),
    ResourceType(
        names=("AWS::SecretsManager::RotationSchedule", "aws_secretsmanager_secret_rotation"),
        calls="secretsmanager",
        rotates="RotationLambdaARN|rotation_lambda_arn",
        names_in=("RotationLambdaARN", "rotation_lambda_arn"),
        service="Secrets Manager",
    ),
    ResourceType(
        names=("AWS::Config::ConfigRule", "aws_config_config_rule"),
        calls="config",
        names_in=("Source", "source"),
        service="AWS Config",
    ),
    ResourceType(
        names=("AWS::AppSync::GraphQLApi", "aws_appsync_graphql_api", "AWS::Serverless::GraphQLApi"),
        own_name="Name|name",
        services=("appsync",),
        arn="apis/{}",
        calls="appsync",
        service="AppSync",
    ),
    ResourceType(
        names=("AWS::AppSync::DataSource", "aws_appsync_datasource"),
        calls="appsync",
        names_in=("LambdaConfig", "lambda_config"),
        part_of="ApiId",
    ),
    ResourceType(
        names=("AWS::ElasticLoadBalancingV2::TargetGroup", "aws_lb_target_group_attachment"),
        calls="elasticloadbalancing",
        names_in=("Targets", "target_id"),
        service="Elastic Load Balancing",
    ),
    ResourceType(
        names=("AWS::CloudFront::Distribution", "aws_cloudfront_distribution"),
        calls="edgelambda",
        names_in=("DistributionConfig", "default_cache_behavior", "ordered_cache_behavior"),
        service="CloudFront",
    ),
    ResourceType(
        names=("AWS::Bedrock::Agent", "aws_bedrockagent_agent"),
        own_name="AgentName|agent_name",
        services=("bedrock",),
        arn="agent/{}",
        calls="bedrock",
        service="Bedrock",
    ),
    ResourceType(
        names=("AWS::MSK::Cluster", "AWS::MSK::ServerlessCluster", "aws_msk_cluster", "aws_msk_serverless_cluster"),
        own_name="ClusterName|cluster_name",
        services=("kafka", "kafka-cluster"),
        arn="cluster/{}",
        service="MSK",
    ),
    ResourceType(names=("AWS::AmazonMQ::Broker", "aws_mq_broker"), own_name="BrokerName", service="Amazon MQ"),
    ResourceType(names=("AWS::DocDB::DBCluster", "aws_docdb_cluster"), service="DocumentDB"),
    ResourceType(names=("AWS::KMS::Key", "aws_kms_key"), services=("kms",), arn="key/{}", service="KMS"),
    ResourceType(names=("AWS::KMS::Alias", "aws_kms_alias"), stands_for="TargetKeyId"),
    ResourceType(
        names=("AWS::KinesisFirehose::DeliveryStream", "aws_kinesis_firehose_delivery_stream"),
        own_name="DeliveryStreamName|name",
        services=("firehose",),
        arn="deliverystream/{}",
        service="Firehose",
        calls="firehose",
    ),
    ResourceType(
        names=("AWS::OpenSearchServerless::Collection", "aws_opensearchserverless_collection"),
        own_name="Name|name",
        services=("aoss",),
        arn="collection/{}",
        service="OpenSearch Serverless",
    ),
)

RESOURCE_TYPES: Mapping[str, ResourceType] = {name: row for row in _ROWS for name in row.names}
"""Every type that is known, by each of its names."""

_UNKNOWN = ResourceType(names=(), own_name="Name|name")


def known(name: str) -> ResourceType:
    """What is known of a type; of any other only that it may have a name."""
    return RESOURCE_TYPES.get(name, _UNKNOWN)


# --- whole families, by how their names begin

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

PUSHES: Mapping[str, str] = {
    "AWS::ApiGateway": "apigateway",
    "aws_api_gateway_": "apigateway",
    "aws_apigatewayv2_": "apigateway",
    "AWS::SNS::": "sns",
    "aws_sns_": "sns",
    "AWS::S3::Bucket": "s3",
    "aws_s3_bucket_notification": "s3",
    "AWS::Events::Rule": "events",
    "aws_cloudwatch_event_": "events",
}
"""How the types begin that need a permission to call a function, and the service that it names."""
