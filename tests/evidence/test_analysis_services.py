"""What holds for all analyses that are not about policies."""

from __future__ import annotations

import time

import pytest

from tests.evidence.asking import AT, PLANES, UNKNOWN, answer, found, places, template
from threatmodel.evidence.analyses.registry import analyses
from threatmodel.evidence.mappings.format import FactMapping
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.model.vocabulary import KINDS
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Table

# --- what holds for all


NESTED = "  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: https://example.com/t.yaml}}\n"


ROUTE = """
  A: {Type: AWS::ApiGateway::RestApi}
  V: {Type: AWS::ApiGateway::RequestValidator, Properties: {RestApiId: !Ref A, ValidateRequestParameters: true}}
  M:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref A
      HttpMethod: GET
      RequestValidatorId: !Ref V
      RequestParameters: {method.request.header.X: true}
"""
INLINE = "  F: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: pass}}}\n"


@pytest.mark.parametrize(
    ("kind", "fact", "text"), [("api", "request_validation", ROUTE), ("pipeline", "artifacts_immutable", INLINE)]
)
def test_a_part_that_is_not_read_takes_away_what_is_good(kind: str, fact: str, text: str) -> None:
    assert answer(found(template(text), kind, fact)) is True
    assert answer(found(template(text + NESTED), kind, fact)) == UNKNOWN


def _whole(name: str) -> str:
    """A template with something for every analysis, for one function."""
    return f"""
  F{name}:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Layers: [!Sub "arn:aws:lambda:eu-west-1:${{AWS::AccountId}}:layer:shared:7"]
      Environment: {{Variables: {{TABLE: orders, TOKEN_ARN: !Ref Secret, A: "1", B: "2"}}}}
      VpcConfig: {{SubnetIds: [a], SecurityGroupIds: [!Ref Group]}}
      DeploymentPreference: {{Type: Canary10Percent5Minutes, Alarms: [!Ref Alarm]}}
      AutoPublishAlias: live
      Events: {{E: {{Type: Api, Properties: {{Path: /{name}, Method: post}}}}}}
"""


@pytest.mark.slow
def test_five_hundred_functions_take_a_fraction_of_two_seconds() -> None:
    stack = template(
        """
Resources:
  Secret: {Type: AWS::SecretsManager::Secret}
  Alarm: {Type: AWS::CloudWatch::Alarm}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {SecurityGroupEgress: [{CidrIp: 203.0.113.7/32}]}}
"""
        + "".join(_whole(f"f{n}") for n in range(500))
    )
    facts = StackFacts(stack, places())
    whole = Resource(name="", type="", properties=Table({}, AT), place=AT)
    asked = [(kind, one) for one in stack.resources.values() for kind in facts.kinds_of_type(one.type)]
    rows: dict[str, list[FactMapping]] = {
        kind: [row for by in places().facts.get(kind, {}).values() for row in by if row.analysis] for kind in KINDS
    }
    spent: dict[str, float] = {}
    for kind, resource in (*asked, *((plane, whole) for plane in PLANES)):
        for row in rows[kind]:
            parts = facts.gathered(kind, row.gather, resource)
            before = time.process_time()
            if parts:
                analyses()[row.analysis].function(parts, resource, stack)
                spent[row.analysis] = spent.get(row.analysis, 0) + time.process_time() - before
    assert {"layers-trusted", "secret-in-environment", "egress", "artifacts-immutable", "deployment-steps"} <= set(
        spent
    )
    print({name: round(seconds * 1000, 1) for name, seconds in spent.items()})  # noqa: T201 - shown with -s
    assert sum(spent.values()) < 3
