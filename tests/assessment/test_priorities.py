"""Counts, actions, expiries, and controls that stand alone."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tests.support import assessed, control, library_of, threat
from threatmodel.assessment.actions import actions
from threatmodel.assessment.priorities import carried_alone, expiries, risks, summary
from threatmodel.assessment.risk import Risk
from threatmodel.library.entries import Library

MODEL = """
    name: x
    apis: {{api: {{}}}}
    functions:
      bot: {{triggers: [{{slack: events}}]{bot}}}
      two: {{triggers: [{{slack: events}}]{two}}}
    {more}
"""


def model(bot: str = "", two: str = "", more: str = "") -> str:
    return MODEL.format(bot=f", {bot}" if bot else "", two=f", {two}" if two else "", more=more)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return library_of(
        tmp_path,
        threat("bad", "{good: {stops: it does}}", impact=5),
        threat("sad", "{good: {stops: it does}, log: hinders}"),
        control("good", "target.validates_input"),
        control("log", "target.logs_redacted"),
    )


def test_the_actions_that_move_most_findings_come_first(tmp_path: Path, library: Library) -> None:
    assessment = assessed(
        tmp_path, model("validates_input: false", "validates_input: false, logs_redacted: false"), library
    )
    found = [(action.control.id, action.elements, len(action.findings)) for action in actions(assessment)]
    assert found == [("good", ("bot", "two"), 4), ("log", ("two", "bot"), 2)]


def test_one_cause_is_one_action_however_often(tmp_path: Path, library: Library) -> None:
    functions = "".join(f"  bot-{n}: {{triggers: [{{slack: events}}], validates_input: false}}\n" for n in range(400))
    assessment = assessed(tmp_path, f"name: x\napis: {{api: {{}}}}\nfunctions:\n{functions}", library)
    first = actions(assessment)[0]
    assert (first.control.id, {state: len(found) for state, found in first.states.items()}) == ("good", {"absent": 400})
    assert len(first.findings) == 800


def test_a_control_that_carries_a_critical_finding_alone_is_named(tmp_path: Path, library: Library) -> None:
    assessment = assessed(
        tmp_path, model("validates_input: true", "validates_input: true, logs_redacted: true"), library
    )
    assert carried_alone(assessment) == (
        ("good@bot", ("bad@bot", "sad@bot")),
        ("good@two", ("bad@two",)),
    )


def test_what_waits_for_an_answer_is_counted_by_how_bad_it_could_be(tmp_path: Path, library: Library) -> None:
    counts = summary(assessed(tmp_path, model("validates_input: true"), library))
    assert counts.verdicts["undetermined"] == 2
    assert counts.undetermined == {"low": 0, "medium": 0, "high": 0, "critical": 2}
    assert counts.inherent == {"low": 0, "medium": 0, "high": 0, "critical": 4}
    assert counts.claimed == {"low": 2, "medium": 0, "high": 0, "critical": 2}
    assert counts.proven == {"low": 0, "medium": 0, "high": 0, "critical": 4}


def test_expiries_are_sorted_and_bounded(tmp_path: Path, library: Library) -> None:
    more = """controls:
      good@bot: {attested_by: Ann, on: 2026-02-01, expires: 2027-01-24}
      log@bot: {attested_by: Ann, on: 2026-02-01, expires: 2027-01-25}
      log@two: {planned_for: 2026-12-01}
    accepted_risks: {bad@bot: {risk: 25, reason: r, owner: Bo, expires: 2026-11-01}}
    """
    found = [
        (e.what, e.name, e.date.isoformat(), e.owner) for e in expiries(assessed(tmp_path, model(more=more), library))
    ]
    assert found == [
        ("acceptance", "bad@bot", "2026-11-01", "Bo"),
        ("plan", "log@two", "2026-12-01", "team"),
        ("attestation", "good@bot", "2027-01-24", "Ann"),
    ]


def test_risk_by_element_says_undetermined_rather_than_low(tmp_path: Path, library: Library) -> None:
    found = risks(assessed(tmp_path, model("validates_input: true", "validates_input: false"), library))
    assert list(found.items()) == [("two", Risk("critical", 2, 0)), ("bot", Risk("low", 0, 1))]  # the worst first
    assert risks(assessed(tmp_path, "name: x\nfunctions: {f: {}}\n", library)) == {"f": Risk("undetermined", 2, 0)}


def test_a_possible_threat_makes_an_element_worse_like_a_confirmed_one_of_the_band_below(tmp_path: Path) -> None:
    """A critical threat that may apply comes before a high one of which a control is unknown."""
    library = library_of(
        tmp_path,
        threat("bad", "{good: {stops: it does}}", impact=5),
        threat("sad", "{good: {stops: it does}}", impact=3, applies="target.calls_language_model"),
        threat("all", "{good: {stops: it does}}", impact=3, applies="true"),
        control("good", "target.validates_input"),
    )
    one, two = "{triggers: [], calls_language_model: true}", "{calls_language_model: false}"
    found = risks(assessed(tmp_path, f"name: x\nfunctions: {{one: {one}, two: {two}}}\n", library))
    assert list(found.items()) == [("two", Risk("high", 2, 0)), ("one", Risk("high", 2, 1))]


def test_of_equal_elements_the_one_that_the_internet_reaches_is_first(tmp_path: Path) -> None:
    text = """name: x
apis: {front: {}}
functions:
  first: {triggers: [{schedule: daily}]}
  second: {triggers: [{http: POST, api: front}]}
"""
    library = library_of(
        tmp_path,
        threat("bad", "{good: {stops: it does}}", impact=5, applies="true"),
        threat("sad", "{good: {stops: it does}}", applies="true"),
        control("good", "target.validates_input"),
    )
    found = risks(assessed(tmp_path, text, library))
    assert list(found.items()) == [("second", Risk("critical", 2, 0)), ("first", Risk("critical", 2, 0))]


def test_the_day_is_an_input(tmp_path: Path, library: Library) -> None:
    more = "controls: {good@bot: {attested_by: Ann, on: 2026-02-01, expires: 2030-01-24}}"
    assessment = assessed(tmp_path, model(more=more), library, today=datetime.date(2029, 12, 31))
    assert [e.name for e in expiries(assessment)] == ["good@bot"]
