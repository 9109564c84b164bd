"""What holds of every answer about policies, whatever stands in them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evidence.policies.stating import (
    NO,
    OPEN,
    POLICY_ANALYSES,
    READINGS,
    UNKNOWN,
    asked,
    by_policy,
    document,
    reach,
    word,
)
from threatmodel.evidence.answers import Answered, Unanswered
from threatmodel.stacks.values import Unknown

ACTIONS = st.sampled_from(["*", "s3:*", "s3:GetObject", "sts:AssumeRole", "xray:PutTraceSegments", "made:Up", UNKNOWN])
RESOURCES = st.sampled_from(["*", "arn:aws:s3:::b/*", "arn:aws:iam::${AWS::AccountId}:role/r", UNKNOWN])
PRINCIPALS = st.sampled_from(["*", {"Service": "lambda.amazonaws.com"}, {"AWS": "111122223333"}, UNKNOWN])
CONDITIONS = st.sampled_from(
    [
        None,
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringLike": {"aws:PrincipalOrgID": UNKNOWN}},
        {"StringEquals": {"aws:ResourceTag/app": "x"}},
    ]
)


@st.composite
def one_statement(draw: st.DrawFn) -> dict[str, Any]:
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    found = {"Effect": effect, "Action": draw(st.lists(ACTIONS, min_size=1, max_size=2)), "Resource": draw(RESOURCES)}
    found["Principal"] = draw(PRINCIPALS)
    condition = draw(CONDITIONS)
    return {**found, "Condition": condition} if condition else found


STATEMENTS = st.lists(one_statement(), min_size=1, max_size=3)
SOME = ("wildcard-action", "wildcard-resource", "assumes-roles", "public-statement")
ALL_OF_THEM = (*SOME, "trusts-only-lambda", "assumed-roles-named", "sources-pinned")


def part_of(name: str) -> str:
    return "trust" if name == "trusts-only-lambda" else "policy"


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(STATEMENTS, st.sampled_from(SOME), one_statement())
def test_a_deny_or_what_does_not_matter_never_makes_a_wildcard(
    stated: list[Any], name: str, other: dict[str, Any]
) -> None:
    before = by_policy(name, *stated)
    harmless = {"Effect": "Allow", "Action": "xray:PutTraceSegments", "Resource": "*", "Principal": {"AWS": "1"}}
    for added in ({**other, "Effect": "Deny"}, harmless):
        after = by_policy(name, *stated, added)
        assert after is before or (name == "public-statement" and before is not NO)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(STATEMENTS, st.sampled_from(ALL_OF_THEM))
def test_an_answer_holds_for_every_reading_of_what_is_unknown(stated: list[Any], name: str) -> None:
    answer = word(asked(name, (part_of(name), document(*stated))))
    if answer is OPEN:
        return
    for reading in READINGS:
        known = word(asked(name, (part_of(name), document(*_read(stated, reading)))))
        assert known is answer or known is OPEN  # a reading may be an action that nobody knows


def _read(raw: Any, reading: str) -> Any:
    match raw:
        case Unknown():
            return reading
        case dict():
            return {key: _read(child, reading) for key, child in raw.items()}
        case list():
            return [_read(child, reading) for child in raw]
        case _:
            return raw


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(STATEMENTS, one_statement())
def test_a_deny_never_adds_to_what_is_reached(stated: list[Any], other: dict[str, Any]) -> None:
    before, after = reach(*stated), reach(*stated, {**other, "Effect": "Deny"})
    for name, found in after.items():
        for use, actions in found.actions.items():
            assert set(actions) <= set(before[name].actions[use])


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=12) | ACTIONS,
        lambda child: (
            st.lists(child, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["Statement", "Effect", "Action", "NotAction", "Resource", "Principal", "Condition", "x"]
                ),
                child,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_stands_there_is_answered(raw: Any) -> None:
    for name, part in itertools.product(
        POLICY_ANALYSES, ("policy", "trust", "managed", "sam", "permission", "guardrail")
    ):
        outcome = asked(name, (part, raw))
        assert outcome is None or isinstance(outcome, Answered | Unanswered)
    reach(raw)
