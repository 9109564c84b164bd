"""Rights that policies of resources give to a function's role, and the boundary that should bound it."""

from __future__ import annotations

from typing import Any

import pytest

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
