"""Elements and flows that a threat finds alike, as twins: what follows for one of them follows for all.

Twins have the same facts, as far as the threat, its controls and their questions read them, and so have the elements
that these controls are on.  So the threat applies to all twins or to none, and their controls count alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter, itemgetter
from typing import NamedTuple

from threatmodel.graph.elements import NEIGHBORS, Element, Flow, Graph
from threatmodel.library.entries import Control, Library, Threat
from threatmodel.model.facts import Fact, Statement
from threatmodel.model.system import Trigger
from threatmodel.model.vocabulary import FACTS, INPUTS, LISTS, PLANES, Kind

Target = Element | Flow

FACING: Mapping[str, tuple[str, ...]] = {
    "function": ("internet_facing",),
    "api": ("slack_facing", "web_facing"),
    "store": ("open_to_public",),
}
"""The facts of a kind of which one says that the Internet reaches an element."""


FEW = 60
"""Up to so many elements and flows it costs more to find twins than each of them does by itself."""

DERIVED: Mapping[str, tuple[str, ...]] = {kind: tuple(name for of, name in INPUTS if of == kind) for kind, _ in INPUTS}
"""The facts of each kind that follow from others."""


_Marked = tuple[Sequence[int], frozenset[str]]
"""What is known of each fact of a target, as numbers, and the derived facts that are not known."""

_id = attrgetter("id")


class Role(NamedTuple):
    """Where an element is in the neighborhood of a target: at an end of a flow, and there the only neighbor of a kind.

    `end` is '' for the target itself; without a `scope` it is the target, or its end.  `fixed` is the element itself,
    where it is the same for all twins.
    """

    end: str = ""
    scope: Kind | None = None
    fixed: str = ""


class Twins:
    """The twins of a graph, under the threats and controls of a library.

    `named` are the elements of which something is stated by name alone (a rating, an acceptance, a control): none has a
    twin.
    """

    def __init__(self, graph: Graph, library: Library, named: Collection[str]) -> None:
        self._graph = graph
        self._library = library
        targets = list(graph.targets())
        self.place = {target.id: at for at, target in enumerate(targets)}
        self._few = len(targets) <= FEW
        self._numbers: dict[Hashable, int] = {}
        self._by_kind: dict[str, list[Target]] = {}
        for target in targets:
            self._by_kind.setdefault(target.kind, []).append(target)
        compared = () if self._few else targets
        self._own = {one.id: self._number((_own(one, named), self._ends(one))) for one in compared}
        self._shared: dict[str, list[tuple[int, _Marked, list[Target]]]] = {}
        self._found: dict[tuple[str, str], list[list[Target]]] = {}
        self._marks: dict[int, _Marked] = {}  # by the identity of facts, which flows share
        self._asks: dict[tuple[str, str], int] = {}
        self._controls: dict[str, dict[str, int]] = {name: {} for name in library.controls}
        self._whole: set[tuple[str, str]] = set()
        self._facts_of = {} if self._few else {one.id: _facts_of(one) for one in library.controls.values()}

    def of(self, threat: Threat, kind: Kind) -> list[list[Target]]:
        """Return the targets of a kind that a threat finds alike, each in order of their ids; none out of scope."""
        if (threat.id, kind) not in self._found:
            self._found[threat.id, kind] = self._of(threat, kind)
        return self._found[threat.id, kind]

    def _of(self, threat: Threat, kind: Kind) -> list[list[Target]]:
        if self._few:
            return [[target] for target in self._by_kind.get(kind, ()) if not target.out_of_scope]
        there, elsewhere = self._where([link.control for link in threat.links], kind)
        read = (name for control in there for name in self._facts_of[control.id])
        mentioned = (name for one in threat.conditions(kind) for name in one.facts)
        names = _names([*mentioned, *FACING.get(kind, ()), *read])
        alike = [self._alike(control, kind) for control in elsewhere]
        found: dict[Hashable, list[Target]] = {}
        reader = _reader(kind, names)
        for own, (marks, open_facts), some in self._sharing(kind):
            known, asked = reader(marks), not open_facts.isdisjoint(names)
            if not alike and not asked:
                found.setdefault((own, known), []).extend(some)
                continue
            for one in some:
                name = one.id
                asks = self._asks_of(one, names) if asked else ()
                key = (own, known, asks, *[numbers[name] for numbers in alike])
                found.setdefault(key, []).append(one)
        return [sorted(some, key=_id) for some in found.values()]

    def _sharing(self, kind: Kind) -> list[tuple[int, _Marked, list[Target]]]:
        """The targets of a kind in scope, those together that have the same facts in one, as many flows do."""
        if kind not in self._shared:
            found: dict[tuple[int, int], list[Target]] = {}
            for one in self._by_kind.get(kind, ()):
                if not one.out_of_scope:
                    found.setdefault((self._own[one.id], id(one.facts)), []).append(one)
            self._shared[kind] = [(own, self._marked(some[0]), some) for (own, _), some in found.items()]
        return self._shared[kind]

    def _where(self, names: Iterable[str], kind: Kind) -> tuple[list[Control], list[Control]]:
        """The controls with those that they require: on elements of this kind, and on other elements."""
        left, found = [*names], dict[str, Control]()
        while left:
            control = self._library.controls[left.pop()]
            if control.id not in found:
                found[control.id] = control
                left += control.requires if control.scope == kind else ()
        there = [control for control in found.values() if control.scope == kind]
        return there, [one for one in found.values() if one.scope != kind and one.scope not in PLANES]

    def _alike(self, control: Control, kind: Kind) -> Mapping[str, int]:
        """The same number for targets of a kind for which a control counts alike."""
        if (control.id, kind) not in self._whole:
            self._whole.add((control.id, kind))
            for target in self._by_kind.get(kind, ()):
                self._control(control, target)
        return self._controls[control.id]

    def _ends(self, target: Target) -> Hashable:
        """The kinds of a flow's ends, so that each end of one corresponds to the same end of another."""
        if not isinstance(target, Flow):
            return None
        return self._graph.elements[target.source].kind, self._graph.elements[target.target].kind

    def _target(self, name: str) -> Target:
        return self._graph.elements.get(name) or self._graph.flows[name]

    # --- what is read

    def _control(self, control: Control, target: Target) -> int:
        """The same number for targets for which a control counts alike."""
        numbers = self._controls[control.id]
        if target.id not in numbers:
            numbers[target.id] = -1  # of controls that require each other, which no library may have
            numbers[target.id] = self._number((control.id, *self._counts(control, target)))
        return numbers[target.id]

    def _counts(self, control: Control, target: Target) -> Iterator[Hashable]:
        if control.scope == target.kind:
            yield self._own[target.id]
            yield self._read(target, self._facts_of[control.id])
            yield from (self._control(self._library.controls[name], target) for name in control.requires)
        elif control.scope not in PLANES:
            related = self._graph.related(target, control.scope)
            yield related.size, bool(related.unknown)
            yield from (self._control(control, self._target(name)) for name in related.ids)

    def _number(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def _read(self, target: Target, names: tuple[str, ...]) -> Hashable:
        """Facts of a target as they are known, and what is asked about where they are not."""
        marks, open_facts = self._marked(target)
        known = _reader(target.kind, names)(marks)
        return known if open_facts.isdisjoint(names) else (known, self._asks_of(target, names))

    def _asks_of(self, target: Target, names: tuple[str, ...]) -> Hashable:
        """What is asked about the facts that are not known."""
        _, open_facts = self._marked(target)
        return tuple([self._asked(target, name) for name in _derived(target.kind, names) if name in open_facts])

    def _marked(self, target: Target) -> _Marked:
        facts = target.facts
        found = self._marks.get(id(facts))
        if found is None:
            number = self._number
            marks = tuple([number(_mark(facts[name])) if name in facts else -1 for name in FACTS[target.kind]])
            derived = DERIVED.get(target.kind, ())
            found = marks, frozenset([name for name in derived if not _is_known(facts.get(name))])
            self._marks[id(facts)] = found
        return found

    def _asked(self, target: Target, name: str) -> int:
        found = self._asks.get((target.id, name))
        if found is None:
            found = self._asks[target.id, name] = self._number(tuple(self._inputs(target, name)))
        return found

    def _inputs(self, target: Target, name: str) -> Iterator[Hashable]:
        """What decides what is asked about a fact that follows from others."""
        if isinstance(target, Flow):
            for end in (self._graph.elements[target.source], self._graph.elements[target.target]):
                yield end.kind, self._read(end, (name,)) if end.kind else None
            return
        for given in INPUTS[target.kind, name]:
            if given.kind == target.kind:
                yield self._input(target, given.name)
            elif given.kind in NEIGHBORS.get(target.kind, ()):
                ids = self._graph.related(target, given.kind).ids
                yield tuple([self._input(self._target(one), given.name) for one in ids])

    def _input(self, target: Target, name: str) -> Hashable:
        found = (
            _list(self._graph, target, name) if name in LISTS else (name in target.facts and _mark(target.facts[name]))
        )
        return target.described, found

    # --- which elements correspond

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
            if self._graph.related(node, scope).ids == (element,):
                return Role(scope=scope)
        return None

    def element(self, target: Target, role: Role) -> str | None:
        """Return the element that has a role in the neighborhood of a target; None where none, or no other, has it."""
        if role.fixed:
            return role.fixed
        name: str = getattr(target, role.end) if role.end else target.id
        if role.scope is None:
            return name
        ids = self._graph.related(self._graph.elements[name], role.scope).ids
        return ids[0] if len(ids) == 1 else None


def _own(target: Target, named: Collection[str]) -> Hashable:
    """What an assessment reads of a target beside its facts."""
    node, name = target.node, target.id if target.id in named else ""
    said = (node.criticality, node.criticality_reason, node.public) if node is not None else ()
    return name, target.described, said


def _facts_of(control: Control) -> tuple[str, ...]:
    """The facts that a control's own conditions read."""
    conditions = [need.condition for need in control.needs]
    conditions += [control.in_place] if control.in_place is not None else []
    return _names(name for one in conditions for name in one.facts)


@cache
def _reader(kind: str, names: tuple[str, ...]) -> Callable[[Sequence[int]], Hashable]:
    """Read the numbers of these facts, from those of all facts of a kind."""
    places = [at for at, name in enumerate(FACTS[kind]) if name in names]
    return itemgetter(*places) if places else len


@cache
def _derived(kind: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The facts among these that follow from others."""
    return tuple(name for name in names if (kind, name) in INPUTS)


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _mark(fact: Fact) -> Hashable:
    """What is known of a fact, without the places of its statements."""
    said = fact.said
    known = fact.value, fact.size, said.source, said.stale, said.omitted
    if not fact.in_doubt and not fact.against:
        return known
    return known, fact.in_doubt, fact.firm and _mark(fact.firm), tuple([_said(one) for one in fact.against])


def _said(one: Statement) -> Hashable:
    return one.value, one.source, one.stale, one.omitted, one.size


def _is_known(fact: Fact | None) -> bool:
    return fact is not None and fact.size > 0 and not fact.in_doubt


def _list(graph: Graph, target: Target, name: str) -> Hashable:
    """How complete a list is, and whether its callers are asked for; None for what is no list."""
    found = graph.lists.get(target.id, {}).get(name)
    return None if found is None else (found.size, bool(found.known), any(map(_asks_for_caller, found.items)))


def _asks_for_caller(item: object) -> bool:
    return isinstance(item, Trigger) and item.caller == "unknown"
