"""Elements and flows whose facts are equal, as profiles: what follows from facts alone is computed once for each."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.model.facts import Fact

T = TypeVar("T")


class Profiles:
    """The profile of each element and flow of a graph, a number.

    Equal profiles have the same kind and the same facts: values, how well these are known, and by what kind of source.
    Where the statements are may differ.  `any_stale`: the evidence of some fact is too old, or of other code.
    """

    def __init__(self, graph: Graph) -> None:
        self._known: dict[Hashable, int] = {}
        self._of: dict[str, int] = {}
        self.any_stale = False
        for target in graph.targets():
            self._of[target.id] = self._number(target)

    def _number(self, target: Element | Flow) -> int:
        facts = [
            (name, *_known(one), one.said.stale, one.in_doubt, one.firm and _known(one.firm))
            for name, one in target.facts.items()
        ]
        key = (target.kind, target.described, tuple(facts))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self._known)
            self.any_stale = self.any_stale or any(one.said.stale for one in target.facts.values())
        return found

    def of(self, target: Element | Flow) -> int:
        """Return the profile of an element or a flow."""
        return self._of[target.id]


def _known(fact: Fact) -> tuple[object, int, str]:
    return fact.value, fact.size, fact.said.source


class PerProfile(dict[tuple[str, int], T]):
    """What follows from facts alone, by a name and a profile; `once` computes what is missing."""

    def once(self, name: str, profile: int, compute: Callable[[], T]) -> T:
        """Return what is known for a name and a profile, or else compute it."""
        found = self.get((name, profile))
        if found is None:
            found = self[name, profile] = compute()
        return found
