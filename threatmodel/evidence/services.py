"""Services of AWS by the prefix of their actions: what people call them, and which are left out of pictures."""

from __future__ import annotations

from collections.abc import Mapping

TITLES: Mapping[str, str] = {
    "appsync": "AppSync",
    "athena": "Athena",
    "batch": "Batch",
    "bedrock": "Bedrock",
    "bedrock-agentcore": "Bedrock AgentCore",
    "chime": "Chime",
    "cloudformation": "CloudFormation",
    "cloudfront": "CloudFront",
    "cloudtrail": "CloudTrail",
    "cloudwatch": "CloudWatch",
    "codebuild": "CodeBuild",
    "codedeploy": "CodeDeploy",
    "codepipeline": "CodePipeline",
    "cognito-identity": "Cognito identity pools",
    "cognito-idp": "Cognito",
    "comprehend": "Comprehend",
    "connect": "Connect",
    "dsql": "Aurora DSQL",
    "dynamodb": "DynamoDB",
    "ec2": "EC2",
    "ecr": "ECR",
    "ecs": "ECS",
    "eks": "EKS",
    "execute-api": "API Gateway",
    "firehose": "Firehose",
    "apigateway": "API Gateway",
    "es": "OpenSearch",
    "elasticfilesystem": "EFS",
    "events": "EventBridge",
    "kinesis": "Kinesis",
    "rds-data": "RDS",
    "s3": "S3",
    "secretsmanager": "Secrets Manager",
    "ssm": "Parameter Store",
    "forecast": "Forecast",
    "geo": "Location Service",
    "glue": "Glue",
    "guardduty": "GuardDuty",
    "healthlake": "HealthLake",
    "iot": "IoT Core",
    "kafka": "MSK",
    "kafka-cluster": "MSK",
    "kinesisanalytics": "Managed Flink",
    "kms": "KMS",
    "lambda": "Lambda",
    "lex": "Lex",
    "mobiletargeting": "Pinpoint",
    "mq": "Amazon MQ",
    "aoss": "OpenSearch Serverless",
    "organizations": "Organizations",
    "polly": "Polly",
    "q": "Amazon Q",
    "qldb": "QLDB",
    "rds": "RDS",
    "rekognition": "Rekognition",
    "route53": "Route 53",
    "s3vectors": "S3 Vectors",
    "sagemaker": "SageMaker",
    "scheduler": "EventBridge Scheduler",
    "ses": "SES",
    "sns": "SNS",
    "sqs": "SQS",
    "states": "Step Functions",
    "sts": "AWS STS",
    "support": "AWS Support",
    "textract": "Textract",
    "timestream": "Timestream",
    "transcribe": "Transcribe",
    "transfer": "Transfer Family",
    "translate": "Translate",
    "verifiedpermissions": "Verified Permissions",
    "wafv2": "WAF",
    "workmail": "WorkMail",
}
"""What a reader calls a service; one that is not here is called by its prefix."""

PLATFORM = frozenset({"logs", "xray", "ec2messages", "ssmmessages", "iam", "sts", "kms", "ec2", "cloudwatch", "tag"})
"""Services that a function works with by being one: its logs and traces, its network, roles and keys, its metrics."""

LANGUAGE_MODELS = frozenset({"bedrock:invokemodel", "bedrock:invokemodelwithresponsestream", "bedrock:invokeagent"})
"""Actions (in small letters) by which text goes into a language model."""

MOST_SERVICES = 6
"""Services that one policy of AWS may be about and still tell what a function calls; more is a job's whole outfit."""
