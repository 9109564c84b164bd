"""A baseline: day one is green, and later only what is new, worse or proven no more fails."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import HOME, TODAY, assessed, evidence
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.baseline import Baseline, KnownFinding, read, since, taken, written
from threatmodel.assessment.gate.judging import judge
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.gate.rules import Rules
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place

RULES = Rules(fail_on="low")
MODEL = "name: Shop\nfunctions:\n  bot: {role_wildcard_action: false}\n"


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library(HOME / "threatlib", Files())


def failing(before: Assessment, now: Assessment) -> list[CheckResult]:
    baseline = taken(before, judge(before, RULES))
    (again,) = read(written({"m": baseline}), Place("b.json")).values()
    assert again == baseline
    return [result for result in since(again, now, judge(now, RULES)) if result.fails]


def test_what_was_there_fails_no_more(tmp_path: Path, library: Library) -> None:
    text = "name: Shop\nfunctions: {bot: {validates_input: true}}\n"
    found = assessed(tmp_path, text, library, evidence(bot={"validates_input": False}))
    assert {result.code for result in judge(found, RULES) if result.fails} >= {"drift", "contradicted"}
    assert failing(found, found) == []


def test_what_is_new_or_worse_fails_and_says_so(tmp_path: Path, library: Library) -> None:
    before = assessed(tmp_path, MODEL, library)
    worse = assessed(tmp_path, MODEL.replace("false", "true"), library)
    found = {result.name: result.since for result in failing(before, worse)}
    assert found["role-reaches-too-far@bot"] == "worse"
    more = assessed(tmp_path, MODEL + "  other: {}\n", library)
    found = {result.name: result.since for result in failing(before, more)}
    assert {name.rpartition("@")[2] for name in found} == {"other"}
    assert set(found.values()) == {"new"}
    assert failing(worse, before) == []


def test_proof_that_went_away_fails_although_nothing_else_does(tmp_path: Path, library: Library) -> None:
    before = assessed(tmp_path, MODEL, library, evidence(bot={"tracing": True, "reserved_concurrency": 5}))
    after = assessed(
        tmp_path, "name: Shop\nfunctions:\n  bot: {role_wildcard_action: false, reserved_concurrency: 5}\n", library
    )
    lost = [result.name for result in failing(before, after) if result.code == "lost-proof"]
    assert "reserved-concurrency@bot" in lost
    assert [result for result in failing(before, before) if result.code == "lost-proof"] == []


def test_an_acceptance_that_lapses_later_is_worse(tmp_path: Path, library: Library) -> None:
    text = (
        "name: Shop\nfunctions: {bot: {role_wildcard_action: true}}\naccepted_risks:\n"
        "  role-reaches-too-far@bot: {risk: 25, reason: a pilot, owner: team, expires: 2026-12-01}\n"
    )
    before = assessed(tmp_path, text, library)
    after = assessed(tmp_path, text, library, today=datetime.date(2026, 12, 2))
    codes = {(result.code, result.since) for result in failing(before, after)}
    assert ("lapsed-acceptance", "new") in codes
    assert any(since == "worse" for _, since in codes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "{}",
        '{"format": "tm-baseline/2", "models": {}}',
        '{"format": "tm-baseline/1", "models": {"m": 1}}',
    ],
)
def test_what_is_no_baseline_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="unusable-baseline"):
        read(text, Place("b.json"))


@given(st.text())
def test_no_text_makes_the_reader_crash(text: str) -> None:
    with pytest.raises(InputError):
        read(text, Place("b.json"))


def test_the_same_findings_are_the_same_bytes() -> None:
    known = {name: KnownFinding(verdict="open", claimed=9, proven=9, proved_by=()) for name in ("b@x", "a@x")}
    one = Baseline(name="x", day=TODAY, findings=known, others=frozenset({"drift:b", "drift:a"}))
    other = Baseline(
        name="x", day=TODAY, findings=dict(reversed(known.items())), others=frozenset({"drift:a", "drift:b"})
    )
    assert written({"m": one}) == written({"m": other})
