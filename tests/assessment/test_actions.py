"""What to do: what first, what is at fault, and what it would change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.support import HOME, assessed, control, evidence, library_of, threat
from threatmodel.assessment.actions import actions, difference, faults, proofs
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.reconsidering import Reconsidering
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library

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
        threat("bad", "{good: {stops: it does}, least: contains}"),
        threat("sad", "{good: {stops: it does}, log: hinders}"),
        threat("noise", "{log: hinders}", likelihood=2, impact=2),
        control("good", "target.validates_input", extra="do: Do good"),
        control("log", "target.logs_redacted"),
        control("least", "target.errors_generic"),
    )


def test_what_stops_comes_before_what_moves_as_many(tmp_path: Path, library: Library) -> None:
    facts = "validates_input: false, logs_redacted: false, errors_generic: false"
    found = [
        (a.control.id, a.effect, len(a.findings)) for a in actions(assessed(tmp_path, model(facts, facts), library))
    ]
    assert found == [("good", "stops", 4), ("log", "hinders", 2), ("least", "contains", 2)]


def test_the_front_door_comes_first_and_only_what_stops_closes_it(tmp_path: Path) -> None:
    library = library_of(
        tmp_path,
        threat("forged", "{sign: {stops: it does}, least: contains}", likelihood=3, extra="comes: first"),
        threat("worse", "{good: {stops: it does}}", impact=5),
        control("sign", "target.verifies_signature"),
        control("least", "target.errors_generic"),
        control("good", "target.validates_input"),
    )
    found = actions(assessed(tmp_path, model("validates_input: false", "validates_input: false"), library))
    assert [(a.control.id, a.entry_point) for a in found] == [("sign", True), ("good", False), ("least", False)]


def test_an_action_says_which_value_is_at_fault_and_where(tmp_path: Path, library: Library) -> None:
    assessment = assessed(tmp_path, model("validates_input: false"), library, evidence(two={"validates_input": False}))
    action = actions(assessment)[0]
    found = {(f.element, f.fact, f.value, f.said.place.short if f.said.place else "") for f in faults(action)}
    assert found == {
        ("bot", "validates_input", False, f"{assessment.graph.system.file}:5"),
        ("two", "validates_input", False, "template.yaml:41"),
    }


def test_an_unknown_control_names_no_value(tmp_path: Path, library: Library) -> None:
    action = actions(assessed(tmp_path, model(), library))[0]
    assert (action.control.id, list(action.states), list(faults(action))) == ("good", ["unknown"], [])


def test_what_only_a_person_can_tell_is_proven_by_word(tmp_path: Path) -> None:
    library = library_of(tmp_path, threat("bad", "{plan: hinders}"), control("plan", scope="organization"))
    assert proofs(library.controls["plan"]) == ("attestation",)


def test_a_change_tells_what_closes_goes_down_and_stays(tmp_path: Path, library: Library) -> None:
    facts = "validates_input: false, logs_redacted: false, errors_generic: false"
    assessment = assessed(tmp_path, model(facts, "validates_input: true, logs_redacted: false"), library)
    by_id = {action.control.id: action.change for action in actions(assessment)}
    good = by_id["good"]
    assert (ids(good.closed), good.lowered, good.stay) == ({"bad@bot", "sad@bot"}, (), 2)
    assert good.claimed == (("critical", "low", 2),)
    assert good.proven == (("critical", "low", 2),)
    least = by_id["least"]
    assert (least.closed, ids(least.lowered), least.stay) == ((), {"bad@bot"}, 1)


def ids(found: Iterable[Sequence[Finding]]) -> set[str]:
    return {finding.id for some in found for finding in some}


def whole(assessment: Assessment, assumed: dict[tuple[str, str], bool]) -> Assessment:
    return assess(assessment.graph, assessment.library, assessment.today, (), assumed)


@pytest.mark.parametrize("in_place", [True, False])
def test_looking_again_at_what_a_control_answers_is_looking_again_at_everything(tmp_path: Path, in_place: bool) -> None:
    library = library_of(
        tmp_path,
        threat("bad", "{good: {stops: it does}, needy: contains, log: detects}", impact=5),
        threat("sad", "{log: hinders}"),
        control("good", "target.validates_input"),
        control("needy", "target.errors_generic", extra="requires: [good]"),
        control("log", "target.logs_redacted"),
    )
    facts = "validates_input: false, errors_generic: true"
    assessment = assessed(tmp_path, model(facts, "validates_input: true, errors_generic: true"), library)
    assumed = {("good", "bot"): in_place, ("good", "two"): in_place}
    after = {finding.id: finding for finding in whole(assessment, assumed).findings}
    again = Reconsidering(assessment)
    found = list(again.under(assumed))
    assert {name for one in found for name in ids(one.twins)} == {"bad@bot", "bad@two"}
    for _, then, twins in found:
        for name in ids(twins):
            other = after[name]
            assert (then.verdict, then.claimed, then.proven) == (other.verdict, other.claimed, other.proven)
    assert difference(found).claimed == ((("critical", "low", 1),) if in_place else (("low", "critical", 1),))


def test_what_sees_all_that_a_fact_follows_from_proves_it() -> None:
    controls = load_library(HOME / "threatlib").controls
    assert proofs(controls["supported-runtime"]) == ("template", "aws")  # by the runtime, which both see
    assert proofs(controls["vulnerability-scanning"])[0] != "template"
