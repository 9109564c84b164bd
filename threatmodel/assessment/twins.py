"""Elements and flows that a threat finds alike, as twins: what follows for one of them follows for all.

Twins have the same facts, as far as the threat, its controls and their questions read them, and so have the elements
that these controls are on.  So the threat applies to all twins or to none, and their controls count alike.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from threatmodel.graph.elements import NEIGHBORS, Element, Flow, Graph
from threatmodel.library.entries import Control, Library, Threat
from threatmodel.model.facts import OMITTED, Fact, Statement
from threatmodel.model.system import Trigger
from threatmodel.model.vocabulary import FACTS, INPUTS, LISTS, ONLY_IF, PLANES, Kind
from threatmodel.reading.grouping import grouped

Target = Element | Flow

FACING: Mapping[str, tuple[str, ...]] = {
    "function": ("internet_facing",),
    "api": ("slack_facing", "web_facing"),
    "store": ("open_to_public",),
}
"""The facts of a kind of which one says that the Internet reaches an element."""
_RANKED: Mapping[str, tuple[str, ...]] = {**FACING, "function": (*FACING["function"], "takes_requests")}
"""The facts of a kind that the place of a finding in an order depends on."""


FEW = 60
"""Up to so many elements and flows it costs more to find twins than each of them does by itself."""

DERIVED: Mapping[str, tuple[str, ...]] = {kind: tuple(name for of, name in INPUTS if of == kind) for kind, _ in INPUTS}
"""The facts of each kind that follow from others."""


_id = attrgetter("id")


class _Rows(NamedTuple):
    """All targets of a kind, in order: what is read of them is a column of numbers, one for each target."""

    kind: str
    targets: Sequence[Target]
    ids: Sequence[str]
    own: Sequence[int]
    facts: Sequence[int]
    """The identity of the facts of each target, which flows share."""
    distinct: Mapping[int, Mapping[str, Fact]]
    having: Mapping[str, Mapping[int, Fact]]
    """Each fact by the identity of the facts that have it; what no target has tells none apart."""
    columns: dict[str, Sequence[int]]
    asked: dict[str, Sequence[int] | None]
    related: dict[str, Sequence[tuple[int, bool, tuple[str, ...]]]]


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
        self._named = named
        self._numbers: dict[Hashable, int] = {}
        self._by_kind: Mapping[str, list[Target]] = grouped((target.kind, target) for target in targets)
        self._rows: dict[str, _Rows] = {}
        self._found: dict[tuple[str, str], list[list[Target]]] = {}
        self._counts: dict[tuple[str, str], Mapping[str, int]] = {}
        self._facts_of = {} if self._few else {one.id: _facts_of(one) for one in library.controls.values()}

    def of(self, threat: Threat, kind: Kind) -> list[list[Target]]:
        """Return the targets of a kind that a threat finds alike, each in order of their ids; none out of scope."""
        if (threat.id, kind) not in self._found:
            self._found[threat.id, kind] = self._of(threat, kind)
        return self._found[threat.id, kind]

    def _of(self, threat: Threat, kind: Kind) -> list[list[Target]]:
        if self._few:
            return [[target] for target in self._by_kind.get(kind, ()) if not target.out_of_scope]
        rows = self._rows_of(kind)
        there, elsewhere = self._where([link.control for link in threat.links], kind)
        read = (name for control in there for name in self._facts_of[control.id])
        mentioned = (name for one in threat.conditions(kind) for name in one.facts)
        columns = self._read(rows, _names(kind, [*mentioned, *_RANKED.get(kind, ()), *read]))
        columns += [list(map(self._control(one, rows).__getitem__, rows.ids)) for one in elsewhere]
        found: dict[Hashable, list[Target]] = {}
        for key, one in zip(zip(*columns, strict=True), rows.targets, strict=True):
            if not one.out_of_scope:
                found.setdefault(key, []).append(one)
        return [sorted(some, key=_id) for some in found.values()]

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

    # --- what is read

    def _rows_of(self, kind: str) -> _Rows:
        if kind not in self._rows:
            targets = self._by_kind.get(kind, [])
            own = [self._number((_own(one, self._named), self._ends(one))) for one in targets]
            facts = [id(one.facts) for one in targets]
            distinct = dict(zip(facts, (one.facts for one in targets), strict=True))
            having: dict[str, dict[int, Fact]] = {}
            for which, some in distinct.items():
                for name, fact in some.items():
                    having.setdefault(name, {})[which] = fact
            ids = [one.id for one in targets]
            self._rows[kind] = _Rows(kind, targets, ids, own, facts, distinct, having, {}, {}, {})
        return self._rows[kind]

    def _ends(self, target: Target) -> Hashable:
        """The kinds of a flow's ends, so that each end of one corresponds to the same end of another."""
        if not isinstance(target, Flow):
            return None
        return self._graph.elements[target.source].kind, self._graph.elements[target.target].kind

    def _number(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def _read(self, rows: _Rows, names: Collection[str]) -> list[Sequence[int]]:
        """Facts of all targets as they are known, what is asked where they are not, and what else is read of them."""
        known = [self._column(rows, name) for name in FACTS[rows.kind] if name in names and name in rows.having]
        asked = [self._asked(rows, name) for name in DERIVED.get(rows.kind, ()) if name in names]
        return [rows.own, *known, *(column for column in asked if column is not None)]

    def _column(self, rows: _Rows, name: str) -> Sequence[int]:
        """What is known of a fact."""
        if name not in rows.columns:
            numbers, found = self._numbers, dict.fromkeys(rows.distinct, -1)
            for which, fact in rows.having[name].items():
                found[which] = numbers.setdefault(_mark(fact), len(numbers))
            rows.columns[name] = list(map(found.__getitem__, rows.facts))
        return rows.columns[name]

    def _asked(self, rows: _Rows, name: str) -> Sequence[int] | None:
        """What is asked about a fact that follows from others, where it is not known; None if it is known of all."""
        if name not in rows.asked:
            rows.asked[name] = None
            unknown = {which for which, facts in rows.distinct.items() if not _is_known(facts.get(name))}
            if unknown:
                rows.asked[name] = [
                    self._number(tuple(self._inputs(one, name))) if which in unknown else -1
                    for which, one in zip(rows.facts, rows.targets, strict=True)
                ]
        return rows.asked[name]

    def _inputs(self, target: Target, name: str) -> Iterator[Hashable]:
        """What decides what is asked about a fact that follows from others."""
        if isinstance(target, Flow):
            for end in (self._graph.elements[target.source], self._graph.elements[target.target]):
                yield end.kind, self._of_element(end, name) if end.kind else None
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

    def _of_element(self, element: Element, name: str) -> Hashable:
        """What is known of a fact of an element, and what is asked where it is not."""
        known = name in element.facts and _mark(element.facts[name])
        is_asked = (element.kind, name) in INPUTS and not _is_known(element.facts.get(name))
        return known, tuple(self._inputs(element, name)) if is_asked else None

    def _control(self, control: Control, rows: _Rows) -> Mapping[str, int]:
        """The same number for targets, by id, for which a control counts alike."""
        key = control.id, rows.kind
        if key not in self._counts:
            self._counts[key] = dict.fromkeys(rows.ids, -1)  # for controls that require each other
            found = self._there(control, rows) if control.scope == rows.kind else self._through(control, rows)
            self._counts[key] = dict(zip(rows.ids, map(self._number, found), strict=True))
        return self._counts[key]

    def _there(self, control: Control, rows: _Rows) -> Iterator[Hashable]:
        """What a control counts for on the elements that it is itself on."""
        required = (self._library.controls[name] for name in control.requires)
        needed = [list(map(self._control(one, rows).__getitem__, rows.ids)) for one in required]
        yield from zip(*self._read(rows, self._facts_of[control.id]), *needed, strict=True)

    def _through(self, control: Control, rows: _Rows) -> Iterator[Hashable]:
        """What a control counts for through the elements that it is on."""
        if control.scope in PLANES:
            yield from ((),) * len(rows.ids)
            return
        there = self._control(control, self._rows_of(control.scope))
        for size, is_open, ids in self._related(rows, control.scope):
            yield size, is_open, *[there[name] if name in there else self._beyond(control, name) for name in ids]

    def _beyond(self, control: Control, name: str) -> int:
        """What a control counts for on a neighbor of another kind than it is on: through that one's neighbors."""
        return self._control(control, self._rows_of(self._target(name).kind))[name]

    def _related(self, rows: _Rows, scope: Kind) -> Sequence[tuple[int, bool, tuple[str, ...]]]:
        """How completely the neighbors of a scope are known, whether they are asked about, and their ids."""
        if scope not in rows.related:
            found = (self._graph.related(one, scope) for one in rows.targets)
            rows.related[scope] = [(one.size, bool(one.unknown), one.ids) for one in found]
        return rows.related[scope]

    def _target(self, name: str) -> Target:
        return self._graph.elements.get(name) or self._graph.flows[name]


def _own(target: Target, named: Collection[str]) -> Hashable:
    """What an assessment reads of a target beside its facts."""
    node, name = target.node, target.id if target.id in named else ""
    said = (node.criticality, node.criticality_reason, node.public) if node is not None else ()
    return name, target.described, said


def _facts_of(control: Control) -> tuple[str, ...]:
    """The facts that a control's own conditions read."""
    conditions = [need.condition for need in control.needs]
    conditions += [control.in_place] if control.in_place is not None else []
    return _names(control.scope, (name for one in conditions for name in one.facts))


def _names(kind: str, names: Iterable[str]) -> tuple[str, ...]:
    """These facts, and those that have to be true for them, which are asked about first."""
    found = set(names)
    while more := {ONLY_IF[kind].get(name, name) for name in found} - found:
        found |= more
    return tuple(sorted(found))


def _mark(fact: Fact) -> Hashable:
    """What is known of a fact, without the places of its statements."""
    value, size, said, against, in_doubt, firm = fact
    known = value, size, said.source, said.stale, said.note in OMITTED
    if not in_doubt and not against:
        return known
    return known, in_doubt, firm and _mark(firm), tuple([_said(one) for one in against])


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
