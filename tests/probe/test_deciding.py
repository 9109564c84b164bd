"""Facts follow from how probes went, and are told without secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.probe.judged import CRASH, HIDDEN, SEND, SIGNATURE, status
from threatmodel.probe.cases import EFFECTS_MATTER, REFUSING, UNSHOWN, Shown
from threatmodel.probe.deciding import Row, decisions, weakest
from threatmodel.probe.leaks import SHOWN
from threatmodel.probe.outcome_names import FAILED, NOT_RUN, OUTCOMES, PASSED, UNDECIDED
from threatmodel.probe.protocol import Reply
from threatmodel.probe.replies import came_back
from threatmodel.probe.requests import SECRET
from threatmodel.reading.problems import visible

# --- in words


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (status(401), "401"),
        (status(200, body=" a\n b "), "200 a b"),
        (status(200, SEND, body="x"), "200 x; sqs SendMessage work"),
        (Reply(), "no status"),
        (CRASH, "it raised KeyError, which Lambda answers with 502"),
        (Reply(ended="error"), "it raised an exception, which Lambda answers with 502"),
        (
            status(200, body=f"{SECRET} {SIGNATURE} https://queue prod"),
            "200 <signing secret> <signature> <WORK_QUEUE_URL> prod",
        ),
        (status(200, body="xoxb-1234567890-abcdef"), "200 <token>"),
        (status(200, body="\x1b[31mred\u202e"), "200 <U+001B>[31mred<U+202E>"),
    ],
)
def test_what_came_back_is_told_without_secrets(reply: Reply, expected: str) -> None:
    assert came_back(reply, HIDDEN) == expected


@given(st.text(max_size=200), st.text(max_size=200), st.sampled_from([SECRET, SIGNATURE, "xyzz0WbapA4vBCDEFasx0q6G"]))
def test_no_excerpt_holds_a_secret_or_is_long(before: str, after: str, secret: str) -> None:
    found = HIDDEN.excerpt(before + secret + after)
    assert secret not in found
    assert len(found) <= SHOWN
    assert visible(found) == found


# --- facts


def row(outcome: str, *, shows: dict[str, Shown] | None = None, name: str = "a", why: str = "") -> Row:
    return Row(
        probe=name,
        title="x",
        level="required",
        sent="x",
        back="x",
        outcome=outcome,
        why=why,
        failure="x",
        bears_on=("f",),
        shows=shows or {},
    )


@pytest.mark.parametrize(
    ("rows", "sees", "expected"),
    [
        ([row(PASSED, shows={"f": True})], True, (True, True, "")),
        (
            [row(PASSED, shows={"f": True})],
            False,
            (False, None, "side effects are not seen here: probe the handler itself"),
        ),
        ([row(PASSED, shows={"f": True}), row(FAILED, shows={"f": False}, name="b")], True, (True, False, "b")),
        ([row(FAILED, shows={"f": False})], False, (True, False, "a")),
        ([row(PASSED, shows={"f": True}), row(UNDECIDED, name="b", why="w")], True, (False, None, "b undecided: w")),
        ([row(PASSED, shows={"f": True}), row(NOT_RUN, name="b", why="w")], True, (False, None, "b not run: w")),
        ([row(PASSED)], True, (False, None, "a: a pass shows nothing")),
        ([row(FAILED), row(PASSED, shows={"f": True}, name="b")], True, (False, None, "a failed")),
        ([row(PASSED, shows={"f": 300})] * 2, True, (True, 300, "at most 300: one more is rejected")),
        (
            [row(FAILED, shows={"f": 301}), row(FAILED, shows={"f": 86400}, name="b")],
            True,
            (True, 86400, "86400 or more: a, b"),
        ),
        ([row(FAILED, shows={"f": 301}), row(FAILED, shows={"f": None}, name="b")], True, (True, None, "a, b")),
    ],
)
def test_facts_follow_from_rows(rows: list[Row], sees: bool, expected: tuple[bool, Shown, str]) -> None:
    (found,) = decisions(rows, sees_effects=sees)
    assert (found.decided, found.value, found.note) == expected


OUTCOME_ROWS = st.builds(row, st.sampled_from(OUTCOMES), shows=st.sampled_from([None, {"f": True}, {"f": False}]))


@given(st.lists(OUTCOME_ROWS, min_size=1, max_size=6), st.booleans())
def test_a_fact_is_true_only_where_every_probe_passed_and_effects_were_seen(rows: list[Row], sees: bool) -> None:
    (found,) = decisions(rows, sees_effects=sees)
    if found.decided and found.value is True:
        assert sees
        assert all(one.outcome == PASSED for one in rows)
    if any(one.outcome == FAILED and one.shows.get("f") is False for one in rows):
        assert found.decided
        assert found.value is False


@given(st.lists(st.integers(0, 1_000_000) | st.none(), min_size=1))
def test_the_weakest_number_is_the_largest_and_null_is_none(values: list[Shown]) -> None:
    found = weakest(values)
    assert found is None if None in values else found == max(value for value in values if value is not None)


def test_what_refuses_everything_is_said_to_need_effects() -> None:
    assert REFUSING < EFFECTS_MATTER
    assert repr(UNSHOWN) == "nothing"
