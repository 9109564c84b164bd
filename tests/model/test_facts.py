"""Facts: who is believed, whatever the order in which they speak."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threatmodel.model.facts import EVIDENCE, STANDING, STATED, Fact, Origin, Statement, stated, stated_only, weigh
from threatmodel.reading.problems import Place

STATEMENTS = st.builds(
    Statement,
    st.sampled_from([True, False, None, 1, 0, "a"]),
    st.sampled_from(sorted(STANDING)),
    st.sampled_from([None, Place("f", 1, 1), Place("f", 2, 1)]),
    st.sampled_from(["", "note"]),
    st.booleans(),
)


@given(st.lists(STATEMENTS, min_size=1, max_size=4))
def test_order_changes_nothing(statements: list[Statement]) -> None:
    expected = weigh(statements)
    for order in itertools.permutations(statements):
        assert weigh(order) == expected


@given(st.lists(STATEMENTS, min_size=1, max_size=6))
def test_what_counts_is_a_best_statement(statements: list[Statement]) -> None:
    fact = weigh(statements)
    best = max((s.size, STANDING[s.source]) for s in statements)
    assert (fact.said.size, STANDING[fact.said.source]) == best
    assert fact.said in statements
    assert set(fact.against) <= set(statements)
    of_best = {(type(s.value), s.value) for s in statements if (s.size, STANDING[s.source]) == best}
    assert fact.size == (best[0] if len(of_best) == 1 else 0)
    if fact.size:
        assert fact.value == fact.said.value
    differing = [s for s in statements if (type(s.value), s.value) != (type(fact.said.value), fact.said.value)]
    assert sorted(map(repr, fact.against)) == sorted(map(repr, differing))


@given(st.lists(STATEMENTS, min_size=1, max_size=4))
def test_saying_it_again_changes_nothing(statements: list[Statement]) -> None:
    once, twice = weigh(statements), weigh(statements * 2)
    assert (twice.value, twice.size, twice.said) == (once.value, once.size, once.said)


def said(value: object, source: Origin, *, stale: bool = False) -> Statement:
    return Statement(value, source, None, stale=stale)


@pytest.mark.parametrize(
    ("statements", "value", "size"),
    [
        ([said(True, "model")], True, STATED),
        ([said(True, "template")], True, EVIDENCE),
        ([said(True, "model"), said(False, "template")], False, EVIDENCE),
        ([said(True, "template"), said(False, "aws")], False, EVIDENCE),
        ([said(True, "template"), said(False, "probe")], None, 0),
        ([said(True, "template"), said(True, "probe")], True, EVIDENCE),
        ([said(True, "model"), said(False, "source")], False, STATED),
        ([said(True, "wiring"), said(False, "model")], False, STATED),
        ([said(True, "aws", stale=True)], True, STATED),
        ([said(True, "aws", stale=True), said(False, "template")], False, EVIDENCE),
        ([said(True, "model"), said(False, "model")], None, 0),
        ([said(True, "aws"), said(1, "aws")], None, 0),
        ([said(None, "template")], None, EVIDENCE),
    ],
)
def test_standing(statements: Sequence[Statement], value: object, size: int) -> None:
    fact = weigh(statements)
    assert (fact.value, fact.size) == (value, size)


def test_single_statement() -> None:
    statement = said(3, "probe")
    assert stated(statement) == Fact(3, EVIDENCE, statement) == weigh([statement])


def test_word_only_is_what_would_be_claimed_without_evidence() -> None:
    drifted = weigh([said(True, "model"), said(False, "template")])
    agreed = weigh([said(True, "model"), said(True, "template")])
    seen = weigh([said(True, "aws")])
    found = stated_only({"drifted": drifted, "agreed": agreed, "seen": seen})
    assert (found["drifted"].value, found["drifted"].size) == (True, STATED)
    assert (found["agreed"], found["seen"]) == (agreed, seen)


def test_word_only_where_words_differ_too() -> None:
    fact = weigh([said(True, "model"), said(False, "source"), said(None, "aws")])
    assert stated_only({"f": fact})["f"].value is False
    unsettled = weigh([said(True, "model"), said(False, "model"), said(None, "aws")])
    assert stated_only({"f": unsettled})["f"].size == 0


@given(st.lists(STATEMENTS, min_size=1, max_size=4))
def test_word_only_knows_nothing_better(statements: list[Statement]) -> None:
    fact = weigh(statements)
    claimed = stated_only({"f": fact})["f"]
    assert claimed == fact or claimed.size <= STATED


@pytest.mark.parametrize(
    ("source", "omitted"), [("model", True), ("template", True), ("code", False), ("probe", False)]
)
def test_what_code_lacks_is_no_default(source: Origin, *, omitted: bool) -> None:
    assert Statement(None, source, Place("app.py", 6, 1)).omitted == omitted
