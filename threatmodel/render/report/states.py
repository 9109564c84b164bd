"""The states of controls as a report counts them: those that findings depend on, and the worst of each control."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.control_state import STATES
from threatmodel.assessment.standings import Standing, standings

RANK: Mapping[str, int] = {state: rank for rank, state in enumerate(STATES)}
IN_PLACE = frozenset({"proven", "attested", "claimed"})
"""States in which a control counts, at least as claimed."""

NOT_NEEDED = "not needed"
"""The state of a control that no finding depends on."""

Seen = Mapping[str, Mapping[str, Mapping[str, Standing]]]
"""For each control, by state, the elements on which findings depend on it."""


def seen(assessment: Assessment) -> Seen:
    """Return the states that findings depend on."""
    found: dict[str, dict[str, dict[str, Standing]]] = {control: {} for control in assessment.library.controls}
    for group in assessment.groups:
        if group.head.applies:
            for at, answer in enumerate(group.head.answers):
                elements = found[answer.link.control].setdefault(answer.state.state, {})
                for element, standing in standings(assessment, group, at):
                    elements.setdefault(element, standing)
    return found


def worst_states(assessment: Assessment) -> Mapping[str, str]:
    """Return the worst state of each control; 'not needed' where no finding depends on it."""
    found: dict[str, set[str]] = {control: set() for control in assessment.library.controls}
    for group in assessment.groups:
        if group.head.applies:
            for answer in group.head.answers:
                found[answer.link.control].add(answer.state.state)
    return {control: worst_of(states) for control, states in found.items()}


def worst_of(states: Collection[str]) -> str:
    """Return the worst of a control's states; 'not needed' where no finding depends on it."""
    applicable = [state for state in states if state != "not-applicable"]
    if applicable:
        return max(applicable, key=lambda state: RANK[state])
    return "not-applicable" if states else NOT_NEEDED
