"""What a picture of a graph holds: which elements and flows, what stands for many, and which numbers flows have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple, Protocol

from threatmodel.graph.elements import Element, Flow
from threatmodel.graph.members import Lists
from threatmodel.model.facts import Facts
from threatmodel.model.reference_architecture import ZONES, ReferenceData, Zone
from threatmodel.reading.grouping import grouped
from threatmodel.reading.values import dataclass
from threatmodel.render.text import one_line

MANY_FUNCTIONS = 12
"""Above so many functions a picture is an overview."""

MANY = 6
"""Above so many of a kind in one boundary an overview draws one for all."""

TIMES = "\N{MULTIPLICATION SIGN}"
HOSTILE = "internet"
"""The party that may call whatever can be reached."""
_MOST_DATA = 2
_USUAL = frozenset(zone.id for zone in ZONES)
_MANY_NEIGHBORS = 30
"""Above so many neighbors the picture of one element is an overview too."""

PLURALS = {
    "function": "functions",
    "api": "APIs",
    "store": "stores",
    "queue": "queues",
    "secret": "secrets",
    "logs": "log groups",
    "configuration": "configurations",
    "environment": "environments' memory",
    "external": "external systems",
}

_LEFT_TO_RIGHT = {
    zone: column
    for column, zone in enumerate(
        ("internet-zone", "workspace", "organization", "supply-chain", "deployment", "account", "security")
    )
}
"""The outermost boundaries in the order in which attacks and requests pass them."""


class Named(Protocol):
    """Something with a name."""

    @property
    def name(self) -> str:
        """Its name."""


class Drawable(Protocol):
    """What can be drawn: a graph, or another set of elements and flows."""

    @property
    def system(self) -> Named:
        """The system, which gives the title."""

    @property
    def elements(self) -> Mapping[str, Element]:
        """Elements by id."""

    @property
    def flows(self) -> Mapping[str, Flow]:
        """Flows by id."""

    @property
    def zones(self) -> Mapping[str, Zone]:
        """Boundaries by id."""

    @property
    def data(self) -> Mapping[str, ReferenceData]:
        """The data that flows carry, by id."""

    @property
    def lists(self) -> Mapping[str, Lists]:
        """What starts functions and what they use, by their ids; of those that are missing, nothing is said."""


class DrawnShape(NamedTuple):
    """What is drawn once: an element, or many of a kind.  `kind` is a key of the plurals, or the symbol."""

    id: str
    kind: str
    symbol: str
    name: str
    subtitle: str
    zone: str
    members: tuple[Element, ...]


class Arrow(NamedTuple):
    """The flows of one direction between two shapes.

    `numbers` are the flows', in an overview the arrow's own; `back` is true if it points to the left.
    """

    source: str
    target: str
    numbers: tuple[int, ...]
    flows: tuple[Flow, ...]
    back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Shapes by id, arrows in order of their first flow, and the boundaries with something in them.

    `columns` says how far right each shape belongs.
    """

    graph: Drawable
    view: str
    focus: str
    only: tuple[str, ...]
    overview: bool
    shapes: Mapping[str, DrawnShape]
    arrows: tuple[Arrow, ...]
    zones: Mapping[str, Zone]
    columns: Mapping[str, int]

    @property
    def shown(self) -> int:
        """How many elements the picture shows, those included that one shape shows together."""
        return sum(len(shape.members) for shape in self.shapes.values())

    @property
    def elements(self) -> frozenset[str]:
        """The ids of the elements and boundaries that the picture shows."""
        return frozenset(member.id for shape in self.shapes.values() for member in shape.members) | self.zones.keys()

    @property
    def title(self) -> str:
        """What the picture shows of which system, in words: 'runtime view · 9 of 30 elements'."""
        name = cut(self.graph.elements[self.focus].name, 40) or self.focus if self.focus else ""
        parts = (
            "all views" if self.view == "all" else f"{self.view} view",
            f"{name} and its neighbors" if name else "",
            f"{len(self.only)} functions and their neighbors" if self.only else "",
            "overview" if self.overview else "",
            f"{self.shown} of {self.total} elements",
        )
        return " · ".join(filter(None, parts))

    @property
    def total(self) -> int:
        """How many elements there are to show."""
        return sum(element.symbol != "boundary" for element in self.graph.elements.values())


class _Arranged(NamedTuple):
    """In which shape each element is, and in which column each shape."""

    place: Mapping[str, str]
    columns: Mapping[str, int]
    overview: bool


def data_names(graph: Drawable) -> dict[str, str]:
    """The name of each item of data, short enough for the label of an arrow."""
    return {item.id: cut(item.name, 30) or item.id for item in graph.data.values()}


def carried(flows: Iterable[Flow], names: Mapping[str, str]) -> str:
    """The data of flows by name, cut after two: 'order record, hash of a request +3'."""
    items = list(dict.fromkeys(item for flow in flows for item in flow.carries))
    more = f" +{len(items) - _MOST_DATA}" if len(items) > _MOST_DATA else ""
    return ", ".join(names[item] for item in items[:_MOST_DATA]) + more


def cut(text: str, width: int) -> str:
    """Text on one line, cut where it is longer."""
    text = one_line(text).strip()
    return text if len(text) <= width else text[: width - 1] + "…"


def name_of(graph: Drawable, element: str) -> str:
    """Return the name of an element, or its id where it has none."""
    return graph.elements[element].name.strip() or element


def needs_overview(graph: Drawable) -> bool:
    """Whether the graph has too many functions for one picture."""
    return _functions(graph.elements.values()) > MANY_FUNCTIONS


def picture(
    graph: Drawable, view: str = "runtime", focus: str = "", *, overview: bool | None = None, only: Collection[str] = ()
) -> Picture:
    """What a view shows, or an element of it with its direct neighbors; `only` are several with theirs.

    `view` is runtime, deployment, identity or all; an element that has no part in the view is shown in its own.
    `overview` None draws one shape for many where there are more functions than a picture can show.
    """
    centre = _centre(graph, focus) if focus else set(only)
    elements, flows = _selected(graph, view, centre)
    if focus and not flows and view != "all":
        view = graph.elements[focus].view
        elements, flows = _selected(graph, view, centre)
    if overview is None:
        overview = _functions(elements) > MANY_FUNCTIONS or (bool(focus) and len(elements) > _MANY_NEIGHBORS)
    shapes = _grouped(graph, elements, focus) if overview else _each(elements)
    arranged = _Arranged(
        place={element.id: shape.id for shape in shapes for element in shape.members},
        columns={shape.id: _LEFT_TO_RIGHT[outermost(shape.zone, graph.zones)] for shape in shapes},
        overview=overview,
    )
    return Picture(
        graph=graph,
        view=view,
        focus=focus,
        only=tuple(only),
        overview=overview,
        shapes={shape.id: shape for shape in shapes},
        arrows=tuple(_arrows(arranged, flows, numbers_of(graph))),
        columns=arranged.columns,
        zones=around({shape.zone for shape in shapes}, graph.zones),
    )


def _functions(elements: Iterable[Element]) -> int:
    return sum(element.kind == "function" for element in elements)


# --- selection


def _selected(graph: Drawable, view: str, centre: Collection[str]) -> tuple[list[Element], list[Flow]]:
    """The elements and flows of a view, or those around some elements."""
    flows = [flow for flow in graph.flows.values() if view in {"all", flow.view}]
    drawn = [element for element in graph.elements.values() if element.symbol != "boundary"]
    if centre:
        flows = [flow for flow in flows if flow.source in centre or flow.target in centre]
    centre = set(centre) or {element.id for element in drawn if view in {"all", element.view}}
    touched = {end for flow in flows for end in (flow.source, flow.target)} | centre
    return [element for element in drawn if element.id in touched], flows


def _centre(graph: Drawable, focus: str) -> set[str]:
    """The element itself; for a boundary, the elements inside it."""
    inside = (
        one for one in graph.elements.values() if one.symbol != "boundary" and focus in ways(one.zone, graph.zones)
    )
    return {one.id for one in inside} if graph.elements[focus].symbol == "boundary" else {focus}


def ways(zone: str, zones: Mapping[str, Zone]) -> list[str]:
    """Return a boundary and those around it, from the inside to the outside."""
    found = []
    while zone:
        found.append(zone)
        zone = zones[zone].inside
    return found


def outermost(zone: str, zones: Mapping[str, Zone]) -> str:
    """Return the outermost boundary around a boundary."""
    return ways(zone, zones)[-1]


def around(leaves: Collection[str], zones: Mapping[str, Zone]) -> dict[str, Zone]:
    """Return these boundaries and those around them, in the order that they have."""
    used = {zone for leaf in leaves for zone in ways(leaf, zones)}
    return {zone: zones[zone] for zone in zones if zone in used}


# --- one for many


def _each(elements: Iterable[Element]) -> list[DrawnShape]:
    return [_single(element, element.zone) for element in elements]


def _single(element: Element, zone: str) -> DrawnShape:
    name = element.name.strip() or element.id
    return DrawnShape(element.id, _kind(element), element.symbol, name, element.subtitle, zone, (element,))


def _kind(element: Element) -> str:
    if element.kind:
        return element.kind
    _, dot, part = element.id.rpartition(".")
    return part if dot else element.symbol


def _grouped(graph: Drawable, elements: list[Element], focus: str) -> list[DrawnShape]:
    """One shape for the functions of a boundary, and for more than a few of another kind; never for the focus."""
    zones = _lifted(graph, elements)
    kinds = {one.id: _kind(one) for one in elements}
    alone = {name for name, kind in kinds.items() if kind not in PLURALS or name == focus}
    found = grouped(((zones[one.zone], one.id if one.id in alone else kinds[one.id]), one) for one in elements)
    shapes = []
    for (zone, kind), members in found.items():
        if len(members) > (1 if kind == "function" else MANY):
            shapes.append(_many(zone, kind, members))
        else:
            shapes += [_single(element, zone) for element in members]
    return shapes


def _many(zone: str, kind: str, members: list[Element]) -> DrawnShape:
    first = members[0]
    names = [element.name.strip() or element.id for element in islice(members, 3)]
    if len(members) > len(names):
        names[2:] = [f"{len(members) - 2} more"]
    return DrawnShape(
        id=f"{zone}.{kind}",
        kind=kind,
        symbol=first.symbol,
        name=f"{len(members)} {PLURALS[kind]}",
        subtitle=", ".join(names),
        zone=zone,
        members=tuple(members),
    )


def _lifted(graph: Drawable, elements: Iterable[Element]) -> dict[str, str]:
    """For each boundary the one to draw: itself, or an outer one where too many boundaries have functions."""
    chains = {zone: ways(zone, graph.zones)[::-1] for zone in {element.zone for element in elements}}
    homes = {element.zone for element in elements if element.kind == "function"}
    depth = max((len(way) for way in chains.values()), default=1)
    while depth > 1 and len({chains[zone][:depth][-1] for zone in homes}) > MANY_FUNCTIONS:
        depth -= 1
    return {zone: way[:depth][-1] if zone in homes or zone not in _USUAL else zone for zone, way in chains.items()}


# --- arrows


def numbers_of(graph: Drawable) -> Mapping[str, int]:
    """The number of each flow, the same in every view, picture and table."""
    return {name: number for number, name in enumerate(graph.flows, 1)}


def _arrows(shown: _Arranged, flows: Iterable[Flow], numbered_as: Mapping[str, int]) -> Iterator[Arrow]:
    """One arrow for the flows of each direction between two shapes, with their numbers or, in an overview, its own."""
    merged = grouped(
        ((shown.place[flow.source], shown.place[flow.target]), (numbered_as[flow.id], flow)) for flow in flows
    )
    for index, ((source, target), numbered) in enumerate(merged.items(), 1):
        columns = shown.columns[source], shown.columns[target]
        back = columns[0] > columns[1] or (columns[0] == columns[1] and _reverses(merged, source, target))
        numbers = (index,) if shown.overview else tuple(number for number, _ in numbered)
        yield Arrow(source, target, numbers, tuple(flow for _, flow in numbered), back)


def _reverses(merged: Mapping[tuple[str, str], list[tuple[int, Flow]]], source: str, target: str) -> bool:
    """Whether flows of the other direction come first."""
    other = merged.get((target, source))
    return other is not None and source != target and other[0][0] < merged[source, target][0][0]


_PROTOCOLS = {"https": "HTTPS", "http": "HTTP", "tls": "TLS", "tcp": "TCP", "ssh": "SSH", "in-process": "in process"}
_USUAL_PORTS = {"https": 443, "http": 80, "ssh": 22}


def protocol_words(facts: Facts) -> Iterator[str]:
    """The protocol, its port where it is unusual, and whether nothing protects it."""
    known = {name: fact.value for name, fact in facts.items() if fact.size}
    transport = known.get("transport")
    if transport is None:
        yield "protocol unknown"
        return
    port = known.get("tcp_port")
    unusual = port is not None and port != _USUAL_PORTS.get(transport)
    yield _PROTOCOLS[transport] + (f" {port}" if unusual else "")
    if known.get("encrypted") is False and transport != "in-process":
        yield "not encrypted"
