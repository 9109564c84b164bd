"""The state of every control, as the scripts that change a system and look again compare it."""

from __future__ import annotations

import datetime

from threatmodel.assessment.states import States
from threatmodel.graph.elements import Graph
from threatmodel.library.entries import Library


def control_states(graph: Graph, library: Library, day: datetime.date) -> dict[str, str]:
    """The state of every control on every element of its scope on a day, by `control@element`."""
    found = States(graph, library, day)
    ids: dict[str, list[str]] = {"flow": list(graph.flows)}
    for element in graph.elements.values():
        ids.setdefault(element.kind, []).append(element.id)
    return {
        f"{control.id}@{element}": found.at(control, element).state
        for control in library.controls.values()
        for element in ids.get(control.scope, ())
    }
