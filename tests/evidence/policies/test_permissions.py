"""What statements allow over the stack, and the rights that give more rights."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.policies.stating import (
    FUNCTION,
    HERE,
    MAPPINGS,
    POLICY_ANALYSES,
    READINGS,
    UNKNOWN,
    allow,
    asked,
    deny,
    document,
    node,
    reach,
    read,
    shared,
)
from tests.support import working_at_most
from threatmodel.evidence.answers import Gathered
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.policies.arns import Targets
from threatmodel.evidence.policies.grants import grants, statements
from threatmodel.evidence.policies.permissions import Permissions, Reach, effective, reached
from threatmodel.stacks.values import Joined, Link, Scalar


def uses(found: dict[str, Reach]) -> dict[str, set[str]]:
    return {name: set(one.actions) for name, one in found.items() if one.actions}


TABLE = "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/"


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (allow("dynamodb:GetItem", Link("Orders", "Arn", HERE)), {"Orders": {"read"}}),
        (allow("dynamodb:*Item", Link("Orders", "Arn", HERE)), {"Orders": {"read", "write"}}),
        (allow("dynamodb:Query", Joined((TABLE, Link("Orders", "", HERE), "/index/*"), HERE)), {"Orders": {"read"}}),
        (allow("dynamodb:PutItem", TABLE + "orders"), {"Named": {"write"}}),
        (allow("dynamodb:PutItem", TABLE + "${AWS::StackName}-carts"), {"ByStack": {"write"}}),
        (allow("dynamodb:PutItem", Joined((TABLE, UNKNOWN, "-log"), HERE)), {"ByParameter": {"write"}}),
        (allow("dynamodb:PutItem", TABLE + "elsewhere"), {}),
        (allow("s3:GetObject", Joined((Link("Files", "Arn", HERE), "/*"), HERE)), {"Files": {"read"}}),
        (allow("s3:GetObject", Link("Files", "Arn", HERE)), {}),
        (allow("s3:ListBucket", Link("Files", "Arn", HERE)), {"Files": {"read"}}),
        (allow("sqs:SendMessage", "*"), {"Jobs": {"send"}}),
        (allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:shop/*"), {"Token": {"value"}}),
        (
            allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:x:1:secret:shop/token-??????"),
            {"Token": {"value"}},
        ),
        (allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:x:1:secret:other-*"), {}),
        (allow("ssm:GetParameters", "arn:aws:ssm:x:1:parameter/shop/setting"), {"Setting": {"value"}}),
        (allow("ssm:GetParametersByPath", "arn:aws:ssm:x:1:parameter/shop/*"), {"Setting": {"value"}}),
    ],
)
def test_what_a_statement_reaches(stated: dict[str, Any], expected: dict[str, set[str]]) -> None:
    assert uses(reach(stated)) == expected


def test_what_may_be_reached_is_said_to_be_unknown() -> None:
    found = reach(allow("dynamodb:GetItem", TABLE + "prod-*"))
    assert not uses(found)
    assert {"Orders", "ByParameter"} <= {name for name, one in found.items() if one.unknown}
    assert reach(allow(UNKNOWN, Link("Jobs", "Arn", HERE)))["Jobs"].unknown == (UNKNOWN,)
    assert reach(UNKNOWN)["Jobs"].unknown == (UNKNOWN,)
    assert reach(allow("sqs:SendMessageBatch", Link("Jobs", "Arn", HERE)))["Jobs"].unknown


def test_a_wildcard_covers_and_does_not_name() -> None:
    assert reach(allow("sqs:SendMessage", "*"))["Jobs"].named == frozenset()
    assert reach(allow("sqs:SendMessage", Link("Jobs", "Arn", HERE)))["Jobs"].named == {"send"}


def test_a_deny_takes_away_what_it_surely_covers() -> None:
    granted = allow("dynamodb:*", "*")
    assert "write" not in reach(granted, deny("dynamodb:*Item", TABLE + "orders"))["Named"].actions.get("write", ())
    left = reach(granted, deny(["dynamodb:Put*", "dynamodb:Update*"], TABLE + "orders"))["Named"].actions["write"]
    assert "dynamodb:PutItem" not in left
    assert "dynamodb:DeleteItem" in left
    conditional = deny("*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert uses(reach(granted, conditional)) == uses(reach(granted))


def test_on_what_a_right_is_matters_for_roles_to_pass_alone() -> None:
    """Every other right counts as a step to more rights whatever it is on, so that an unknown resource adds nothing."""
    assert effective(statements(document(allow("dynamodb:PutItem", UNKNOWN)))).unknown == ()
    assert effective(statements(document(allow("iam:PassRole", UNKNOWN)))).unknown == (UNKNOWN,)
    assert effective(statements(document(allow("iam:PutRolePolicy", UNKNOWN)))).escalations
    assert effective(statements(document(allow(UNKNOWN, "*")))).unknown == (UNKNOWN,)


def test_permissions_on_everything_and_ways_to_more_rights() -> None:
    found: Permissions = effective(
        statements(
            document(
                allow(["iam:PassRole"], "arn:aws:iam::${AWS::AccountId}:role/deploy"),
                allow(["lambda:Create*", "lambda:InvokeFunction"], "*"),
                allow("made:Up", "*"),
                allow("dynamodb:GetItem", Link("Orders", "Arn", HERE)),
                UNKNOWN,
            )
        )
    )
    assert "pathfinding:lambda-001" in {name for one in found.escalations for name in one.way.ids}
    assert "made:up" in {action for one in found.every for action in one.actions}
    assert "dynamodb:GetItem" not in {action for one in found.every for action in one.actions}
    assert found.unknown == (UNKNOWN,)
    assert "lambda:InvokeFunction" in {action for one in found.every for action in one.actions}
    barred = effective(statements(document(allow("iam:*"), deny("iam:CreatePolicyVersion"))))
    assert ("iam:CreatePolicyVersion",) not in {one.way.actions for one in barred.escalations}


def test_values_that_parameters_give_are_never_shown() -> None:
    hidden = "planted-default-value"
    given_text = Scalar(f"arn:aws:s3:::{hidden}/*", HERE, given=("Bucket",))
    given_action = Scalar(f"s3:{hidden}*", HERE, given=("Action",))
    found = effective(statements(document(allow("s3:GetObject", given_text), allow(given_action))))
    assert hidden not in repr(found)
    every = [asked(name, ("policy", document(allow(given_action), shared(given_text)))) for name in POLICY_ANALYSES]
    assert hidden not in repr(every)


def test_a_whole_role_takes_little_time() -> None:
    text = FUNCTION.replace("POLICY", "Statement: [{Effect: Allow, Action: ['s3:Get*', 'sqs:*'], Resource: '*'}]")
    found = read(text)
    facts, bot = StackFacts(found, MAPPINGS), found.resources["Bot"]
    policies = [
        Gathered("policy", document(allow(["s3:Get*", "sqs:*"])), bot),
        Gathered("managed", node(READINGS[0]), bot),
    ]
    facts.of("function", bot)
    targets = Targets(found)
    with working_at_most(seconds=2):
        for _ in range(100):
            facts.of("function", bot)
            allowed = grants(policies, bot, found)
            reached(allowed, targets)
            effective(allowed)
