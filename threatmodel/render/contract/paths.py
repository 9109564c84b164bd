"""Attack paths, and what an attacker reaches, as JSON: two versioned contracts, each with a schema one folder above."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.paths.reaching import Reach, Task
from threatmodel.assessment.paths.values import AIM_OF, Alike, Barrier, Cut, Paths, Position, Step
from threatmodel.render.contract.described import cell_data, location_data
from threatmodel.render.plain import APPLIES

SCHEMA_VERSION = "1.0"
"""The second number grows when keys are added, the first when one changes or goes."""

MOST_ALIKE = 100
"""Paths of the same rank and last threat that are listed by their start and goal; the others are counted."""


def paths_data(found: Paths, assessment: Assessment) -> dict[str, Any]:
    """Return the paths of a system as plain data, worst first."""
    return {
        "schema_version": SCHEMA_VERSION,
        "model": model_data(assessment),
        "counts": {"claimed": dict(found.claimed), "proven": dict(found.proven)},
        "paths": [_path(alike) for alike in found.found],
        "cuts": {"claimed": _cut(found.cut_claimed), "proven": _cut(found.cut_proven)},
        "entries": found.entries,
        "complete": found.complete,
        "functions_in_part_unknown": list(found.unknown),
        "threats_in_no_path": list(found.unlisted),
    }


def model_data(assessment: Assessment) -> Mapping[str, Any]:
    """Return which model was assessed, and as of when."""
    system = assessment.graph.system
    return {
        "name": system.name,
        "file": system.file,
        "revision": system.revision,
        "assessed_on": assessment.today.isoformat(),
        "excluded_threats": list(assessment.excluded),
    }


def position_data(position: Position) -> dict[str, Any]:
    """Return what an attacker holds, and what that is worth to them."""
    return {"hold": position.hold, "element": position.element or None, "aim": AIM_OF.get(position.hold)}


def step_data(step: Step) -> dict[str, Any]:
    """Return a step with its threat and the controls in its way."""
    return {
        "begin": position_data(step.begin),
        "end": position_data(step.end),
        "finding": step.finding or None,
        "along": step.along or None,
        "applies": APPLIES[step.applies],
        "claimed": _barrier(step.claimed),
        "proven": _barrier(step.proven),
        "controls": [
            {
                "id": answer.link.control,
                "effect": answer.link.effect,
                "state": answer.state.state,
                "element": answer.state.element,
                "reason": answer.state.reason,
            }
            for answer in step.answers
        ],
        "note": step.note or None,
        "location": location_data(step.place),
    }


def _path(alike: Alike) -> dict[str, Any]:
    head = alike.head
    return {
        "start": position_data(head.start),
        "goal": position_data(head.goal),
        "as_claimed": head.as_claimed,
        "as_proven": head.as_proven,
        "claimed": cell_data(head.claimed),
        "proven": cell_data(head.proven),
        "steps": [step_data(step) for step in head.steps],
        "questions": [
            {"id": one.question.id, "ask": one.question.ask, "facts": list(one.facts)} for one in head.questions
        ],
        "alike": len(alike.paths) - 1,
        "alike_first": [
            {"start": position_data(one.start), "goal": position_data(one.goal)}
            for one in alike.paths[1 : MOST_ALIKE + 1]
        ],
    }


def _barrier(one: Barrier) -> dict[str, Any]:
    return {"strength": one.strength, "likelihood": one.likelihood}


def _cut(cut: Cut) -> dict[str, Any]:
    return {
        "exact": cut.exact,
        "controls": [{"id": one.control, "states": dict(one.elements)} for one in cut.choices],
        "uncut": [position_data(one) for one in cut.uncut],
    }


REACH_VERSION = "1.0"
"""The second number grows when keys are added, the first when one changes or goes."""


def reach_data(found: Reach, assessment: Assessment) -> dict[str, Any]:
    """Return what is reached and what to do as plain data."""
    return {
        "schema_version": REACH_VERSION,
        "model": model_data(assessment),
        "element": found.element,
        "held": [position_data(one) for one in found.held],
        "reached": [
            {
                "position": position_data(one.goal),
                "as_claimed": one.as_claimed,
                "as_proven": one.as_proven,
                "steps": [step_data(step) for step in one.steps],
            }
            for one in found.reached
        ],
        "tasks": _tasks(found.tasks),
        "tasks_if_a_claim_is_false": _tasks(found.later),
        "complete": found.complete,
    }


def _tasks(tasks: Iterable[Task]) -> list[dict[str, Any]]:
    return [
        {
            "do": task.duty,
            "position": position_data(task.position),
            "owner": task.owner or None,
            "used_by": list(task.used_by),
        }
        for task in tasks
    ]
