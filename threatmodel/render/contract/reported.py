"""What to make of an assessment (an answer, issues, what to do next), as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from threatmodel.assessment.actions import Action, faults, proofs
from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.issues import Issue
from threatmodel.assessment.risk import band
from threatmodel.assessment.safety import Safety
from threatmodel.render.contract.facts import location_data


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
