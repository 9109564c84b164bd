"""Policies written down as plain data, and questions put to them."""

from __future__ import annotations

from typing import Any

from threatmodel.evidence.analyses.registry import analyses
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.policies.arns import Targets
from threatmodel.evidence.policies.grants import statements
from threatmodel.evidence.policies.permissions import Reach, reached
from threatmodel.reading.problems import Place
from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown

HERE = Place("template.yaml", 7, 3)
MAPPINGS = load_mappings()
UNKNOWN = Unknown("the parameter P has no default", HERE, given=("P",))
YES, NO, OPEN, NOTHING = True, False, "open", None


def node(raw: Any) -> Node:
    """Plain data as nodes; nodes in it stay."""
    match raw:
        case dict():
            return Table({name: node(child) for name, child in raw.items()}, HERE)
        case list():
            return List(tuple(node(child) for child in raw), HERE)
        case Scalar() | Table() | Link() | Joined() | Unknown():
            return raw
        case _:
            return Scalar(raw, HERE)


def document(*stated: Any) -> Node:
    return node({"Version": "2012-10-17", "Statement": list(stated)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def resource(name: str = "Bot", kind: str = "AWS::Lambda::Function", **properties: Any) -> Resource:
    found = node(properties)
    assert isinstance(found, Table)
    return Resource(name=name, type=kind, properties=found, place=HERE)


def stack(*resources: Resource, kind: str = "cloudformation") -> Stack:
    return Stack(file="template.yaml", kind=kind, resources={one.name: one for one in resources})


POLICY_ANALYSES = tuple(
    name
    for name, one in analyses().items()
    if {"policy", "managed", "sam", "trust", "guardrail", "block"} & set(one.takes)
)
"""The analyses that read policies."""


def asked(name: str, *parts: tuple[str, Any], around: Stack | None = None, of: Resource | None = None) -> Outcome:
    bot = of or resource()
    gathered = [Gathered(part, node(raw), bot) for part, raw in parts]
    return analyses()[name].function(gathered, bot, around or stack(bot))


def word(outcome: Outcome) -> Any:
    return OPEN if isinstance(outcome, Unanswered) else outcome.value if isinstance(outcome, Answered) else NOTHING


def by_policy(name: str, *stated: Any) -> Any:
    return word(asked(name, ("policy", document(*stated))))


def trust(principal: Any, **more: Any) -> Node:
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


GITHUB = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"


def shared(principal: Any, condition: Any = None, effect: str = "Allow") -> dict[str, Any]:
    found = {"Effect": effect, "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": "*"}
    return {**found, "Condition": condition} if condition is not None else found


def read(text: str) -> Stack:
    return sam.expanded(*cloudformation.read(text, "template.yaml"))


def fact(text: str, kind: str, name: str, of: str) -> Any:
    found = read(text)
    return word(StackFacts(found, MAPPINGS).of(kind, found.resources[of]).get(name))


STORES = stack(
    resource("Orders", "AWS::DynamoDB::Table"),
    resource("Named", "AWS::DynamoDB::Table", TableName="orders"),
    resource("ByStack", "AWS::DynamoDB::Table", TableName="${AWS::StackName}-carts"),
    resource("ByParameter", "AWS::DynamoDB::Table", TableName=Joined((UNKNOWN, "-log"), HERE)),
    resource("Files", "AWS::S3::Bucket"),
    resource("Jobs", "AWS::SQS::Queue"),
    resource("Token", "AWS::SecretsManager::Secret", Name="shop/token"),
    resource("Setting", "AWS::SSM::Parameter", Name="/shop/setting"),
)


def reach(*stated: Any) -> dict[str, Reach]:
    return dict(reached(statements(document(*stated)), Targets(STORES)))


FUNCTION = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Wide: {Type: String, Default: 'yes'}
  Name: {Type: String}
Conditions:
  IsWide: !Equals [!Ref Wide, 'yes']
Resources:
  Orders: {Type: AWS::DynamoDB::Table}
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      Tracing: Active
      Policies:
        - DynamoDBReadPolicy: {TableName: !Ref Orders}
        - POLICY
"""


READINGS = ("*", "s3:*", "s3:GetObject", "sts:AssumeRole", "xray:PutTraceSegments", "lambda.amazonaws.com")
