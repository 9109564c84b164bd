"""The values of a graph: elements and flows with weighed facts, and which elements are related."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from threatmodel.graph.members import Lists, Members
from threatmodel.model.facts import EVIDENCE, STATED, Facts
from threatmodel.model.reference_architecture import ReferenceData, Zone
from threatmodel.model.system import THROUGH, Node, System, Trigger
from threatmodel.model.vocabulary import KINDS, PLANES, RELATIONS, Kind
from threatmodel.reading.problems import Place, Problem
from threatmodel.reading.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Something drawn.  `kind` is a kind of the vocabulary, or '' for what has no facts; `symbol` how it is drawn.

    `described` is False for a plane that no file describes: it is assumed to exist, and nothing is known of it.
    """

    id: str
    kind: Kind | Literal[""]
    symbol: str
    name: str
    subtitle: str
    zone: str
    view: str
    facts: Facts
    place: Place | None
    described: bool = True
    out_of_scope: str = ""
    node: Node | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Data on its way from one element to another.

    `carries` holds ids of data, `caller` how the caller proves who it
    is; `size` how well its existence is known.
    """

    id: str
    source: str
    target: str
    label: str
    carries: tuple[str, ...]
    view: str
    caller: str
    facts: Facts
    place: Place | None
    size: int = STATED
    kind: Literal["flow"] = "flow"
    described: bool = True
    out_of_scope: str = ""
    node: None = None


WORK_LIMIT = "work-limit"
"""The code of the note that a file was not worked out whole, since that takes more work than the run allows."""


VISIBLE_SECRET, SHOWN_SECRET, UNUSED_SECRET = "visible-secret", "shown-secret", "unused-secret"
"""The codes of the notes that a file holds a secret, that a parameter shows one, and that nothing uses one."""
UNSERVED_URL, SOCKET_MODE = "unserved-url", "socket-mode"
"""The codes of the notes that no route serves an address of Slack's manifest, and that Slack calls none."""
UNDESCRIBED_STACK = "undescribed-stack"
"""The code of the note that AWS has a stack which no file describes."""
FOREIGN_ACCOUNT = "foreign-account"
"""The code of the note that a resource sends data to an account that a file names by its number."""
WARNINGS = (
    *(WORK_LIMIT, VISIBLE_SECRET, SHOWN_SECRET, UNUSED_SECRET, UNSERVED_URL, SOCKET_MODE, UNDESCRIBED_STACK),
    FOREIGN_ACCOUNT,
)
"""The codes of the notes that a check reports."""


class LeftOpen(NamedTuple):
    """A fact or list that a file of evidence could say and does not: why, where, and what its defaults give."""

    element: str
    name: str
    why: str
    place: Place
    usual: tuple[Any, ...]


class Source(NamedTuple):
    """Which file a model names as evidence, and what it chooses for it; the SHA-256 of the file's text.

    `path` is relative to the model's folder, links resolved.  `chosen` holds what the model adds that changes what the
    file shows (its parameters' file, the stage, the handler's folder), by key.  `place` is the line that names it.
    """

    path: str
    chosen: Mapping[str, str]
    sha256: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A file of evidence that was read.

    `elements` are the model's elements with the names that the file has for them; `missing` those that the file lacks
    (id, kind, place in the model), `extra` resources that the model lacks (name, kind, place); `unread` parts that
    were not understood; `left_open` what it leaves open; `unused` grants that nothing uses and `ungranted` uses that
    nothing grants (function, resource, place); `notes` what its author should know; `signs`
    what in it speaks of Slack, with its place; `unmodeled` types of resources that are no element and tell nothing of
    one (the type, how many, in words); `stale` why it counts as claimed only; `source` which file the model names.
    """

    file: str
    kind: str
    elements: Mapping[str, str]
    missing: tuple[tuple[str, str, Place], ...] = ()
    extra: tuple[tuple[str, str, Place], ...] = ()
    unread: tuple[tuple[str, str, Place], ...] = ()
    left_open: tuple[LeftOpen, ...] = ()
    unused: tuple[tuple[str, str, Place], ...] = ()
    ungranted: tuple[tuple[str, str, Place], ...] = ()
    notes: tuple[Problem, ...] = ()
    signs: tuple[str, ...] = ()
    unmodeled: tuple[tuple[str, int, str], ...] = ()
    stale: str = ""
    source: Source | None = None


class Related(NamedTuple):
    """The elements of a scope that are related to an element.

    `size` says how well the list is known (0: it may be incomplete), `unknown` which relations would complete it,
    as (kind, name) with the elements to ask.
    """

    ids: tuple[str, ...]
    size: int
    unknown: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Elements and flows by id, the zones that they are in, the data that they carry, and the system they come from.

    `lists` are what starts each function and what it uses, and the data of each store and queue, by element and name.
    """

    system: System
    elements: Mapping[str, Element]
    flows: Mapping[str, Flow]
    zones: Mapping[str, Zone]
    data: Mapping[str, ReferenceData]
    lists: Mapping[str, Lists]
    neighbors: Neighbors
    evidence: tuple[Read, ...] = ()

    def targets(self) -> Iterator[Element | Flow]:
        """Everything that has facts, in order: functions first, then their surroundings, planes, flows."""
        yield from (element for element in self.elements.values() if element.kind)
        yield from self.flows.values()

    def related(self, target: Element | Flow, scope: Kind) -> Related:
        """The elements whose controls of `scope` count for `target`: itself, its neighbors, or the plane."""
        if scope == target.kind:
            return Related((target.id,), EVIDENCE)
        if scope in PLANES:
            return Related((scope,), EVIDENCE)
        if isinstance(target, Flow):
            ends = (target.source, target.target)
            return Related(tuple([end for end in ends if self.elements[end].kind == scope]), EVIDENCE)
        return self.neighbors.of(target.id, target.kind, scope)


class Neighbors:
    """Who uses what: the relation between functions and the elements around them, both ways.

    `apis_before` are, by external system, the APIs that pass requests to it, and so to what it starts.
    """

    def __init__(self, functions: Mapping[str, Lists], apis_before: Mapping[str, Sequence[str]]) -> None:
        self._uses: dict[tuple[str, str], tuple[str, ...]] = {}
        self._used_by: dict[str, dict[str, None]] = {}
        self._functions = functions
        self._of: dict[tuple[str, str], Related] = {}
        for function, lists in functions.items():
            for scope, names in _THROUGH.items():
                found = [partner for name in names if name in lists for partner in _partners(lists[name], scope)]
                if scope == "api":
                    services = _partners(lists["triggers"], "external system") if "triggers" in lists else ()
                    found += [api for service in services for api in apis_before.get(service, ())]
                ids = dict.fromkeys(found)
                self._uses[function, scope] = tuple(ids)
                for other in ids:
                    self._used_by.setdefault(other, {})[function] = None
        self._complete: dict[str, Related] = {
            scope: completeness(functions, names) for scope, names in _THROUGH.items()
        }

    def of(self, element: str, kind: str, scope: Kind) -> Related:
        """The neighbors of an element that are of a scope."""
        related = self._of.get((element, scope))
        if related is None:
            related = self._of[element, scope] = self._related(element, kind, scope)
        return related

    def _related(self, element: str, kind: str, scope: Kind) -> Related:
        if kind == "function":
            found = completeness({element: self._functions[element]}, _THROUGH[scope])
            return Related(self._uses[element, scope], found.size, found.unknown)
        found = self._complete[kind]
        return Related(tuple(self._used_by.get(element, ())), found.size, found.unknown)


_THROUGH: Mapping[Kind, tuple[str, ...]] = {
    kind: tuple(row.name for row in RELATIONS["function"].values() if kind in row.to)
    for kind in KINDS
    if kind != "function" and any(kind in row.to for row in RELATIONS["function"].values())
}
"""The lists of a function through which it meets elements of a kind."""

NEIGHBORS: Mapping[str, tuple[Kind, ...]] = {"function": tuple(_THROUGH), **dict.fromkeys(_THROUGH, ("function",))}
"""The kinds of elements that elements of a kind are related to, apart from planes."""


def _partners(members: Members, scope: str) -> Iterator[str]:
    """The ids of a scope that a list names."""
    for item in members.items:
        if not isinstance(item, Trigger):
            yield item
        elif THROUGH[item.by] == scope and item.source is not None:
            yield item.source.id


ARROWS: Mapping[str, tuple[str, ...]] = {
    "triggers": ("triggers",),
    "uses": ("reads", "writes", "sends", "secrets", "invokes"),
    "calls": ("calls",),
    "targets": ("passes_to",),
}
"""What the arrows of an element show, with its lists: what starts a function, what it uses, and what it calls outside;
what an API, store or queue passes to without a function."""


def unknown_arrows(kind: Kind, lists: Lists) -> tuple[str, ...]:
    """Return which arrows of an element of a kind are not all known."""
    open_ = {name for name in RELATIONS[kind] if name not in lists or not lists[name].size}
    return tuple(word for word, names in ARROWS.items() if open_.intersection(names))


def completeness(functions: Mapping[str, Lists], names: Sequence[str]) -> Related:
    """How well the lists of these names are known of all these functions, and what to ask (its ids are empty)."""
    size = EVIDENCE
    unknown = []
    for function, lists in functions.items():
        for name in names:
            members = lists.get(name)
            if members is None or not members.size:
                unknown.append(("function", name, function))
                size = 0
            elif members.size < size:
                size = members.size
    return Related((), size, tuple(unknown))
