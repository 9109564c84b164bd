"""What an attacker reaches, as JSON: a versioned contract, described by reach.schema.json in the folder above."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.paths.reaching import Reach, Task
from threatmodel.render.contract.paths import model_data, position_data, step_data

SCHEMA_VERSION = "1.0"
"""The second number grows when keys are added, the first when one changes or goes."""


def reach_data(found: Reach, assessment: Assessment) -> dict[str, Any]:
    """Return what is reached and what to do as plain data."""
    return {
        "schema_version": SCHEMA_VERSION,
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
