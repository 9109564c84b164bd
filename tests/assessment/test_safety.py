"""Whether the risk is within the accepted level: four answers, each only where it is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import assessed, control, evidence, library_of, threat
from threatmodel.assessment.safety import Answer, safety
from threatmodel.graph.building import Evidence
from threatmodel.graph.elements import Read
from threatmodel.library.entries import Library
from threatmodel.reading.problems import Place

MODEL = "name: x\napis: {{api: {{}}}}\nfunctions: {{bot: {{triggers: [{{slack: events}}]{facts}}}}}\n{more}"
GOOD = evidence(bot={"validates_input": True})
BAD = evidence(bot={"validates_input": False})


def model(facts: str = "", more: str = "") -> str:
    return MODEL.format(facts=f", {facts}" if facts else "", more=more)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return library_of(
        tmp_path,
        threat("bad", "{good: {stops: it does}}", applies="true"),
        control("good", "target.validates_input"),
    )


@pytest.mark.parametrize(
    ("facts", "more", "found", "answer"),
    [
        ("validates_input: false", "", None, "above"),
        ("", "", BAD, "above"),
        ("", "", None, "undetermined"),
        ("validates_input: true", "", None, "within-as-claimed"),
        ("", "", GOOD, "within-as-proven"),
        ("", "risk_tolerance: medium", GOOD, "within-as-claimed"),
        ("", "ratings: {bad@bot: {likelihood: 1, reason: nobody would}}", GOOD, "within-as-claimed"),
        ("out_of_scope: not ours", "", None, "undetermined"),
        (
            "validates_input: false",
            "accepted_risks: {bad@bot: {risk: 20, reason: r, owner: Bo, expires: 2027-01-01}}",
            None,
            "within-as-claimed",
        ),
        (
            "validates_input: false",
            "accepted_risks: {bad@bot: {risk: 20, reason: r, owner: Bo, expires: 2026-11-01}}",
            None,
            "above",
        ),
    ],
)
def test_the_answer(
    tmp_path: Path, library: Library, facts: str, more: str, found: Evidence | None, answer: Answer
) -> None:
    assert safety(assessed(tmp_path, model(facts, more), library, found)).answer == answer


def test_a_threat_that_is_not_looked_for_is_no_proof(tmp_path: Path, library: Library) -> None:
    from dataclasses import replace

    assessment = assessed(tmp_path, model(), library, GOOD)
    assert safety(assessment).answer == "within-as-proven"
    read = Read(file="t.yaml", kind="template", elements={}, extra=(("Other", "function", Place("t.yaml", 9, 1)),))
    uncovered = replace(assessment, graph=replace(assessment.graph, evidence=(read,)))
    assert (safety(uncovered).answer, safety(uncovered).unmodeled) == ("undetermined", 1)


def test_nothing_found_is_not_safe(tmp_path: Path) -> None:
    library = library_of(tmp_path, threat("bad", "{good: hinders}"), control("good", "target.validates_input"))
    assessment = assessed(tmp_path, "name: x\nfunctions: {f: {triggers: []}}\n", library)
    assert (assessment.applying, assessment.possible, safety(assessment).answer) == ((), (), "undetermined")


def test_what_fails_is_measured_by_the_threshold_and_the_answer_by_the_tolerance(tmp_path: Path) -> None:
    library = library_of(
        tmp_path,
        threat("bad", "{good: {stops: it does}}", likelihood=3, impact=3),
        control("good", "target.validates_input"),
    )
    assessment = assessed(tmp_path, model("validates_input: false"), library)
    assert [(safety(assessment, band).answer, safety(assessment, band).fails) for band in ("high", "medium")] == [
        ("above", 0),
        ("above", 1),
    ]
