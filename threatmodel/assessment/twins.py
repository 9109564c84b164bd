"""Elements and flows that differ only in their names, as twins: what follows for one of them follows for all.

Twins have the same profile, and what they use, or what uses them, are twins in turn.  So the same threats apply to
them, their controls count alike, and the questions about one are those about the others, of the corresponding elements.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import NamedTuple

from threatmodel.assessment.profiles import Profiles
from threatmodel.graph.elements import NEIGHBORS, Element, Flow, Graph
from threatmodel.library.entries import Library
from threatmodel.model.system import Trigger
from threatmodel.model.vocabulary import PLANES, Kind

Target = Element | Flow


class Role(NamedTuple):
    """Where an element is in the neighborhood of a target: at an end of a flow, and there the nth neighbor of a kind.

    `end` is '' for the target itself; without a `scope` it is the target, or its end.  `fixed` is the element itself,
    where it is the same for all twins.
    """

    end: str = ""
    scope: Kind | None = None
    number: int = 0
    fixed: str = ""


class Twins:
    """The classes of a graph's targets.

    `named` are the elements of which something is stated by name alone (a rating, an acceptance, a control): each is in
    a separate class.
    """

    def __init__(self, graph: Graph, profiles: Profiles, library: Library, named: Collection[str]) -> None:
        self._graph = graph
        self._targets = list(graph.targets())
        self.place = {target.id: at for at, target in enumerate(self._targets)}
        nodes = [target for target in self._targets if isinstance(target, Element)]
        colors = _numbered({node.id: (_own(node, profiles, named), _lists(graph, node)) for node in nodes})
        for _ in range(_depth(library)):
            finer = _numbered({node.id: (colors[node.id], *self._around(node, colors)) for node in nodes})
            stable = len(set(finer.values())) == len(set(colors.values()))
            colors = finer
            if stable:
                break
        flows = {
            flow.id: (_own(flow, profiles, named), colors.get(flow.source), colors.get(flow.target))
            for flow in graph.flows.values()
        }
        first = len(nodes)
        self.of: dict[str, int] = {**colors, **{name: first + number for name, number in _numbered(flows).items()}}

    def _around(self, node: Element, colors: Mapping[str, int]) -> Iterator[Hashable]:
        """What an element's neighbors are, by kind; how well they are known follows from `_lists`."""
        for scope in NEIGHBORS.get(node.kind, ()):
            yield tuple([colors[name] for name in self._graph.related(node, scope).ids])

    def classes(self) -> list[list[Target]]:
        """Return the targets by class, each in order of their ids, the classes in the graph's order."""
        found: dict[int, list[Target]] = {}
        for target in self._targets:
            found.setdefault(self.of[target.id], []).append(target)
        return [sorted(some, key=lambda target: target.id) for some in found.values()]

    def role(self, target: Target, element: str) -> Role | None:
        """Return where an element is as seen from a target; None where it is not in its neighborhood."""
        if element == target.id:
            return Role()
        if element in PLANES:
            return Role(fixed=element)
        if isinstance(target, Flow):
            for end in ("source", "target"):
                node = self._graph.elements[getattr(target, end)]
                if node.id == element:
                    return Role(end)
                if found := self._neighbor(node, element):
                    return found._replace(end=end)
            return None
        return self._neighbor(target, element)

    def _neighbor(self, node: Element, element: str) -> Role | None:
        for scope in NEIGHBORS.get(node.kind, ()):
            ids = self._graph.related(node, scope).ids
            if element in ids:
                return Role(scope=scope, number=ids.index(element))
        return None

    def element(self, target: Target, role: Role) -> str:
        """Return the element that has a role in the neighborhood of a target."""
        if role.fixed:
            return role.fixed
        name = getattr(target, role.end) if role.end else target.id
        if role.scope is None:
            return name
        node = self._graph.elements[name]
        return self._graph.related(node, role.scope).ids[role.number]


def _numbered(keys: Mapping[str, Hashable]) -> dict[str, int]:
    """The same number for equal keys."""
    numbers: dict[Hashable, int] = {}
    return {name: numbers.setdefault(key, len(numbers)) for name, key in keys.items()}


def _own(target: Target, profiles: Profiles, named: Collection[str]) -> Hashable:
    """What an assessment reads of a target itself, beside its name and the places of its facts."""
    node, name = target.node, target.id if target.id in named else ""
    said = (node.criticality, node.criticality_reason, node.public) if node is not None else ()
    return profiles.of(target), name, bool(target.out_of_scope), said, _remarks(target)


def _remarks(target: Target) -> Hashable:
    """What is said of facts beside their values: that they are not written, and what contradicts them."""
    return tuple(
        [
            (name, fact.said.omitted, tuple([(one.value, one.source, one.size) for one in fact.against]))
            for name, fact in target.facts.items()
            if fact.against or fact.said.omitted
        ]
    )


def _lists(graph: Graph, node: Element) -> Hashable:
    """How complete the lists of an element are, which decides what is asked about them."""
    return tuple(
        [
            (
                name,
                found.size,
                bool(found.known),
                any(isinstance(one, Trigger) and one.caller == "unknown" for one in found.items),
            )
            for name, found in graph.lists.get(node.id, {}).items()
        ]
    )


def _depth(library: Library) -> int:
    """How many steps from a target what is read of it may be: its neighbors, and those of each required control."""
    longest: dict[str, int] = {}

    def chain(name: str) -> int:
        if name not in longest:
            longest[name] = 0  # for controls that require each other, which no library may have
            longest[name] = 1 + max((chain(one) for one in library.controls[name].requires), default=0)
        return longest[name]

    return 1 + max((chain(name) for name in library.controls), default=0)
