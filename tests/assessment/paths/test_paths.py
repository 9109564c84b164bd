"""Attack paths: their order is a reviewer's, unknown is never a cut, and the work is bounded."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from tests.assessment.paths.samples import LIBRARY, SAMPLES, assessed, assessed_text, listed
from tests.support import evidence
from threatmodel.assessment.paths.leads import LEADS, NO_STEP
from threatmodel.assessment.paths.search import ENDS
from threatmodel.assessment.paths.steps import Relations, steps
from threatmodel.assessment.paths.tracing import paths
from threatmodel.assessment.paths.values import AIM_OF, LEVELS, STARTS, STRENGTHS, Hold, Level, Position, Strength
from threatmodel.graph.elements import Read
from threatmodel.model.vocabulary import KINDS
from threatmodel.reading.problems import Place
from threatmodel.reading.values import replace
from threatmodel.render import path_words

FORGED = SAMPLES["forged-commands"]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_three_worst_paths_are_those_that_a_reviewer_lists_first(name: str, tmp_path: Path) -> None:
    found = paths(assessed(tmp_path, SAMPLES[name].changes))
    assert tuple(listed(alike.head) for alike in found.found[:3]) == SAMPLES[name].worst
    assert all(alike.head.as_claimed == "open" for alike in found.found[:3])


def test_a_well_run_system_has_no_open_path_as_claimed_and_many_as_proven(tmp_path: Path) -> None:
    found = paths(assessed(tmp_path, {}))
    assert found.claimed["open"] == found.claimed["undecided"] == 0
    assert found.proven["open"] > found.claimed["open"]
    assert found.cut_claimed.choices == ()
    assert found.cut_proven.choices


def test_every_threat_is_a_step_or_says_why_not() -> None:
    steps_of = {lead.threat for lead in LEADS}
    assert steps_of | NO_STEP.keys() == LIBRARY.threats.keys()
    assert not steps_of & NO_STEP.keys()


def test_every_hold_is_reached_and_has_words() -> None:
    held = {lead.end for lead in LEADS} | {lead.begin for lead in LEADS}
    assert held | {"client"} == set(get_args(Hold))
    for hold in get_args(Hold):
        assert path_words.held(Position(hold, "bot"))
    assert AIM_OF.keys() < set(get_args(Hold))


# --- what is unknown, claimed and proven


def test_an_unknown_control_cuts_nothing_and_the_path_names_the_question(tmp_path: Path) -> None:
    text = _text(FORGED.changes).replace("    verifies_signature: false\n", "")
    found = paths(assessed_text(tmp_path, text))
    path = next(alike.head for alike in found.found if "slack-request-forgery@order-bot" in listed(alike.head).threats)
    assert path.as_claimed == path.as_proven == "undecided"
    assert any(one.facts == ("verifies_signature",) for one in path.questions)
    assert found.cut_claimed.choices


def test_a_claimed_control_cuts_as_claimed_only_and_a_proven_one_as_proven_too(tmp_path: Path) -> None:
    from tests.support import TODAY
    from threatmodel.assessment.assess import assess
    from threatmodel.graph.building import build

    claimed = assessed(tmp_path, {})
    (step,) = {s.finding: s for s in steps(claimed) if s.finding == "slack-request-forgery@order-bot"}.values()
    assert (step.claimed.strength, step.proven.strength) == ("stopped", "open")
    signing = {"verifies_signature": True, "verification_fails_closed": True}
    shown = evidence(order_bot={**signing, "timestamp_tolerance_seconds": 300, "rejects_replay": True})
    proven = assess(build(claimed.graph.system, shown, TODAY), LIBRARY, TODAY)
    (step,) = {s.finding: s for s in steps(proven) if s.finding == "slack-request-forgery@order-bot"}.values()
    assert step.proven.strength == "stopped"


def test_a_threat_that_may_apply_and_is_left_out_of_the_findings_is_a_step(tmp_path: Path) -> None:
    text = _text({}).replace("    input_reaches_interpreter: false\n", "")
    assessment = assessed_text(tmp_path, text)
    assert not any(finding.id == "event-injection@order-bot" for finding in assessment.findings)
    (step,) = {s.finding: s for s in steps(assessment) if s.finding == "event-injection@order-bot"}.values()
    assert step.applies == 0
    assert step.claimed.strength == "stopped"
    assert step.proven.strength != "stopped"


def test_an_excluded_threat_is_no_step_and_a_denied_one_neither(tmp_path: Path) -> None:
    from threatmodel.assessment.assess import assess

    assessment = assessed(tmp_path, FORGED.changes)
    without = assess(assessment.graph, LIBRARY, assessment.today, excluded=("event-injection",))
    assert not any("event-injection" in step.finding for step in steps(without))
    assert not any("event-injection@order-worker" in step.finding for step in steps(assessment))
    assert any("Left out: event-injection" in line for line in path_words.limits(paths(without), without.excluded))


@pytest.mark.parametrize("blocked", [("stopped",), ("stopped", "unlikely")])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", SAMPLES)
def test_no_aim_that_can_be_reached_is_left_out(
    name: str, level: Level, blocked: tuple[Strength, ...], tmp_path: Path
) -> None:
    assessment = assessed(tmp_path, SAMPLES[name].changes)
    passable = [step for step in steps(assessment) if step.at(level).strength not in blocked]
    reached = {Position(start) for start in STARTS}
    while more := {step.end for step in passable if step.begin in reached and step.begin.hold not in ENDS} - reached:
        reached |= more
    every = [path for alike in paths(assessment).found for path in alike.paths]
    listed_as = [one for one in every if (one.as_claimed if level == "claimed" else one.as_proven) not in blocked]
    shown = {step.end for one in listed_as for step in one.steps}
    assert {one for one in reached if one.hold in AIM_OF} <= shown


# --- bounds


def test_a_system_without_entry_point_says_so(tmp_path: Path) -> None:
    lone = paths(assessed_text(tmp_path, "name: x\nfunctions: {bot: {}}\n"))
    assert lone.unknown == ("bot",)
    assert any("bot" in line for line in path_words.limits(lone))
    none = paths(assessed_text(tmp_path, "name: x\nstores: {s: {kind: other, open_to_public: false}}\n"))
    assert not none.entries
    assert any("No entry point" in line for line in path_words.limits(none))


def test_functions_that_start_each_other_make_no_endless_path(tmp_path: Path) -> None:
    ring = "\n".join(f"  f{n}: {{invokes: [f{(n + 1) % 9}], input_reaches_interpreter: true}}" for n in range(9))
    found = paths(assessed_text(tmp_path, f"name: x\napis: {{api: {{}}}}\nfunctions:\n{ring}\n"))
    for alike in found.found:
        for path in alike.paths:
            assert len({step.end for step in path.steps}) == len(path.steps)


def test_the_search_stops_at_its_limit_and_says_what_is_left_out(tmp_path: Path) -> None:
    assessment = assessed(tmp_path, FORGED.changes)
    whole, part = paths(assessment), paths(assessment, limit=40)
    assert whole.complete
    assert not part.complete
    assert not part.cut_claimed.exact
    assert path_words.INCOMPLETE in path_words.limits(part)


def test_a_thousand_functions_take_work_in_proportion(tmp_path: Path) -> None:
    def work(number: int) -> int:
        functions = "".join(f"  f{n}: {{triggers: [{{slack: events}}], writes: [s]}}\n" for n in range(number))
        text = f"name: x\napis: {{api: {{}}}}\nstores: {{s: {{}}}}\nfunctions:\n{functions}"
        return len(list(steps(assessed_text(tmp_path, text))))

    assert work(40) < 4.4 * work(10)


# --- the values themselves


def test_a_path_is_as_strong_as_its_strongest_step_and_as_likely_as_its_least_likely(tmp_path: Path) -> None:
    for alike in paths(assessed(tmp_path, FORGED.changes)).found:
        for path in alike.paths:
            assert path.as_claimed == max((s.claimed.strength for s in path.steps), key=STRENGTHS.index)
            assert path.as_proven == max((s.proven.strength for s in path.steps), key=STRENGTHS.index)
            ways_in = [s for s in path.steps if s.begin.hold not in {"code", "role"}]
            assert path.claimed.likelihood == min(s.claimed.likelihood for s in ways_in)
            assert all(one.end == other.begin for one, other in zip(path.steps, path.steps[1:], strict=False))


OPEN = """
name: Open
apis: {front: {kind: http, caller_authentication: none}}
functions:
  admin:
    triggers: [{http: POST, api: front}]
    routes_authenticated: false
    validates_input: false
    input_reaches_interpreter: true
    role_can_escalate: true
"""


def test_an_open_route_to_the_rights_of_the_account_is_the_worst_path(tmp_path: Path) -> None:
    """The rating of what a role allows counts how an attacker gets in, and so do the steps before it."""
    [first, *_] = paths(assessed_text(tmp_path, OPEN)).found
    assert [step.threat.id for step in first.paths[0].steps if step.threat][-1] == "function-role-escalates"
    assert [step.claimed.likelihood for step in first.paths[0].steps][-1] == 3
    assert first.paths[0].claimed.likelihood == 4


def test_what_a_role_is_granted_and_does_not_use_is_reached_too(tmp_path: Path) -> None:
    assessment = assessed(tmp_path, {})
    relations = Relations(assessment.graph)
    relations.granted["order-bot"] = {"orders": None, "slack-bot-token": None}
    assert list(relations.positions("read", "granted", "order-bot")) == [Position("read", "orders")]
    assert list(relations.positions("secret", "granted-secrets", "order-bot")) == [
        Position("secret", "slack-bot-token")
    ]


def test_code_reads_what_its_function_reads_whatever_else_its_role_allows(tmp_path: Path) -> None:
    data = "data: {d: {classification: internal}}\nstores: {a: {holds: [d]}, b: {holds: [d]}}\n"
    assessment = assessed_text(tmp_path, f"name: x\n{data}functions: {{bot: {{triggers: [], reads: [a]}}}}\n")
    read = Read(file="t", kind="template", elements={}, unused=(("bot", "b", Place("t", 1, 1)),))
    granted = replace(assessment, graph=replace(assessment.graph, evidence=(read,)))
    ends = {
        step.end.element for step in steps(granted) if step.begin == Position("code", "bot") and step.end.hold == "read"
    }
    assert ends >= {"a", "b"}


def test_leads_name_kinds_and_relations_that_exist(tmp_path: Path) -> None:
    relations = Relations(assessed(tmp_path, {}).graph)
    for lead in LEADS:
        assert set(LIBRARY.threats[lead.threat].targets) <= set(KINDS)
        for hold, name in ((lead.begin, lead.of), (lead.end, lead.to)):
            list(relations.positions(hold, name, "order-bot"))


def _text(changes: object) -> str:
    from tests.assessment.paths.samples import changed

    return changed(changes)  # type: ignore[arg-type]
