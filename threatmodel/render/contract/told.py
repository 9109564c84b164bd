"""What to make of an assessment (an answer, stories, what to do next), as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from threatmodel.assessment.actions import Action, change, faults, proofs
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.groups import Group
from threatmodel.assessment.risk import band
from threatmodel.assessment.safety import Safety
from threatmodel.assessment.stories import Story
from threatmodel.render.contract.facts import location_data


def safety_data(found: Safety) -> dict[str, Any]:
    """Whether it is safe, as far as is known, with the counts."""
    return {
        "answer": found.answer,
        "tolerance": found.tolerance,
        "threshold": found.threshold,
        "open": dict(found.open),
        "waiting": dict(found.waiting),
        "on_word": dict(found.word),
        "accepted": found.accepted,
        "provider": found.provider,
        "failing": found.fails,
        "uncovered": found.uncovered,
        "taken_out": found.taken,
    }


def story_data(story: Story) -> dict[str, Any]:
    """A line of the first view."""
    return {
        "id": story.id,
        "verdict": story.verdict,
        "threats": [threat.id for threat in story.threats],
        "elements": list(story.elements),
        "findings": [finding.id for finding in story.findings],
        "question": story.questions[0].id if story.questions else None,
        "questions": [question.id for question in story.questions],
        "look": story.look,
        "at_fault": story.cause.state.control if story.cause is not None else None,
        "wanting": [{"control": control, "state": state} for control, state in story.wanting],
        "claimed_band": story.claimed,
        "proven_band": story.proven,
        "public_endpoint_open": story.door,
        "first_view": not story.minor,
    }


def action_data(action: Action, assessment: Assessment, groups: Sequence[Group]) -> dict[str, Any]:
    """What to do, and what that would change; `groups` are the assessment's."""
    would = change(assessment, action, groups)
    said = (assessment.states.statements.get((action.control.id, element)) for element in action.elements)
    return {
        "do": action.control.do,
        "effect": action.effect,
        "owner": action.control.owner,
        "public_endpoint_open": action.door,
        "first_view": not action.minor,
        "at_fault": [
            {
                "element": fault.element,
                "fact": fault.fact,
                "value": fault.value,
                "note": fault.said.note,
                "location": location_data(fault.said.place),
            }
            for fault in faults(action)
        ],
        "proven_by": list(proofs(action.control)),
        "would": {
            "close": list(would.closed),
            "lower": list(would.lowered),
            "stay": would.stay,
            "claimed": [_move(*move) for move in would.claimed],
            "proven": [_move(*move) for move in would.proven],
        },
        "control": action.control.id,
        "states": {state: [item.element for item in found] for state, found in action.states.items()},
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


def _move(before: str, after: str, count: int) -> dict[str, Any]:
    return {"from": before, "to": after, "count": count}
