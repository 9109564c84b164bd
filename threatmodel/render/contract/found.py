"""Findings, their controls and open questions, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threatmodel.assessment.assessed import Assessment, Finding, Question
from threatmodel.assessment.control_state import State
from threatmodel.assessment.gaps import gap
from threatmodel.assessment.gate.faults import places
from threatmodel.assessment.priorities import reached
from threatmodel.assessment.risk import Cell, band
from threatmodel.render.contract.facts import evidence_data, location_data


def finding_data(finding: Finding, assessment: Assessment, control: str) -> dict[str, Any]:
    """Return a threat to an element, with the controls that address it; `control` is the cause, if any."""
    return {
        "id": finding.id,
        "threat": finding.threat.id,
        "element": finding.target.id,
        "scenario": finding.threat.scenario,
        "applies": _APPLIES[finding.applies],
        "verdict": finding.verdict,
        "inherent": _cell(finding.inherent),
        "claimed": _cell(finding.claimed),
        "proven": _cell(finding.proven),
        "higher_as_proven": gap(finding),
        "rated": list(finding.rated),
        "reaches": list(reached(assessment, finding.threat)),
        "why": [evidence_data(item) for item in finding.why],
        "controls": [
            {
                "id": answer.link.control,
                "state": answer.state.state,
                "element": answer.state.element,
                "effect": answer.link.effect,
                "reason": answer.state.reason,
            }
            for answer in finding.answers
        ],
        "location": location_data(places(finding, assessment, control)[0]),
        "element_location": location_data(finding.target.place),
    }


_APPLIES = ("unknown", "stated", "proven")
"""How well it is known that a finding applies, by the size of that truth."""


def _cell(cell: Cell) -> dict[str, Any]:
    return {"likelihood": cell.likelihood, "impact": cell.impact, "score": cell.score, "band": cell.band}


def controls_data(assessment: Assessment) -> Iterator[dict[str, Any]]:
    """Every control with the states that findings rest on."""
    states: dict[str, dict[tuple[str, str, str], State]] = {control: {} for control in assessment.library.controls}
    for finding in assessment.applying:
        for answer in finding.answers:
            state = answer.state
            states[answer.link.control].setdefault((state.element, state.state, state.reason), state)
    for control in assessment.library.controls.values():
        yield {
            "id": control.id,
            "title": control.title,
            "mitigation": control.mitigation,
            "kind": control.kind,
            "owner": control.owner,
            "scope": control.scope,
            "states": [
                {
                    "element": state.element,
                    "state": state.state,
                    "reason": state.reason,
                    "evidence": [evidence_data(item) for item in state.support],
                }
                for state in states[control.id].values()
            ],
        }


def question_data(question: Question) -> dict[str, Any]:
    """What only a person can answer."""
    subject = "control" if question.kind == "attest" else "fact"
    return {
        "id": question.id,
        "kind": question.kind,
        subject: question.name,
        "facts": list(question.facts),
        "of": question.of,
        "ask": question.ask,
        **{name: text for name, text in (("hint", question.hint), ("known", question.known)) if text},
        "elements": list(question.elements),
        "affects": list(question.decides),
        "worst_band": band(question.score),
        "topic": question.answered_from,
    }
