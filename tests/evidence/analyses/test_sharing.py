"""Whom the policies of resources let in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.policies.stating import (
    HERE,
    NO,
    NOTHING,
    OPEN,
    UNKNOWN,
    YES,
    asked,
    by_policy,
    document,
    fact,
    resource,
    shared,
    stack,
    word,
)
from threatmodel.stacks.values import Link, Node


@pytest.mark.parametrize(
    ("stated", "public"),
    [
        ([shared("*")], YES),
        ([shared({"AWS": ["*"]})], YES),
        ([shared({"AWS": "111122223333"})], NO),
        ([shared("*", {"StringEquals": {"aws:PrincipalOrgID": "o-1"}})], NO),
        ([shared("*", {"StringEquals": {"aws:SourceVpce": UNKNOWN}})], OPEN),
        ([shared("*", {"StringEquals": {"aws:SourceVpce": [UNKNOWN]}})], NO),
        ([shared("*", {"StringLike": {"aws:SourceVpce": UNKNOWN}})], OPEN),
        ([shared("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}})], YES),
        ([shared("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::shop"}})], NO),
        ([shared("*", {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}})], YES),
        ([shared("*", {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})], NO),
        ([shared("*", {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}})], YES),
        ([shared("*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}})], YES),
        ([shared("*", {"Bool": {"aws:SecureTransport": "true"}})], YES),
        ([shared("*", UNKNOWN)], OPEN),
        ([shared(UNKNOWN)], OPEN),
        ([shared("*"), shared("*", {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, "Deny")], NO),
        ([shared("*"), shared("*", {"Bool": {"aws:SecureTransport": "false"}}, "Deny")], YES),
        ([{**shared("*"), "Effect": "Deny"}], NO),
        ([{"Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "s3:*", "Resource": "*"}], YES),
        ([UNKNOWN], OPEN),
    ],
)
def test_whom_a_policy_lets_in(stated: list[Any], public: Any) -> None:
    assert by_policy("public-statement", *stated) == public


@pytest.mark.parametrize(
    ("permission", "public", "pinned"),
    [
        ({"Principal": "*"}, YES, NOTHING),
        ({"Principal": "*", "FunctionUrlAuthType": "NONE"}, YES, NOTHING),
        ({"Principal": "*", "PrincipalOrgID": "o-1"}, NO, NOTHING),
        ({"Principal": "*", "SourceArn": "*"}, YES, NO),
        ({"Principal": UNKNOWN}, OPEN, OPEN),
        ({"Principal": "111122223333"}, NO, NOTHING),
        ({"Principal": "sns.amazonaws.com"}, NO, NO),
        ({"Principal": "sns.amazonaws.com", "SourceArn": Link("Topic", "", HERE)}, NO, YES),
        ({"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::shop"}, NO, NO),
        ({"Principal": "s3.amazonaws.com", "SourceArn": Link("Files", "Arn", HERE)}, NO, NO),
        ({"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::shop", "SourceAccount": "1"}, NO, YES),
        ({"Principal": "events.amazonaws.com", "SourceArn": "arn:aws:events:eu-west-1:1:rule/daily"}, NO, YES),
        ({"Principal": "events.amazonaws.com", "SourceArn": "arn:aws:events:*:1:rule/*"}, NO, NO),
        ({"Principal": "alexa-appkit.amazon.com", "EventSourceToken": "skill"}, NO, YES),
        ({"Principal": "apigateway.amazonaws.com", "SourceArn": None}, NO, NO),
        ({"Principal": "*", "SourceArn": None}, YES, NOTHING),
    ],
)
def test_permissions_of_a_function(permission: dict[str, Any], public: Any, pinned: Any) -> None:
    around = stack(resource(), resource("Topic", "AWS::SNS::Topic"), resource("Files", "AWS::S3::Bucket"))
    assert word(asked("public-statement", ("permission", permission), around=around)) == public
    assert word(asked("sources-pinned", ("permission", permission), around=around)) == pinned


URL = ("url", {"AuthType": "NONE"})
FOR_ALL = {"Principal": "*", "Action": "lambda:InvokeFunction"}


@pytest.mark.parametrize(
    ("part", "beside", "alone"),
    [
        (("permission", {**FOR_ALL, "FunctionUrlAuthType": "NONE"}), OPEN, YES),
        (("permission", {**FOR_ALL, "InvokedViaFunctionUrl": True}), OPEN, YES),
        (("permission", FOR_ALL), YES, YES),
        (("permission", {**FOR_ALL, "FunctionUrlAuthType": "AWS_IAM"}), YES, YES),
        (("permission", {**FOR_ALL, "InvokedViaFunctionUrl": False}), YES, YES),
        (("permission", {**FOR_ALL, "FunctionUrlAuthType": UNKNOWN}), YES, YES),
        (("permission", {**FOR_ALL, "Action": "lambda:InvokeFunctionUrl"}), YES, YES),
        (("policy", document(shared("*", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}))), OPEN, YES),
        (("policy", document(shared("*", {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}))), OPEN, YES),
        (("policy", document(shared("*", {"BoolIfExists": {"lambda:InvokedViaFunctionUrl": "true"}}))), YES, YES),
        (("policy", document(shared("*", {"Bool": {"lambda:InvokedViaFunctionUrl": "false"}}))), YES, YES),
        (("policy", document(shared("*", {"StringNotEquals": {"lambda:FunctionUrlAuthType": "NONE"}}))), YES, YES),
        (("policy", document(shared("*"))), YES, YES),
    ],
)
def test_what_a_public_url_needs_is_no_direct_invocation(part: tuple[str, Any], beside: Any, alone: Any) -> None:
    """Only beside that URL, which is an api of its own: without it the statement stays an alarm."""
    assert word(asked("anyone-invokes", part, URL)) == beside
    assert word(asked("anyone-invokes", part)) == alone
    assert word(asked("anyone-invokes", part, ("url", {"AuthType": "AWS_IAM"}))) == alone
    assert word(asked("anyone-invokes", part, URL, ("permission", FOR_ALL))) is YES


ON = {"RestrictPublicBuckets": True, "IgnorePublicAcls": True}
READABLE = document({**shared("*"), "Action": "s3:GetObject"})
OFF = {"RestrictPublicBuckets": False, "IgnorePublicAcls": False}


@pytest.mark.parametrize(
    ("parts", "public"),
    [
        ([("policy", READABLE)], YES),
        ([("policy", READABLE), ("block", ON)], NO),
        ([("policy", READABLE), ("block", OFF)], YES),
        ([("policy", READABLE), ("block", UNKNOWN)], OPEN),
        ([("policy", READABLE), ("block", OFF), ("account-block", ON)], NO),
        ([("acl", "PublicRead")], YES),
        ([("acl", "public-read"), ("block", ON)], NO),
        ([("acl", "Private")], OPEN),
        ([("block", ON)], NO),
        ([("block", OFF)], OPEN),
        ([("policy", document(shared({"AWS": "1"})))], NO),
        ([("acl", {"Grantee": {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}})], YES),
    ],
)
def test_public_buckets(parts: list[tuple[str, Any]], public: Any) -> None:
    assert word(asked("bucket-public", *parts)) == public


def allows(*actions: str, **more: Any) -> Node:
    statement = {"Effect": "Allow", "Principal": "*", "Action": list(actions), "Resource": "arn:aws:s3:::b/*", **more}
    return document(statement)


CLOUDFRONT = {"Principal": {"Service": "cloudfront.amazonaws.com"}}
OF_THE_DISTRIBUTION = {"Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:cloudfront::1:distribution/E1"}}}
GROUP = {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}


@pytest.mark.parametrize(
    ("part", "read", "written"),
    [
        (("policy", allows("s3:GetObject")), YES, NO),
        (("policy", allows("s3:GetObject", "s3:ListBucket")), YES, NO),
        (("policy", allows("s3:Get*")), YES, NO),
        (("policy", allows("s3:PutObject")), NO, YES),
        (("policy", allows("s3:DeleteObject")), NO, YES),
        (("policy", allows("s3:PutBucketPolicy")), NO, YES),
        (("policy", allows("s3:*")), YES, YES),
        (("policy", allows("*")), YES, YES),
        (("policy", allows("s3:GetObject", "s3:InventedLater")), YES, OPEN),
        (("policy", allows("s3:InventedLater")), OPEN, OPEN),
        (
            ("policy", document({"Effect": "Allow", "Principal": "*", "NotAction": "s3:PutObject", "Resource": "*"})),
            YES,
            YES,
        ),
        (("policy", allows("s3:GetObject", **CLOUDFRONT, **OF_THE_DISTRIBUTION)), OPEN, NO),
        (("policy", allows("s3:PutObject", **CLOUDFRONT, **OF_THE_DISTRIBUTION)), NO, OPEN),
        (("policy", allows("s3:GetObject", **CLOUDFRONT)), YES, NO),
        (("acl", "PublicRead"), YES, NO),
        (("acl", "PublicReadWrite"), YES, YES),
        (("acl", "public-read-write"), YES, YES),
        (("acl", "AuthenticatedRead"), YES, NO),
        (("acl", {"grant": [{"grantee": [GROUP], "permission": "READ"}]}), YES, NO),
        (("acl", {"grant": [{"grantee": [GROUP], "permission": "WRITE"}]}), NO, YES),
        (("acl", {"grant": [{"grantee": [GROUP], "permission": "FULL_CONTROL"}]}), YES, YES),
        (("acl", {"grant": [{"grantee": [GROUP], "permission": UNKNOWN}]}), OPEN, OPEN),
        (("acl", {"grant": [{"grantee": [{"URI": UNKNOWN}], "permission": "READ"}]}), OPEN, OPEN),
    ],
)
def test_reading_and_writing_are_two_questions(part: tuple[str, Any], read: Any, written: Any) -> None:
    """Public for one of them says nothing of the other; what may be either is unknown for both."""
    closed = [("policy", document(shared({"AWS": "1"})))] if part[0] == "acl" else []
    assert word(asked("bucket-public", part, *closed)) == read
    assert word(asked("bucket-writable", part, *closed)) == written


_CUSTOMER = "s3:x-amz-server-side-encryption-customer-algorithm"


def uploads(condition: Any) -> Node:
    stated = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}
    return document({**stated, "Condition": condition})


@pytest.mark.parametrize(
    ("parts", "refused"),
    [
        ([("policy", uploads({"Null": {_CUSTOMER: "false"}}))], YES),
        ([("policy", uploads({"Null": {_CUSTOMER: "true"}}))], OPEN),
        ([("policy", uploads({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}))], YES),
        ([("policy", uploads({"Bool": {"aws:SecureTransport": "false"}}))], OPEN),
        ([("policy", uploads({"Null": {_CUSTOMER: UNKNOWN}}))], OPEN),
        ([("blocked-types", {"EncryptionType": ["SSE-C"]})], YES),
        ([("blocked-types", ["SSE-C"])], YES),
        ([("blocked-types", {"EncryptionType": ["NONE"]})], NO),
        ([("policy", UNKNOWN)], OPEN),
    ],
)
def test_keys_that_a_writer_brings(parts: list[tuple[str, Any]], refused: Any) -> None:
    assert word(asked("refuses-customer-keys", *parts)) == refused


SHOP = """
AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Jobs: {Type: AWS::SQS::Queue}
  Token: {Type: AWS::SecretsManager::Secret}
  BotRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: work
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Jobs.Arn}
              - {Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: !Ref Token}
  Bot: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt BotRole.Arn}}
"""
MACHINE = """
  MachineRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - {PolicyName: work, PolicyDocument: {Statement: [{Effect: Allow, Action: ACTION, Resource: RESOURCE}]}}
"""
FENCE = """
  TokenPolicy:
    Type: AWS::SecretsManager::ResourcePolicy
    Properties:
      SecretId: !Ref Token
      ResourcePolicy:
        Statement:
          - Effect: Deny
            Principal: '*'
            Action: secretsmanager:GetSecretValue
            Resource: '*'
            Condition: {ArnNotEquals: {aws:PrincipalArn: [!GetAtt BotRole.Arn]}}
          - Effect: Deny
            Principal: '*'
            Action: ['secretsmanager:DeleteResourcePolicy', 'secretsmanager:PutResourcePolicy']
            Resource: '*'
            Condition: {ArnNotLike: {aws:PrincipalArn: 'arn:aws:iam::*:role/deploy'}}
"""
JOBS_FENCE = """
  JobsPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Jobs]
      PolicyDocument:
        Statement:
          - Effect: Deny
            Principal: '*'
            Action: sqs:SendMessage
            Resource: '*'
            Condition: {ArnNotEquals: {aws:PrincipalArn: !GetAtt BotRole.Arn}, SERVICES}
          - Effect: Deny
            Principal: '*'
            Action: ['sqs:*Permission', 'sqs:DeleteQueue', 'sqs:SetQueueAttributes']
            Resource: '*'
            Condition: {ArnNotLike: {aws:PrincipalArn: 'arn:aws:iam::*:role/deploy'}}
"""
SPARED = JOBS_FENCE.replace("SERVICES", "BoolIfExists: {aws:PrincipalIsAWSService: 'false'}")
LET_IN = "          - {{Effect: Allow, Principal: {}, Action: sqs:SendMessage, Resource: '*'{}}}\n"
NEWS = "\n  News: {Type: AWS::SNS::Topic}\n"
OPEN_QUEUE = """
  JobsPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Jobs]
      PolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: sqs:SendMessage, Resource: '*'}]
"""


@pytest.mark.parametrize(
    ("added", "senders", "readers"),
    [
        ("", OPEN, OPEN),
        (MACHINE.replace("ACTION", "sqs:SendMessage").replace("RESOURCE", "!GetAtt Jobs.Arn"), NO, OPEN),
        (MACHINE.replace("ACTION", "'secretsmanager:Get*'").replace("RESOURCE", "'*'"), OPEN, NO),
        (MACHINE.replace("ACTION", "s3:GetObject").replace("RESOURCE", "'*'"), OPEN, OPEN),
        (FENCE, OPEN, YES),
        (OPEN_QUEUE, NO, OPEN),
        # a fence that leaves AWS's services out holds where no statement lets them in
        (SPARED, YES, OPEN),
        # and where nobody but named principals can replace it
        (SPARED.replace("'sqs:*Permission', ", ""), OPEN, OPEN),
        (SPARED.replace("'sqs:SetQueueAttributes'", "'sqs:GetQueueAttributes'"), OPEN, OPEN),
        (SPARED.replace("'sqs:DeleteQueue', ", ""), OPEN, OPEN),  # another queue under its name has no policy
        (SPARED.replace("role/deploy", "role/*"), OPEN, OPEN),
        (SPARED.replace("Condition: {ArnNotLike: {aws:PrincipalArn: 'arn:aws:iam::*:role/deploy'}}", ""), YES, OPEN),
        (FENCE.replace("'secretsmanager:DeleteResourcePolicy', ", ""), OPEN, OPEN),
        (JOBS_FENCE.replace("SERVICES", "BoolIfExists: {aws:PrincipalIsAWSService: 'true'}"), OPEN, OPEN),
        (JOBS_FENCE.replace("SERVICES", "Bool: {aws:PrincipalIsAWSService: 'false'}"), OPEN, OPEN),
        (JOBS_FENCE.replace("SERVICES", "BoolIfExists: {aws:PrincipalIsAWSService: !ImportValue x}"), OPEN, OPEN),
        (JOBS_FENCE.replace("SERVICES", "BoolIfExists: {aws:ViaAWSService: 'false'}"), OPEN, OPEN),
        (SPARED + LET_IN.format("{AWS: !GetAtt BotRole.Arn}", ""), YES, OPEN),
        (SPARED + LET_IN.format("{Service: sns.amazonaws.com}", ""), NO, OPEN),
        (OPEN_QUEUE.replace("'*'}]", "'*', Condition: {ArnLike: {aws:SourceArn: 'arn:aws:sns:*:*:*'}}}]"), NO, OPEN),
        (OPEN_QUEUE.replace("'*'}]", "'*', Condition: {Bool: {aws:SecureTransport: 'true'}}}]"), NO, OPEN),
        (OPEN_QUEUE.replace("'*'}]", "'*', Condition: {ArnLike: {aws:SourceArn: !ImportValue x}}}]"), OPEN, OPEN),
        (SPARED + LET_IN.format("'*'", ", Condition: {StringEquals: {aws:SourceAccount: '111122223333'}}"), OPEN, OPEN),
        (SPARED + LET_IN.format("{AWS: !ImportValue x}", ""), OPEN, OPEN),
        (
            SPARED
            + LET_IN.format("{Service: sns.amazonaws.com}", ", Condition: {ArnEquals: {aws:SourceArn: !Ref News}}")
            + NEWS,
            YES,
            OPEN,
        ),
        (
            SPARED
            + LET_IN.format(
                "{Service: sns.amazonaws.com}", ", Condition: {ArnEquals: {aws:SourceArn: !ImportValue x}}"
            ),
            OPEN,
            OPEN,
        ),
    ],
)
def test_who_else_may_send_and_read(added: str, senders: Any, readers: Any) -> None:
    assert fact(SHOP + added, "queue", "senders_restricted", "Jobs") == senders
    assert fact(SHOP + added, "secret", "readers_restricted", "Token") == readers


READ_BY_BOT = """
  {}:
    Type: {}
    Properties:
      {}
        Statement:
          - Effect: Deny
            Principal: '*'
            Action: [{}]
            Resource: '*'
            Condition: {{ArnNotEquals: {{aws:PrincipalArn: !GetAtt BotRole.Arn}}}}
          - Effect: Deny
            Principal: '*'
            Action: [{}]
            Resource: '*'
            Condition: {{ArnNotLike: {{aws:PrincipalArn: 'arn:aws:iam::*:role/deploy'}}}}
"""
QUEUE_READ_BY_BOT = READ_BY_BOT.format(
    *("JobsPolicy", "AWS::SQS::QueuePolicy", "Queues: [!Ref Jobs]\n      PolicyDocument:"),
    "'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:PurgeQueue', 'sqs:StartMessageMoveTask'",
    "'sqs:*Permission', 'sqs:DeleteQueue', 'sqs:SetQueueAttributes'",
)
STREAM_READ_BY_BOT = "\n  Jobs: {Type: AWS::Kinesis::Stream}" + READ_BY_BOT.format(
    *("JobsPolicy", "AWS::Kinesis::ResourcePolicy", "ResourceArn: !GetAtt Jobs.Arn\n      ResourcePolicy:"),
    "'kinesis:GetRecords', 'kinesis:SubscribeToShard'",
    "'kinesis:DeleteResourcePolicy', 'kinesis:PutResourcePolicy'",
)


def test_a_denial_on_a_stream_says_nothing_of_its_consumers() -> None:
    """SubscribeToShard is about a consumer: a principal that may register one reads the stream through it."""
    assert fact(SHOP + QUEUE_READ_BY_BOT, "queue", "readers_restricted", "Jobs") == YES
    shop = SHOP.replace("  Jobs: {Type: AWS::SQS::Queue}\n", "")
    assert fact(shop + STREAM_READ_BY_BOT, "queue", "readers_restricted", "Jobs") == OPEN
    assert (
        fact(shop + STREAM_READ_BY_BOT.replace("Effect: Deny", "Effect: Allow"), "queue", "readers_restricted", "Jobs")
        == NO
    )


BUS_RULED_BY_BOT = """
  News: {Type: AWS::Events::EventBus, Properties: {Name: news}}
  Rules:
    Type: AWS::Events::EventBusPolicy
    Properties:
      EventBusName: !Ref News
      StatementId: rules
      Statement:
        Effect: EFFECT
        Principal: '*'
        Action: ['events:PutRule', 'events:PutTargets']
        Resource: '*'
        Condition: {ArnNotEquals: {aws:PrincipalArn: !GetAtt BotRole.Arn}}
  Itself:
    Type: AWS::Events::EventBusPolicy
    Properties:
      EventBusName: !Ref News
      StatementId: itself
      Statement:
        Effect: Deny
        Principal: '*'
        Action: ['events:PutPermission', 'events:RemovePermission']
        Resource: '*'
        Condition: {ArnNotLike: {aws:PrincipalArn: 'arn:aws:iam::*:role/deploy'}}
"""


def test_a_denial_on_a_bus_is_no_proof_of_who_writes_its_rules() -> None:
    """PutRule and PutTargets are about a rule, which is a resource beside the bus."""
    denied, allowed = (SHOP + BUS_RULED_BY_BOT.replace("EFFECT", one) for one in ("Deny", "Allow"))
    assert fact(denied, "queue", "subscribers_restricted", "News") == OPEN
    assert fact(allowed, "queue", "subscribers_restricted", "News") == NO
    sends = denied.replace("'events:PutRule', 'events:PutTargets'", "'events:PutEvents'")
    assert fact(sends, "queue", "senders_restricted", "News") == OPEN  # a policy of a bus denies no change of itself


WORKFLOW_ROLE = """
  FlowRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: %s}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: work
          PolicyDocument: {Statement: [{Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Jobs.Arn}]}
"""
WORKFLOW = """
  Flow:
    Type: AWS::StepFunctions::StateMachine
    Properties: {RoleArn: !GetAtt FlowRole.Arn, DefinitionString: '{}'}
"""


@pytest.mark.parametrize(
    ("added", "senders"),
    [
        (WORKFLOW_ROLE % "states.amazonaws.com" + WORKFLOW, OPEN),
        (WORKFLOW_ROLE % "states.amazonaws.com", OPEN),
        (WORKFLOW_ROLE % "apigateway.amazonaws.com", OPEN),
        (WORKFLOW_ROLE % "[apigateway.amazonaws.com, ec2.amazonaws.com]", NO),
        (WORKFLOW_ROLE % "ec2.amazonaws.com", NO),
        (WORKFLOW_ROLE.replace("{Service: %s}", "{AWS: '*'}") + WORKFLOW, NO),
    ],
    ids=["a state machine", "one elsewhere", "an API", "an API and machines", "machines", "anyone as a state machine"],
)
def test_a_service_that_passes_on_what_it_is_set_up_to_is_no_other_sender(added: str, senders: Any) -> None:
    assert fact(SHOP + added, "queue", "senders_restricted", "Jobs") == senders
