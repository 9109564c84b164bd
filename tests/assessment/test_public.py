"""What everybody is meant to reach: what to ask and what to do follows from it, and no risk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import assessed, control, evidence, library_of, threat
from threatmodel.assessment.actions import actions
from threatmodel.assessment.assessed import Assessment
from threatmodel.library.entries import Library
from threatmodel.reading.problems import InputError

MODEL = """
    name: x
    apis: {{page: {{{page}}}, other: {{{other}}}}}
    functions:
      bot: {{triggers: [{{http: GET, api: page}}, {{http: GET, api: other}}]}}
"""
INTENDED = "public: intended, public_reason: people install it here"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return library_of(
        tmp_path,
        threat("open-door", "{lock: {stops: it does}, alarm: contains}", target="api", applies="true"),
        threat("walked-in", "{lock: {stops: it does}}", applies="target.web_facing"),
        control("lock", "target.mutual_tls", scope="api", extra="public: kept-out"),
        control("alarm", "target.access_logs", scope="api"),
    )


def model(page: str = "", other: str = "") -> str:
    return MODEL.format(page=page, other=other)


def cells(assessment: Assessment) -> dict[str, tuple[object, ...]]:
    return {f.id: (f.inherent, f.claimed, f.proven) for f in assessment.findings}


def asked(assessment: Assessment) -> dict[str, tuple[str, ...]]:
    return {question.id: question.elements for question in assessment.questions}


@pytest.mark.parametrize("facts", ["", "mutual_tls: false", "mutual_tls: true"])
def test_no_risk_changes(tmp_path: Path, library: Library, facts: str) -> None:
    before = assessed(tmp_path, model(facts, "mutual_tls: false"), library)
    meant = ", ".join(filter(None, (facts, INTENDED)))
    assert cells(assessed(tmp_path, model(meant, "mutual_tls: false"), library)) == cells(before)


def test_nobody_is_told_to_close_what_is_meant_to_be_open(tmp_path: Path, library: Library) -> None:
    found = assessed(tmp_path, model(f"mutual_tls: false, {INTENDED}", "mutual_tls: false"), library)
    locks = [action.elements for action in actions(found) if action.control.id == "lock"]
    assert locks == [("other",)]
    assert "page" in next(action.elements for action in actions(found) if action.control.id == "alarm")
    (told,) = (one for one in found.reliances if one.kind == "intended-public")
    assert (told.what, told.times, told.reason) == ("page", 1, "people install it here")
    state = found.states.at(library.controls["lock"], "page")
    assert (state.state, state.level) == ("absent", -1)
    assert state.reason.endswith("meant to be public: people install it here")


def test_an_open_door_is_asked_about_once(tmp_path: Path, library: Library) -> None:
    found = assessed(tmp_path, model("mutual_tls: false", "mutual_tls: false"), library)
    assert asked(found)["api.public"] == ("page", "other")
    for said in (INTENDED, "public: unintended"):
        found = assessed(tmp_path, model(f"mutual_tls: false, {said}", f"mutual_tls: false, {said}"), library)
        assert "api.public" not in asked(found)


def test_whether_a_door_is_open_is_not_asked_where_it_is_meant_to_be(tmp_path: Path, library: Library) -> None:
    assert asked(assessed(tmp_path, model(), library))["api.traffic"] == ("page", "other")
    found = assessed(tmp_path, model(INTENDED), library)
    assert asked(found)["api.traffic"] == ("other",)
    assert {f.id: f.verdict for f in found.findings}["open-door@page"] != "undetermined"


def test_what_evidence_closes_stays_closed(tmp_path: Path, library: Library) -> None:
    text = model(INTENDED, "public: unintended")
    found = assessed(tmp_path, text, library, evidence(page={"mutual_tls": True}, other={"mutual_tls": True}))
    assert {f.verdict for f in found.findings if f.threat.id == "open-door"} == {"mitigated"}


def test_an_intention_wants_a_reason(tmp_path: Path, library: Library) -> None:
    with pytest.raises(InputError) as raised:
        assessed(tmp_path, model("public: intended"), library)
    assert [problem.code for problem in raised.value.problems] == ["no-reason"]
