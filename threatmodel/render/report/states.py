"""The states of controls as a report counts them: those that findings depend on, and the worst of each control."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.states import STATES, State

RANK: Mapping[str, int] = {state: rank for rank, state in enumerate(STATES)}
IN_PLACE = frozenset({"proven", "attested", "claimed"})
"""States in which a control counts, at least as claimed."""

NOT_NEEDED = "not needed"
"""The state of a control that no finding depends on."""

Seen = Mapping[str, Mapping[str, Mapping[str, State]]]
"""For each control, by state, the elements on which findings depend on it."""


def seen(assessment: Assessment) -> Seen:
    """Return the states that findings depend on."""
    found: dict[str, dict[str, dict[str, State]]] = {control: {} for control in assessment.library.controls}
    known: set[State] = set()  # a control of a plane has one state, on which most findings rest
    for finding in assessment.applying:
        for _, state in finding.answers:
            if state not in known:
                known.add(state)
                found[state.control].setdefault(state.state, {}).setdefault(state.element, state)
    return found


def worst_of(states: Mapping[str, Mapping[str, State]]) -> str:
    """Return the worst state of a control; 'not needed' where no finding depends on it."""
    applicable = [state for state in states if state != "not-applicable"]
    if applicable:
        return max(applicable, key=lambda state: RANK[state])
    return "not-applicable" if states else NOT_NEEDED
