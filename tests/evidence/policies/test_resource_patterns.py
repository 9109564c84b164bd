"""Patterns of resources: every wildcard of every service is every resource, and a name is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.evidence.policies.stating import HERE, allow, by_policy
from threatmodel.evidence.policies.arns import whole
from threatmodel.evidence.policies.grants import pattern
from threatmodel.stacks.values import Joined, Link, Scalar, Unknown

FORMS: dict[str, str] = json.loads(Path("threatmodel/evidence/policies/iam-resources.json").read_text(encoding="utf-8"))


def covers(text: str, service: str) -> bool | None:
    return whole(pattern(Scalar(text, HERE)), service)


@pytest.mark.parametrize("service", sorted(FORMS))
def test_a_wildcard_for_each_name_is_every_resource_and_a_name_is_not(service: str) -> None:
    for form in FORMS[service].split():
        for account in ("*:*", "eu-west-1:123456789012", ":${AWS::AccountId}"):
            arn = f"arn:aws:{service}:{account}:{form}"
            assert covers(arn.replace("{}", "*"), service) is True, arn
            assert covers(arn.replace("{}", "?*"), service) is True, arn
            assert covers(arn.replace("{}", "orders"), service) is False, arn
            assert covers(arn.replace("{}", "orders-*"), service) is False, arn


@pytest.mark.parametrize(
    ("text", "service", "expected"),
    [
        ("arn:aws:iot:*:*:topic/*", "iot", True),
        ("arn:aws:s3:::*/*", "s3", True),
        ("arn:aws:s3:::reports/*", "s3", False),
        ("arn:aws:dynamodb:*:*:table/?*", "dynamodb", True),
        ("arn:aws:dynamodb:*:*:table/*-*", "dynamodb", True),
        ("arn:aws:dynamodb:*:*:table/?", "dynamodb", False),
        ("arn:aws:secretsmanager:eu-west-1:*:secret:*-??????", "secretsmanager", True),
        ("arn:aws:secretsmanager:eu-west-1:*:secret:prod-*", "secretsmanager", False),
        ("arn:aws:lambda:*:*:function:*:live", "lambda", False),
        ("arn:aws:brandnew:*:*:thing/*", "brandnew", True),
        ("arn:aws:brandnew:*:*:thing/one", "brandnew", False),
        ("arn:*:dynamodb:*", "dynamodb", True),
    ],
)
def test_patterns(text: str, service: str, *, expected: bool) -> None:
    assert covers(text, service) is expected


def test_a_wildcard_right_behind_a_name_is_no_wildcard_for_all_names() -> None:
    link = Link("Orders", "Arn", HERE)
    behind = Joined((link, "*"), HERE)
    assert by_policy("wildcard-resource", allow("dynamodb:GetItem", behind)) is False
    prefix = Joined(("arn:aws:lambda:*:*:function:", Link("Orders", "Outputs.Prefix", HERE), "*"), HERE)
    assert by_policy("wildcard-resource", allow("lambda:InvokeFunction", prefix)) == "open"
    assert by_policy("wildcard-resource", allow("dynamodb:GetItem", Joined((link, "/*"), HERE))) is False
    assert by_policy("wildcard-resource", allow("s3:GetObject", Joined((link, "/*"), HERE))) is False


def test_what_is_unknown_of_a_pattern_may_be_a_wildcard() -> None:
    unknown = Unknown("the parameter Name has no default", HERE, given=("Name",))
    assert whole(pattern(Joined(("arn:aws:dynamodb:*:*:table/", unknown), HERE)), "dynamodb") is None
    assert whole(pattern(Joined(("arn:aws:dynamodb:*:*:table/x-", unknown), HERE)), "dynamodb") is False
