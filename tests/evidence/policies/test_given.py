"""Rights that policies of resources give to a function's role, and the boundary that should bound it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.evidence.asking import _asked, answer, found, plan, template
from tests.evidence.policies.stating import NO, OPEN, YES, fact

TEMPLATE = """
Resources:
  Bot:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt BotRole.Arn, Runtime: python3.13}
  BotRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: order-bot
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyDocument:
            Statement: {Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Orders.Arn}
  Orders: {Type: AWS::DynamoDB::Table}
  Work: {Type: AWS::SQS::Queue}
"""
QUEUE = """
  WorkPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Work]
      PolicyDocument:
        Statement: {Effect: Allow, Principal: {AWS: %s}, Action: "sqs:*", Resource: "*"}
"""
KEY = """
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy: {Statement: {Effect: Allow, Principal: {AWS: !GetAtt BotRole.Arn}, Action: %s, Resource: "*"}}
"""
PERMISSION = """
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: other, Action: lambda:UpdateFunctionCode, Principal: !GetAtt BotRole.Arn}
"""
OTHER_ROLE = """
  Admin:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {AWS: !GetAtt BotRole.Arn}, Action: sts:AssumeRole}
"""
NAMED = '"arn:aws:iam::123456789012:role/order-bot"'


def of_bot(name: str, text: str) -> Any:
    return fact(text, "function", name, "Bot")


@pytest.mark.parametrize(
    ("more", "name", "expected"),
    [
        ("", "role_wildcard_action", NO),
        ("", "role_can_escalate", NO),
        (QUEUE % "!GetAtt BotRole.Arn", "role_wildcard_action", YES),
        (QUEUE % NAMED, "role_wildcard_action", YES),
        (QUEUE % "arn:aws:iam::123456789012:role/other", "role_wildcard_action", NO),
        (KEY % "kms:Decrypt", "role_can_escalate", NO),
        (KEY % "kms:PutKeyPolicy", "role_can_escalate", OPEN),
        (KEY % "kms:Decrypt", "role_wildcard_resource", NO),
        (PERMISSION, "role_can_escalate", YES),
        (OTHER_ROLE, "role_assumes_roles", YES),
    ],
)
def test_what_a_resources_policy_gives_is_the_roles(more: str, name: str, expected: Any) -> None:
    assert of_bot(name, TEMPLATE + more) == expected


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", NO),
        ("arn:aws:iam::aws:policy/PowerUserAccess", NO),
        ("arn:aws:iam::aws:policy/IAMFullAccess", NO),
        ("arn:aws:iam::123456789012:policy/function-boundary", OPEN),
        ("!Ref Boundary", YES),
        ("!Ref EveryTable", OPEN),
        ("!Ref Everything", NO),
        ("!Ref AllButIam", NO),
    ],
)
def test_a_boundary_that_bounds_nothing_is_none(boundary: str, expected: Any) -> None:
    text = TEMPLATE.replace("RoleName: order-bot", f"PermissionsBoundary: {boundary}")
    text += """
  Boundary:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Statement: {Effect: Allow, Action: ["dynamodb:*", "sqs:SendMessage"], Resource: "*/bot-*"}}
  EveryTable:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Statement: {Effect: Allow, Action: ["dynamodb:*", "sqs:SendMessage"], Resource: "*"}}
  Everything:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Statement: {Effect: Allow, Action: "*", Resource: "*"}}
  AllButIam:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Statement: {Effect: Allow, NotAction: "iam:*", Resource: "*"}}
"""
    assert of_bot("role_permissions_boundary", text) == expected
    assert of_bot("role_permissions_boundary", TEMPLATE) is NO


ALLOWS = '{Statement: [{Effect: Allow, Principal: {AWS: !GetAtt BotRole.Arn}, Action: "%s", Resource: "*"}]}'
IN_A_PLAN = (
    '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "${aws_iam_role.r.arn}"}, "Action": "%s", '
    '"Resource": "*"}]}'
)
PLAN = """
aws_iam_role.r:
  assume_role_policy: >-
    {"Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}}
  inline_policy:
    - {policy: '{"Statement": {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:x:1:q"}}'}
aws_lambda_function.bot: {role: "${aws_iam_role.r.arn}"}
"""
SPELLINGS = {
    "kms": (
        "AWS::KMS::Key: KeyPolicy",
        "AWS::KMS::ReplicaKey: KeyPolicy",
        "aws_kms_key: policy",
        "aws_kms_key_policy: policy",
        "aws_kms_external_key: policy",
    ),
    "es": (
        "AWS::OpenSearchService::Domain: AccessPolicies",
        "AWS::Elasticsearch::Domain: AccessPolicies",
        "aws_opensearch_domain: access_policies",
        "aws_opensearch_domain_policy: access_policies",
        "aws_elasticsearch_domain: access_policies",
        "aws_elasticsearch_domain_policy: access_policies",
    ),
    "events": ("AWS::Events::EventBus: Policy", "aws_cloudwatch_event_bus_policy: policy"),
    "backup": (
        "AWS::Backup::BackupVault: AccessPolicy",
        "AWS::Backup::LogicallyAirGappedBackupVault: AccessPolicy",
        "aws_backup_vault_policy: policy",
    ),
    "s3": (
        "AWS::S3::BucketPolicy: PolicyDocument",
        "AWS::S3::AccessPoint: Policy",
        "aws_s3_bucket_policy: policy",
        "aws_s3_bucket: policy",
        "aws_s3_access_point: policy",
        "aws_s3control_access_point_policy: policy",
    ),
    "sqs": (
        "AWS::SQS::QueuePolicy: PolicyDocument",
        "AWS::SQS::QueueInlinePolicy: PolicyDocument",
        "aws_sqs_queue_policy: policy",
        "aws_sqs_queue: policy",
    ),
    "sns": (
        "AWS::SNS::TopicPolicy: PolicyDocument",
        "AWS::SNS::TopicInlinePolicy: PolicyDocument",
        "aws_sns_topic_policy: policy",
        "aws_sns_topic: policy",
    ),
    "kinesis": ("AWS::Kinesis::ResourcePolicy: ResourcePolicy", "aws_kinesis_resource_policy: policy"),
    "secretsmanager": (
        "AWS::SecretsManager::ResourcePolicy: ResourcePolicy",
        "aws_secretsmanager_secret_policy: policy",
        "aws_secretsmanager_secret: policy",
    ),
    "ecr": (
        "AWS::ECR::Repository: RepositoryPolicyText",
        "AWS::ECR::RegistryPolicy: PolicyText",
        "aws_ecr_repository_policy: policy",
        "aws_ecr_registry_policy: policy",
    ),
    "elasticfilesystem": ("AWS::EFS::FileSystem: FileSystemPolicy", "aws_efs_file_system_policy: policy"),
    "kafka": ("AWS::MSK::ClusterPolicy: Policy", "aws_msk_cluster_policy: policy"),
    "lambda": ("AWS::Lambda::ResourcePolicy: PolicyDocument",),
    "sts": ("AWS::IAM::Role: AssumeRolePolicyDocument", "aws_iam_role: assume_role_policy"),
    "dynamodb": ("aws_dynamodb_resource_policy: policy",),
    "execute-api": ("AWS::ApiGateway::RestApi: Policy",),
}
"""One right, given by the policy of a resource: each type and property that can hold it, in either language."""
OTHERS = {
    "dynamodb": (
        "{Type: AWS::DynamoDB::Table, Properties: {ResourcePolicy: {PolicyDocument: %s}}}",
        "{Type: AWS::DynamoDB::GlobalTable, Properties: {Replicas: [{ResourcePolicy: {PolicyDocument: %s}}]}}",
    ),
}
"""Where it stands deeper."""
ONE_STATEMENT = (
    "{Type: AWS::Events::EventBusPolicy, Properties: {EventBusName: b, StatementId: s, Statement: {Effect: Allow, "
    'Principal: {AWS: !GetAtt BotRole.Arn}, Action: "events:*", Resource: "*"}}}'
)


def one_right(name: str) -> Iterator[tuple[str, str]]:
    """A right in each spelling: `template` or `plan`, and the resource that gives it."""
    for one in SPELLINGS.get(name, ()):
        kind, _, attribute = one.partition(": ")
        if kind.startswith("aws_"):
            yield "plan", f"{kind}.x: {{{attribute}: '{IN_A_PLAN % f'{name}:*'}'}}"
        else:
            yield "template", f"  X: {{Type: {kind}, Properties: {{{attribute}: {ALLOWS % f'{name}:*'}}}}}"
    for one in OTHERS.get(name, ()):
        yield "template", f"  X: {one % (ALLOWS % f'{name}:*')}"
    if name == "events":
        yield "template", f"  X: {ONE_STATEMENT}"


CASES = [one for name in SPELLINGS for one in one_right(name)]


@pytest.mark.parametrize(("language", "resource"), CASES, ids=[one[1][:70] for one in CASES])
def test_one_right_is_the_roles_in_each_spelling(language: str, resource: str) -> None:
    stack = plan(PLAN + resource) if language == "plan" else template(TEMPLATE + resource)
    bot = "aws_lambda_function.bot" if language == "plan" else "Bot"
    assert answer(found(stack, "function", "role_wildcard_action", bot)) is True


@pytest.mark.parametrize(
    "resource",
    [
        "aws_glue_resource_policy.x: {policy: '%s'}",
        "aws_codeartifact_domain_permissions_policy.x: {domain: d, policy_document: '%s'}",
        "aws_api_gateway_rest_api.x: {policy: '%s'}",
        "aws_of_tomorrow.x: {who_may: '%s'}",
    ],
)
def test_a_policy_in_a_type_of_terraform_alone_counts(resource: str) -> None:
    stack = plan(PLAN + resource % (IN_A_PLAN % "glue:*"))
    assert answer(_asked(stack, "function", "role_wildcard_action", "aws_lambda_function.bot")) is True


def test_without_it_there_is_none() -> None:
    assert answer(found(plan(PLAN), "function", "role_wildcard_action", "aws_lambda_function.bot")) is False


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("!Ref Document", OPEN),  # a parameter without default
        ('!Sub \'{"Statement": ${Document}, "Role": "${BotRole.Arn}"}\'', OPEN),
        ("!Sub '${Orders.Arn} ${Document}'", NO),  # it refers to something else
    ],
)
def test_a_policy_that_cannot_be_read_may_be_about_the_role(document: str, expected: Any) -> None:
    policy = f"  X: {{Type: AWS::SQS::QueuePolicy, Properties: {{Queues: [q], PolicyDocument: {document}}}}}\n"
    text = TEMPLATE + policy + "Parameters: {Document: {Type: String}}\n"
    assert of_bot("role_wildcard_action", text) == expected
