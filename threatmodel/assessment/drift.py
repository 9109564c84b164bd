"""Where a model and its evidence disagree: facts that two origins state differently, and elements that one lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from threatmodel.graph.building import Graph
from threatmodel.graph.resolved import IMPLIED
from threatmodel.model.facts import Fact
from threatmodel.model.vocabulary import INPUTS
from threatmodel.reading.problems import Place


class Difference(NamedTuple):
    """A fact or a list of an element on which origins differ."""

    element: str
    name: str
    fact: Fact


class Absence(NamedTuple):
    """An element that a file of evidence lacks (`in_model`), or a resource of it that the model lacks."""

    name: str
    kind: str
    place: Place
    file: str
    in_model: bool


def differences(graph: Graph) -> Iterator[Difference]:
    """Every fact and list on which origins differ, lists first; a list that is only implied says nothing.

    Nor does a derived fact: what it follows from is reported.
    """
    for element, lists in graph.lists.items():
        for name, members in lists.items():
            if any(said.note != IMPLIED for said in members.against):
                size = members.said.size if members.closed or members.said.open else 0
                yield Difference(element, name, Fact(members.items, size, members.said, members.against))
    agreed: set[int] = set()  # by the identity of facts, which flows share
    for target in graph.targets():
        facts = target.facts
        if id(facts) not in agreed:
            names = [name for name, fact in facts.items() if fact.against and (target.kind, name) not in INPUTS]
            yield from (Difference(target.id, name, facts[name]) for name in names)
            if not names:
                agreed.add(id(facts))


def absences(graph: Graph) -> Iterator[Absence]:
    """Every element without a resource in any of the files of evidence, and every resource without an element."""
    found = {element for read in graph.evidence for element in read.elements}
    missing: dict[str, Absence] = {}
    for read in graph.evidence:
        for name, kind, place in read.missing:
            if name not in found:
                missing.setdefault(name, Absence(name, kind, place, read.file, in_model=True))
    yield from missing.values()
    extra: dict[tuple[str, str], Absence] = {}
    for read in graph.evidence:
        for name, kind, place in read.extra:
            extra.setdefault((name, kind), Absence(name, kind, place, read.file, in_model=False))
    yield from extra.values()
