"""What to ask about what is unknown: the facts and lists that it follows from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.model.facts import Fact
from threatmodel.model.vocabulary import INPUTS, LISTS, ONLY_IF, RELATIONS, Input


class Ask(NamedTuple):
    """Something that is not stated.

    A fact or a list of an element, the callers of its routes, a plane's description, or the attestation of a control.
    `kind` is fact, relation, caller, describe or attest; `name` the fact, the list, the plane or the control. `rest`:
    only the rest of the list.
    """

    kind: str
    of: str
    name: str
    element: str
    rest: bool = False


def asks_for(graph: Graph, target: Element | Flow, name: str) -> Iterator[Ask]:
    """Yield what to ask about an unknown fact: the fact itself, or for a derived fact its unknown inputs.

    What has to be true for it comes first, where that is not known either.
    """
    premise = ONLY_IF[target.kind].get(name)
    if premise is not None and not _known(target.facts.get(premise)):
        yield from asks_for(graph, target, premise)
        return
    inputs = INPUTS.get((target.kind, name))
    if isinstance(target, Flow) and inputs is not None:
        yield from _of_ends(graph, target, name) or [Ask("fact", target.kind, name, target.id)]
        return
    if inputs is None:
        yield Ask("fact", target.kind, name, target.id)
        return
    found = list(dict.fromkeys(ask for given in inputs for ask in _of_input(graph, target, given)))
    yield from found or _of_others(graph, inputs) or [Ask("fact", target.kind, name, target.id)]


def _of_ends(graph: Graph, flow: Flow, name: str) -> list[Ask]:
    """Return what to ask of a flow's ends, which decide what it carries."""
    ends = [graph.elements[end] for end in (flow.source, flow.target)]
    unknown = [end for end in ends if (end.kind, name) in INPUTS and not _known(end.facts.get(name))]
    return list(dict.fromkeys(ask for end in unknown for ask in asks_for(graph, end, name)))


def _of_others(graph: Graph, inputs: Sequence[Input]) -> list[Ask]:
    """Return what to ask about the lists of other elements, which decide what an element's own lists do not."""
    lists = [given for given in inputs if given.name in LISTS]
    asks = (
        ask for given in lists for element in graph.lists for ask in list_asks(graph, given.kind, given.name, element)
    )
    return list(dict.fromkeys(asks))


def _known(fact: Fact | None) -> bool:
    return fact is not None and fact.size > 0 and not fact.in_doubt


def _of_input(graph: Graph, target: Element | Flow, given: Input) -> Iterator[Ask]:
    if given.name in LISTS and given.kind == "function" and target.kind != "function":
        for element in graph.lists:
            yield from list_asks(graph, given.kind, given.name, element)
        return
    elements = [target.id] if given.kind == target.kind else graph.related(target, given.kind).ids
    for element in elements:
        if given.name in LISTS:
            yield from list_asks(graph, given.kind, given.name, element)
        elif not graph.elements[element].described:
            yield Ask("describe", given.kind, given.kind, element)
        elif not _known(graph.elements[element].facts.get(given.name)):
            yield Ask("fact", given.kind, given.name, element)


def list_asks(graph: Graph, kind: str, name: str, element: str) -> Iterator[Ask]:
    """Yield what to ask about a list of an element, or about its rest; nothing where it is complete.

    For triggers, also which requests Slack sends, where that is not stated.
    """
    if graph.elements[element].kind == kind and name in RELATIONS[kind]:
        members = graph.lists[element].get(name)
        if name == "triggers" and members is not None and any(one.caller == "unknown" for one in members.items):
            yield Ask("caller", kind, "callers", element)
        if members is None or not members.size:
            yield Ask("relation", kind, name, element, rest=members is not None and bool(members.known))
