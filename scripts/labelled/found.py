"""What an import of a file finds: the model that `tm import` writes, with the file as its evidence."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from threatmodel import load_library, load_model
from threatmodel.assessment.states import States
from threatmodel.authoring.importing.plan import imported
from threatmodel.evidence.outside import SUPPLIED, outside
from threatmodel.graph.building import Graph
from threatmodel.library.entries import Library
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.system import REQUESTS, Trigger
from threatmodel.reading.files import Files

TODAY = datetime.date(2026, 11, 25)
"""The day on which every file is read: runtimes are supported until a day."""
USES = ("reads", "writes", "sends", "secrets", "invokes", "calls")
ASKED, SLACK, OTHERS = "asked", "slack", "others"
IF_IT_APPLIES = "absent, if it applies"
"""A control that is not in place, and of which it is not known whether it makes sense there."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is found in one file, in the words of labels.

    `routes` have who calls them: slack, others, or asked.  `open` are the lists that may be longer, by function and
    name; of what is no function all are.  `states` are those of the controls on each resource that is an element.
    """

    functions: frozenset[str]
    routes: Mapping[str, str]
    flows: frozenset[str]
    secrets: frozenset[str]
    open: frozenset[tuple[str, str]]
    states: Mapping[tuple[str, str], str]


@cache
def library() -> Library:
    """The toolkit's own library."""
    return load_library()


def found_in(path: Path) -> Found:
    """What an import finds in a file.  Raises InputError where the file cannot be read."""
    model = path.with_name("accuracy-model.yaml")
    result = imported(path, "", model, Files())
    graph = load_model(model, Files(texts={model: result.text}), today=TODAY)
    names = {entry.id: entry.resource for entry in result.added}
    functions = [node.id for node in graph.system.nodes.values() if node.kind == "function"]
    return Found(
        functions=frozenset(names[one] for one in functions),
        routes=dict(route for one in functions for route in _routes(graph, one, names)),
        flows=frozenset(
            (
                *(flow for one in functions for flow in _flows(graph, one, names)),
                *_passed_on(graph, names),
            )
        ),
        secrets=frozenset(_secrets(graph, names)),
        open=frozenset(
            (
                *(
                    (names[one], name)
                    for one in functions
                    for name in ("triggers", *USES)
                    if name not in graph.lists[one] or graph.lists[one][name].closed is None
                ),
                *((name, use) for name in names.values() if name not in functions for use in (*USES, "passes")),
            )
        ),
        states=dict(_states(graph, names)),
    )


def _triggers(graph: Graph, function: str) -> Iterator[Trigger]:
    if "triggers" in graph.lists[function]:
        yield from graph.lists[function]["triggers"].items


def _routes(graph: Graph, function: str, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for one in _triggers(graph, function):
        if one.by in REQUESTS:
            caller = ASKED if one.caller == "unknown" else SLACK if one.by == SLACK else OTHERS
            yield f"{one.detail} {one.path or '/*'} {names[function]}", caller


def _flows(graph: Graph, function: str, names: Mapping[str, str]) -> Iterator[str]:
    for one in _triggers(graph, function):
        if one.by not in REQUESTS:
            source = names.get(one.source.id, one.source.id) if one.source is not None else one.detail
            yield f"{source} > {names[function]}"
    for name in USES:
        if name in graph.lists[function]:
            used = (names.get(one, one) for one in graph.lists[function][name].items)
            yield from (f"{names[function]} {name} {one}" for one in used if not _is_in_a_variable(one))


def _passed_on(graph: Graph, names: Mapping[str, str]) -> Iterator[str]:
    """What elements and services hand on by themselves, with no function between."""
    for one, lists in graph.lists.items():
        passes = lists.get("passes_to")
        yield from (f"{names.get(one, one)} passes {names.get(to, to)}" for to in (passes.items if passes else ()))
    for one, external in graph.system.externals.items():
        for name, relation in external.relations.items():
            yield from (f"{names.get(one, one)} {name} {names.get(to, to)}" for to in relation.ids)


def _is_in_a_variable(name: str) -> bool:
    """Whether a secret is in a variable alone, for which the labels name the environment of the function."""
    beyond = outside(name)
    return beyond is not None and beyond.service in SUPPLIED


def _secrets(graph: Graph, names: Mapping[str, str]) -> Iterator[str]:
    for node in graph.system.nodes.values():
        if node.kind == "secret":
            if not _is_in_a_variable(name := names.get(node.id, node.id)):
                yield name
        elif node.kind == "function":
            fact = graph.elements[node.id].facts.get("environment_holds_secret")
            if fact is not None and fact.size >= EVIDENCE and fact.value is True:
                yield f"environment of {names[node.id]}"


def _states(graph: Graph, names: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], str]]:
    states = States(graph, library(), TODAY)
    for control in library().controls.values():
        for element in graph.elements.values():
            if element.kind == control.scope:
                state = states.at(control, element.id).state
                unsure = any(not need.condition.truth(element.facts) for need in control.needs)
                stated = IF_IT_APPLIES if state == "absent" and unsure else state
                yield (control.id, names.get(element.id, element.id)), stated
