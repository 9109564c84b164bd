"""Facts that were a person's to state, and that a template shows: in which direction, and what only looks like it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, plan, template

IDENTIFIERS = "[arn:aws:dataprotection::aws:data-identifier/EmailAddress, AwsSecretKey]"
MASKS = f"{{Statement: [{{DataIdentifier: {IDENTIFIERS}, Operation: {{Deidentify: {{MaskConfig: {{}}}}}}}}]}}"
LOGGED = """
  Bot: {{Type: AWS::Lambda::Function, Properties: {{Handler: a.b, LoggingConfig: {{LogGroup: !Ref Log}}}}}}
  Log: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: x{}}}}}
"""
OF_ACCOUNT = """
  Bot: {{Type: AWS::Lambda::Function, Properties: {{Handler: a.b}}}}
  All: {{Type: AWS::Logs::AccountPolicy, Properties: {{PolicyName: p, PolicyType: {}, PolicyDocument: '{}'}}}}
"""
MASKS_AS_TEXT = json.dumps(
    {
        "Statement": [
            {
                "DataIdentifier": ["arn:aws:dataprotection::aws:data-identifier/Address", "SlackToken"],
                "Operation": {"Deidentify": {"MaskConfig": {}}},
            }
        ],
        "Configuration": {"CustomDataIdentifier": [{"Name": "SlackToken", "Regex": "xox.-.*"}]},
    }
)
AUTHORIZED = """
  Api: {{Type: AWS::ApiGateway::RestApi}}
  Ask: {{Type: AWS::ApiGateway::Authorizer, Properties: {{RestApiId: !Ref Api, Type: {}}}}}
"""
BY_SAM = """
  Api:
    Type: AWS::Serverless::Api
    Properties: {{StageName: v, Auth: {{Authorizers: {{Ask: {{FunctionArn: arn:x, Identity: {{{}}}}}}}}}}}
"""
SCANNED = """
  Files: {{Type: AWS::S3::Bucket}}
  Scan:
    Type: AWS::GuardDuty::MalwareProtectionPlan
    Properties:
      Role: !GetAtt Scanner.Arn
      ProtectedResource: {{S3Bucket: {{BucketName: !Ref Files{}}}}}
      Actions: {{Tagging: {{Status: ENABLED}}}}
  Scanner: {{Type: AWS::IAM::Role}}
  Reader: {{Type: AWS::IAM::Role}}
  Policy: {{Type: AWS::S3::BucketPolicy, Properties: {{Bucket: !Ref Files, PolicyDocument: {{Statement: [{}]}}}}}}
"""
CLEAN = (
    "{Effect: Deny, Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::files/*', Condition:"
    " {StringNotEquals: {'s3:ExistingObjectTag/GuardDutyMalwareScanStatus': NO_THREATS_FOUND}}}"
)
KEY = """
  T: {{Type: AWS::DynamoDB::Table, Properties: {{SSESpecification: {{KMSMasterKeyId: !GetAtt K.Arn}}}}}}
  K: {{Type: AWS::KMS::Key, Properties: {{KeyPolicy: {{Statement: [{}]}}}}}}
"""
KEPT = (
    "{Effect: Deny, Principal: '*', Resource: '*', Action: ['kms:DisableKey', 'kms:ScheduleKeyDeletion',"
    " 'kms:RevokeGrant', 'kms:PutKeyPolicy'],"
    " Condition: {ArnNotLike: {'aws:PrincipalArn': 'arn:aws:iam::*:role/break-glass'}}}"
)
BY_PERSONS = "BoolIfExists: {'kms:GrantIsForAWSResource': 'false'}"
ROTATED = KEY.replace("KeyPolicy: {{Statement: [{}]}}", "{}")
TRUST = """
  Deploy:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{{Effect: Allow, Action: 'sts:AssumeRole', Principal: {}, Condition: {}}}]
"""
CODEBUILD = "{Service: codebuild.amazonaws.com}"
PROJECT = "{ArnLike: {'aws:SourceArn': 'arn:aws:codebuild:eu-west-1:111122223333:project/%s'}}"
ROLE = """
  Bot: {{Type: AWS::Lambda::Function, Properties: {{Handler: a.b, Role: !GetAtt R.Arn}}}}
  R: {{Type: AWS::IAM::Role, Properties: {{Policies: [{{PolicyDocument: {{Statement: [{}]}}}}]}}}}
"""
RESTARTS = "{Effect: Allow, Action: 'ecs:Update*', Resource: '*'%s}"
VM = "  Vm: {Type: AWS::Lambda::MicrovmImage, Properties: {Name: v, CodeArtifact: {S3Uri: s3://b/k}}}"
ON_INSTANCES = "  Bot: {{Type: AWS::Lambda::Function, Properties: {{Handler: a.b, CapacityProviderConfig: {}}}}}"
CHANNEL = "  C: {Type: AWS::Chatbot::SlackChannelConfiguration, Properties: {SlackChannelId: C1, SlackWorkspaceId: T1}}"
GUARD = """
  P:
    Type: AWS::Organizations::Policy
    Properties: {{Type: {}, Content: {{Statement: [{{Effect: Deny, Principal: '*', Action: '*', Resource: '*'{}}}]}}{}}}
"""
SCP, RCP, ATTACHED = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", ", TargetIds: [r-abcd]"
OUTSIDE = (
    ", Condition: {StringNotEqualsIfExists: {'aws:PrincipalOrgID': o-abc},"
    " BoolIfExists: {'aws:PrincipalIsAWSService': 'false'}}"
)


def sparing(roles: str) -> str:
    """The denial of reads without a clean result, which exempts these roles."""
    return CLEAN.replace("}}}", f"}}, ArnNotEquals: {{'aws:PrincipalArn': [{roles}]}}}}}}")


CASES: list[tuple[str, str, Any]] = [
    ("function.log_data_protection", LOGGED.format(f", DataProtectionPolicy: {MASKS}"), True),
    ("function.log_data_protection", LOGGED.format(""), NOTHING),
    ("function.log_data_protection", LOGGED.format(", DataProtectionPolicy: !ImportValue p"), UNKNOWN),
    ("function.log_data_protection", OF_ACCOUNT.format("DATA_PROTECTION_POLICY", MASKS_AS_TEXT), True),
    ("function.log_data_protection", OF_ACCOUNT.format("SUBSCRIPTION_FILTER_POLICY", "{}"), NOTHING),
    ("api.authorizer_scoped", AUTHORIZED.format("TOKEN, AuthorizerResultTtlInSeconds: 0"), True),
    ("api.authorizer_scoped", AUTHORIZED.format("REQUEST"), UNKNOWN),
    ("api.authorizer_scoped", AUTHORIZED.format("COGNITO_USER_POOLS, ProviderARNs: [a]"), NOTHING),
    ("api.authorizer_scoped", BY_SAM.format("ReauthorizeEvery: 0"), True),
    ("api.authorizer_scoped", BY_SAM.format("ReauthorizeEvery: 60"), UNKNOWN),
    ("store.uploads_scanned", SCANNED.format("", CLEAN), True),
    ("store.uploads_scanned", SCANNED.format("", sparing("!GetAtt Scanner.Arn")), True),
    ("store.uploads_scanned", SCANNED.format("", sparing("!GetAtt Reader.Arn")), UNKNOWN),
    (
        "store.uploads_scanned",
        SCANNED.format("", sparing("!GetAtt Scanner.Arn, !GetAtt Reader.Arn")),
        UNKNOWN,
    ),
    ("store.uploads_scanned", SCANNED.format(", ObjectPrefixes: [in/]", CLEAN), UNKNOWN),
    ("store.uploads_scanned", SCANNED.format("", CLEAN.replace("'*'", "{AWS: 'arn:aws:iam::1:role/r'}", 1)), UNKNOWN),
    ("store.key_deletion_guarded", KEY.format(KEPT), True),
    ("store.key_deletion_guarded", KEY.format(KEPT.replace("break-glass", "*")), UNKNOWN),
    ("store.key_deletion_guarded", KEY.format(KEPT.replace("'kms:DisableKey', ", "")), UNKNOWN),
    ("store.key_deletion_guarded", KEY.format(KEPT.replace("'kms:RevokeGrant', ", "")), UNKNOWN),
    ("store.key_deletion_guarded", KEY.format(KEPT.replace("}}}", "}, " + BY_PERSONS + "}}")), True),
    (
        "store.key_deletion_guarded",
        KEY.format(KEPT.replace("}}}", "}, " + BY_PERSONS.replace("false", "true") + "}}")),
        UNKNOWN,
    ),
    ("store.key_rotated", ROTATED.format("EnableKeyRotation: true"), True),
    ("store.key_rotated", ROTATED.format("EnableKeyRotation: false"), False),
    ("store.key_rotated", ROTATED.format("PendingWindowInDays: 30"), False),
    ("store.key_rotated", ROTATED.format("EnableKeyRotation: true, RotationPeriodInDays: 366"), False),
    ("store.key_rotated", ROTATED.format("EnableKeyRotation: true, RotationPeriodInDays: 90"), True),
    ("store.key_rotated", ROTATED.format("EnableKeyRotation: !ImportValue on"), UNKNOWN),
    ("store.key_rotated", ROTATED.format("Enabled: true").replace("!GetAtt K.Arn", "alias/other"), UNKNOWN),
    ("pipeline.runner_role_bound", TRUST.format(CODEBUILD, PROJECT % "deploy"), True),
    ("pipeline.runner_role_bound", TRUST.format(CODEBUILD, PROJECT % "*"), False),
    ("pipeline.runner_role_bound", TRUST.format(CODEBUILD, "{}"), False),
    ("pipeline.runner_role_bound", TRUST.format("{Service: codebuild.amazonaws.com, AWS: '*'}", "{}"), False),
    ("pipeline.runner_role_bound", TRUST.format("{Service: lambda.amazonaws.com}", "{}"), NOTHING),
    ("function.privileged_commands", ROLE.format(RESTARTS % ""), True),
    ("function.privileged_commands", ROLE.format(RESTARTS.replace("ecs:Update*", "s3:GetObject") % ""), NOTHING),
    ("function.privileged_commands", ROLE.format(RESTARTS.replace("Allow", "Deny") % ""), NOTHING),
    ("account.runs_microvms", VM, True),
    ("account.runs_managed_instances", ON_INSTANCES.format("{LambdaManagedInstancesCapacityProviderConfig: {}}"), True),
    ("account.runs_managed_instances", ON_INSTANCES.format("!Ref AWS::NoValue"), NOTHING),
    ("workspace.operational_traffic", CHANNEL, True),
    ("account.code_readers_restricted", GUARD.format(SCP, "", ""), False),
    ("account.code_readers_restricted", GUARD.format(SCP, "", ATTACHED), UNKNOWN),
    ("account.microvm_tokens_restricted", GUARD.format(SCP, "", ""), False),
    ("account.data_perimeter", GUARD.format(RCP, OUTSIDE, ""), False),
    ("account.data_perimeter", GUARD.format(RCP, OUTSIDE, ATTACHED), UNKNOWN),
    ("account.data_perimeter", GUARD.format(SCP, OUTSIDE, ""), NOTHING),
]


@pytest.mark.parametrize(("fact", "text", "expected"), CASES, ids=[f"{one[0]}-{one[2]}" for one in CASES])
def test_what_a_template_shows(fact: str, text: str, expected: Any) -> None:
    kind, _, name = fact.partition(".")
    element = {"api": "Api", "store": "Files" if "Files:" in text else "T"}.get(kind, "")
    assert answer(found(template(text), kind, name, element)) == expected


def test_a_plan_has_the_policy_of_a_log_in_a_resource_of_its_own() -> None:
    stated = json.dumps(
        {
            "Statement": [
                {"DataIdentifier": ["AwsSecretKey", "Address"], "Operation": {"Deidentify": {"MaskConfig": {}}}}
            ]
        }
    )
    text = (
        "aws_lambda_function.b: {handler: a.b, logging_config: [{log_group: '${aws_cloudwatch_log_group.l.name}'}]}\n"
        "aws_cloudwatch_log_group.l: {name: x}\n"
        "aws_cloudwatch_log_data_protection_policy.p:\n"
        f"  {{log_group_name: '${{aws_cloudwatch_log_group.l.name}}', policy_document: '{stated}'}}\n"
    )
    assert answer(found(plan(text), "function", "log_data_protection")) is True


@pytest.mark.parametrize(
    ("settings", "expected"), [("enable_key_rotation: true", True), ("description: a", False), ("", False)]
)
def test_a_plan_shows_whether_a_key_is_rotated(settings: str, expected: Any) -> None:
    text = (
        f"aws_kms_key.k: {{{settings}}}\n"
        "aws_dynamodb_table.t: {server_side_encryption: [{enabled: true, kms_key_arn: '${aws_kms_key.k.arn}'}]}\n"
    )
    assert answer(found(plan(text), "store", "key_rotated")) is expected
