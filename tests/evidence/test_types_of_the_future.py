"""A type that no table has and that is handed a role may give it rights: what is known of the role is in doubt."""

from __future__ import annotations

import pytest

from tests.evidence.asking import plan, template
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.unread_parts import touches
from threatmodel.stacks.stack import Stack

TEMPLATE = """
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {RoleName: bot, AssumeRolePolicyDocument: {Statement: []}}}
  F: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt Role.Arn}}
"""
PLAN = """
aws_iam_role.r: {name: bot, assume_role_policy: '{"Statement":[]}'}
aws_lambda_function.f: {role: "${aws_iam_role.r.arn}"}
"""


def in_doubt(stack: Stack) -> dict[str, str]:
    """Why the function is in doubt, by the name of what may change it."""
    function = next(one.name for one in stack.resources.values() if one.type == "AWS::Lambda::Function")
    found = touches(stack, StackFacts(stack, load_mappings()), {function: "f"})
    return {one.why.split("'")[1]: one.why.partition(": ")[2] for one in found if one.elements and "f" in one.elements}


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("{Type: AWS::IAM::GrantOfTomorrow, Properties: {Roles: [!Ref Role]}}", "AWS::IAM::GrantOfTomorrow"),
        ("{Type: AWS::Tomorrow::Thing, Properties: {RoleArn: !GetAtt Role.Arn}}", "AWS::Tomorrow::Thing"),
        ("{Type: AWS::Tomorrow::Thing, Properties: {Who: bot}}", "AWS::Tomorrow::Thing"),
        ("{Type: Acme::Tomorrow::Thing, Properties: {Who: !Ref F}}", "Acme::Tomorrow::Thing"),
        ("{Type: AWS::Route53::RecordSet, Properties: {Name: bot}}", ""),
    ],
)
def test_in_a_template(resource: str, kind: str) -> None:
    assert in_doubt(template(f"{TEMPLATE}  X: {resource}\n")) == (
        {"X": f"the type '{kind}' is unknown"} if kind else {}
    )


@pytest.mark.parametrize(
    ("resource", "unknown"),
    [
        ("aws_iam_grant_of_tomorrow.x: {role: '${aws_iam_role.r.name}'}", True),
        ("aws_tomorrow_thing.x: {role_arn: '${aws_iam_role.r.arn}'}", True),
        ("aws_tomorrow_thing.x: {who: bot}", True),
        ("awscc_tomorrow_thing.x: {who: '${aws_lambda_function.f.arn}'}", True),
        ("aws_route53_record.x: {name: bot}", False),
        ("awscc_route53_record_set.x: {name: bot}", False),
        ("aws_kms_grant.x: {grantee_principal: '${aws_iam_role.r.arn}'}", False),
    ],
)
def test_in_a_plan(resource: str, unknown: bool) -> None:
    name = resource.partition(":")[0]
    why = {name: f"the type '{name.partition('.')[0]}' is unknown"} if unknown else {}
    assert in_doubt(plan(f"{PLAN}{resource}\n")) == why
