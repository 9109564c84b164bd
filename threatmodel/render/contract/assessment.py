"""The assessment as JSON: a versioned contract, described by assessment.schema.json in the folder above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from threatmodel.assessment.actions import Action, actions, faults, proofs
from threatmodel.assessment.assessed import Assessment, Finding, Question
from threatmodel.assessment.control_state import State, support_of
from threatmodel.assessment.gate.risks import places
from threatmodel.assessment.issues import Issue, controls_at_fault, issues
from threatmodel.assessment.priorities import reached, summary
from threatmodel.assessment.risk import band
from threatmodel.assessment.safety import Safety, gap, gaps, safety
from threatmodel.render.contract.described import (
    acceptance_data,
    cell_data,
    element_data,
    evidence_data,
    flow_data,
    invariant_data,
    library_data,
    location_data,
    read_data,
)
from threatmodel.render.plain import APPLIES


def finding_data(finding: Finding, assessment: Assessment, control: str) -> dict[str, Any]:
    """Return a threat to an element, with the controls that address it; `control` is the cause, if any."""
    return {
        "id": finding.id,
        "threat": finding.threat.id,
        "element": finding.target.id,
        "scenario": finding.threat.scenario,
        "applies": APPLIES[finding.applies],
        "verdict": finding.verdict,
        "inherent": cell_data(finding.inherent),
        "claimed": cell_data(finding.claimed),
        "proven": cell_data(finding.proven),
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


def safety_data(found: Safety) -> dict[str, Any]:
    """Return whether the risk is within the accepted level, with the counts."""
    return {
        "answer": found.answer,
        "accepted_level": found.accepted_level,
        "threshold": found.threshold,
        "above": dict(found.above),
        "undetermined": dict(found.undetermined),
        "unproven": dict(found.unproven),
        "accepted": found.accepted,
        "provider": found.provider,
        "failing": found.fails,
        "unmodeled": found.unmodeled,
        "hidden": found.hidden,
    }


def issue_data(issue: Issue) -> dict[str, Any]:
    """A line of the first view."""
    return {
        "id": issue.id,
        "verdict": issue.verdict,
        "threats": [threat.id for threat in issue.threats],
        "elements": list(issue.elements),
        "findings": [finding.id for finding in issue.findings],
        "question": issue.questions[0].id if issue.questions else None,
        "questions": [question.id for question in issue.questions],
        "topic": issue.answered_from,
        "cause": issue.cause.state.control if issue.cause is not None else None,
        "missing": [{"control": control, "state": state} for control, state in issue.missing],
        "claimed_band": issue.claimed,
        "proven_band": issue.proven,
        "public_endpoint_open": issue.entry_point,
        "first_view": not issue.minor,
    }


def action_data(action: Action, assessment: Assessment) -> dict[str, Any]:
    """Return what to do, and what that changes."""
    said = (assessment.states.statements.get((action.control.id, element)) for element in action.elements)
    return {
        "do": action.control.do,
        "effect": action.effect,
        "owner": action.control.owner,
        "public_endpoint_open": action.entry_point,
        "first_view": not action.minor,
        "cause": [
            {
                "element": fault.element,
                "fact": fault.fact,
                "value": fault.value,
                "note": fault.said.remark,
                "location": location_data(fault.said.place),
            }
            for fault in faults(action)
        ],
        "proven_by": list(proofs(action.control)),
        "change": {
            "close": _in_order(action.change.closed, assessment),
            "lower": _in_order(action.change.lowered, assessment),
            "stay": action.change.stay,
            "claimed": [_move(*move) for move in action.change.claimed],
            "proven": [_move(*move) for move in action.change.proven],
        },
        "control": action.control.id,
        "states": {state: list(elements) for state, elements in action.states.items()},
        "lowers": list(action.findings),
        "worst_band": band(action.worst),
        "tracked": [
            {
                "element": one.element,
                "owner": assessment.graph.system.reached(one.owner),
                "ticket": one.ticket,
                "due": one.due.isoformat() if one.due is not None else None,
            }
            for one in said
            if one is not None and (one.owner or one.ticket or one.due)
        ],
    }


def _in_order(found: Iterable[Sequence[Finding]], assessment: Assessment) -> list[str]:
    """The ids of findings, as the assessment has them in order."""
    return sorted((one.id for some in found for one in some), key=assessment.places.__getitem__)


def _move(before: str, after: str, count: int) -> dict[str, Any]:
    return {"from": before, "to": after, "count": count}


SCHEMA_VERSION = "2.0"
"""The second number grows when keys are added, the first when one changes or goes."""


def contract(assessment: Assessment) -> dict[str, Any]:
    """The assessment as plain data, in the order in which it is read."""
    return {key: list(value) if isinstance(value, Iterator) else value for key, value in parts(assessment)}


def parts(assessment: Assessment) -> Iterator[tuple[str, Any]]:
    """The same key by key; a long list is an iterator, so that no more than one of its items is held at a time."""
    graph = assessment.graph
    system = graph.system
    counts = summary(assessment)
    yield "schema_version", SCHEMA_VERSION
    yield (
        "model",
        {
            "name": system.name,
            "description": system.description,
            "owner": system.owner,
            "scope": system.scope,
            "file": system.file,
            "revision": system.revision,
            "risk_tolerance": system.risk_tolerance,
            "assumptions": list(system.assumptions),
            "assessed_on": assessment.today.isoformat(),
            "excluded_threats": list(assessment.excluded),
        },
    )
    yield "library", library_data(assessment.library)
    yield (
        "summary",
        {
            "findings": len(assessment.findings),
            "by_verdict": dict(counts.verdicts),
            "by_band": {
                "inherent": dict(counts.inherent),
                "claimed": dict(counts.claimed),
                "proven": dict(counts.proven),
                "undetermined": dict(counts.undetermined),
            },
            "higher_as_proven": dict(gaps(assessment)),
        },
    )
    yield "verdict", safety_data(safety(assessment))
    listed = issues(assessment)
    at_fault = controls_at_fault(listed)
    yield "issues", (issue_data(issue) for issue in listed)
    yield "elements", (element_data(element) for element in graph.elements.values())
    yield "flows", (flow_data(flow) for flow in graph.flows.values())
    yield "findings", (finding_data(one, assessment, at_fault.get(one.id, "")) for one in assessment.findings)
    yield "controls", controls_data(assessment)
    yield "questions", (question_data(question) for question in assessment.questions)
    yield "evidence", (read_data(read) for read in graph.evidence)
    yield (
        "drift",
        (
            {"element": one.element, **evidence_data(support_of(one.name, one.fact))}
            for one in assessment.drift
            if not isinstance(one.fact.said.value, tuple)
        ),
    )
    yield "actions", (action_data(action, assessment) for action in actions(assessment))
    yield (
        "ruled_out",
        (
            {
                "threat": item.threat.id,
                "facts": [{"fact": fact, "value": value} for fact, value in item.facts],
                "count": item.times,
                "first": [element for element, _ in item.first],
            }
            for item in assessment.ruled_out
        ),
    )
    yield (
        "reliances",
        (
            {
                "kind": one.kind,
                "what": one.what,
                "times": one.times,
                "by": one.by,
                "reason": one.reason,
                "location": location_data(one.place),
            }
            for one in assessment.reliances
        ),
    )
    yield "accepted_risks", (acceptance_data(item, assessment) for item in system.acceptances)
    yield "invariants", (invariant_data(one, assessment) for one in assessment.invariants)
    yield "problems", []
