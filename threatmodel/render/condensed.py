"""A picture with fewer shapes and lines, for paper and screens: what belongs to an element is folded into it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from threatmodel.graph.elements import Element, Flow, Graph
from threatmodel.model.reference_architecture import Zone
from threatmodel.reading.values import dataclass
from threatmodel.render.picture import PLURALS, DrawnShape, Picture, outermost, picture

GROUPED_FROM = 6
"""From so many functions up, those that the same elements start are drawn as one box."""

MOST_BOXES = (9, 6, 4)
"""Above so many boxes of a kind they are grouped more coarsely; tried in turn while a picture is too large."""

MOST_LISTED = 24
"""The members that all boxes of a kind list together, the most pressing first."""

_FOLDED = frozenset({"logs", "secret"})
_OUTSIDE, _ENTRY, _FUNCTIONS, _DATA = range(4)
_STARTERS = frozenset({"api", "process"})


class Box(NamedTuple):
    """A shape, with the elements that it stands for and those that are folded into it.

    `lane` is its column from left to right; `beyond` is true outside on the right, where systems are called.
    """

    id: str
    kind: str
    symbol: str
    name: str
    subtitle: str
    zone: str
    lane: int
    beyond: bool
    members: tuple[Element, ...]
    folded: tuple[Element, ...]


class Link(NamedTuple):
    """The flows between two boxes, with their numbers: those of the first one's direction, and those back."""

    source: str
    target: str
    there: tuple[tuple[int, Flow], ...]
    back: tuple[tuple[int, Flow], ...]

    @property
    def flows(self) -> tuple[tuple[int, Flow], ...]:
        """Return the flows of both directions in order."""
        return tuple(sorted((*self.there, *self.back), key=lambda one: one[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Condensed:
    """Boxes by id, links in order of their first flow, and the boundaries with something in them.

    `inner` are the flows inside one box, with their numbers.  `in_lanes`: the column of each box is given.
    """

    graph: Graph
    title: str
    focus: str
    boxes: Mapping[str, Box]
    links: tuple[Link, ...]
    inner: tuple[tuple[int, Flow], ...]
    zones: Mapping[str, Zone]
    in_lanes: bool


def condensed(
    graph: Graph, view: str = "runtime", focus: str = "", *, most: int = MOST_BOXES[0], grouped: bool | None = None
) -> Condensed:
    """Return what a picture of limited size shows of a view, or of an element with its neighbors.

    `most` boxes of a kind are drawn.  `grouped` False draws each function by itself; None groups them where there are
    many.
    """
    whole = picture(graph, view, focus, overview=False)
    owners = _owners(whole)
    place = {name: name for name in whole.shapes if name not in owners}
    functions = [shape for shape in whole.shapes.values() if shape.kind == "function" and shape.id != focus]
    if grouped is None:
        grouped = len(functions) >= GROUPED_FROM
    if grouped:
        _group_functions(whole, place, functions, most)
        _group_others(whole, place, most)
    in_lanes = whole.view == "runtime"
    boxes = _boxes(whole, place, owners, _lanes(whole, place) if in_lanes else whole.columns)
    links, inner = _links(whole, place)
    return Condensed(
        graph=graph,
        title=whole.title,
        focus=focus,
        boxes=boxes,
        links=links,
        inner=inner,
        zones=whole.zones,
        in_lanes=in_lanes,
    )


# --- folding


def _owners(whole: Picture) -> Mapping[str, Sequence[str]]:
    """Return the shapes that are folded, each with those that use it: logs and secrets, apart from the focus."""
    found: dict[str, dict[str, None]] = {}
    for arrow in whole.arrows:
        for name, other in ((arrow.target, arrow.source), (arrow.source, arrow.target)):
            if whole.shapes[name].kind in _FOLDED and name != whole.focus:
                found.setdefault(name, {})[other] = None
    return {
        name: tuple(users)
        for name, users in found.items()
        if all(whole.shapes[user].members[0].kind in {"function", "api"} for user in users)
    }


# --- grouping

_Key = Callable[[DrawnShape], Hashable]


def _group_functions(whole: Picture, place: dict[str, str], functions: Sequence[DrawnShape], most: int) -> None:
    """Place functions together that the same elements start, or where that leaves too many, the same kinds."""
    starts: dict[str, set[str]] = {shape.id: set() for shape in functions}
    for arrow in whole.arrows:
        if arrow.target in starts and not _only_answers(arrow.flows):
            starts[arrow.target].add(arrow.source)
    kinds = {name: frozenset(whole.shapes[one].kind for one in sources) for name, sources in starts.items()}
    keys: tuple[_Key, ...] = (
        lambda shape: (shape.zone, frozenset(starts[shape.id])),
        lambda shape: (shape.zone, kinds[shape.id]),
        lambda shape: (outermost(shape.zone, whole.zones), kinds[shape.id]),
        lambda shape: outermost(shape.zone, whole.zones),
    )
    _place(place, functions, keys, most)


def _group_others(whole: Picture, place: dict[str, str], most: int) -> None:
    """Place elements of a kind together that are connected with the same boxes, or in the same way, or at all."""
    meets: dict[str, set[tuple[str, bool]]] = {}
    for arrow in whole.arrows:
        for name, other, ahead in ((arrow.source, arrow.target, True), (arrow.target, arrow.source, False)):
            meets.setdefault(name, set()).add((place.get(other, ""), ahead))
    by_kind: dict[str, list[DrawnShape]] = {}
    for shape in whole.shapes.values():
        if shape.id in place and shape.id != whole.focus and shape.kind in PLURALS and shape.kind != "function":
            by_kind.setdefault(shape.kind, []).append(shape)
    ways = {name: frozenset(ahead for _, ahead in met) for name, met in meets.items()}
    keys: tuple[_Key, ...] = (
        lambda shape: (shape.zone, frozenset(meets.get(shape.id, ()))),
        lambda shape: (shape.zone, ways.get(shape.id)),
        lambda shape: outermost(shape.zone, whole.zones),
    )
    for shapes in by_kind.values():
        _place(place, shapes, keys, most)


def _place(place: dict[str, str], shapes: Sequence[DrawnShape], keys: Iterable[_Key], most: int) -> None:
    """Place shapes by the first key that leaves few enough boxes; each box has the id of its first member."""
    found: dict[Hashable, list[str]] = {}
    for key in keys:
        found = {}
        for shape in shapes:
            found.setdefault(key(shape), []).append(shape.id)
        if len(found) <= most:
            break
    for names in found.values():
        place.update(dict.fromkeys(names, names[0]))


def _only_answers(flows: Iterable[Flow]) -> bool:
    return all(flow.id.endswith(":answer") for flow in flows)


# --- boxes


def _boxes(
    whole: Picture, place: Mapping[str, str], owners: Mapping[str, Sequence[str]], lanes: Mapping[str, int]
) -> dict[str, Box]:
    members: dict[str, list[DrawnShape]] = {}
    for name, box in place.items():
        members.setdefault(box, []).append(whole.shapes[name])
    folded: dict[str, dict[str, Element]] = {}
    for name, users in owners.items():
        for user in users:
            if user in place:
                folded.setdefault(place[user], {})[name] = whole.shapes[name].members[0]
    return {
        name: _box(whole, shapes, lanes[name], tuple(folded.get(name, {}).values())) for name, shapes in members.items()
    }


def _box(whole: Picture, shapes: Sequence[DrawnShape], lane: int, folded: tuple[Element, ...]) -> Box:
    first = shapes[0]
    zones = {shape.zone for shape in shapes}
    many = len(shapes) > 1
    subtitles = dict.fromkeys(shape.subtitle for shape in shapes)
    return Box(
        id=first.id,
        kind=first.kind,
        symbol=first.symbol,
        name=f"{len(shapes)} {PLURALS[first.kind]}" if many else first.name,
        subtitle=next(iter(subtitles)) if len(subtitles) == 1 else "",
        zone=first.zone if len(zones) == 1 else outermost(first.zone, whole.zones),
        lane=lane,
        beyond=lane == _DATA and _is_outside(whole, first),
        members=tuple(member for shape in shapes for member in shape.members),
        folded=folded,
    )


def _is_outside(whole: Picture, shape: DrawnShape) -> bool:
    return outermost(shape.zone, whole.zones) not in {"account", "security"}


def _lanes(whole: Picture, place: Mapping[str, str]) -> Mapping[str, int]:
    """Return the column of each box: who calls, where calls arrive, functions, what they use."""
    calls: set[str] = set()
    called: set[str] = set()
    for arrow in whole.arrows:
        source, target = place.get(arrow.source, ""), place.get(arrow.target, "")
        if source != target and not _only_answers(arrow.flows):
            calls.add(source)
            called.add(target)
    found = {}
    for box in dict.fromkeys(place.values()):
        shape = whole.shapes[box]
        if shape.kind == "function":
            found[box] = _FUNCTIONS
        elif _is_outside(whole, shape):
            found[box] = _OUTSIDE if box in calls or box not in called else _DATA
        elif shape.kind in _STARTERS or (box in calls and box not in called):
            found[box] = _ENTRY
        else:
            found[box] = _DATA
    return found


# --- links


def _links(whole: Picture, place: Mapping[str, str]) -> tuple[tuple[Link, ...], tuple[tuple[int, Flow], ...]]:
    """Return one link for all flows between two boxes, and the flows inside one box."""
    found: dict[tuple[str, str], tuple[list[tuple[int, Flow]], list[tuple[int, Flow]]]] = {}
    inner: list[tuple[int, Flow]] = []
    numbered = [
        (number, arrow.source, arrow.target, flow)
        for arrow in whole.arrows
        for number, flow in zip(arrow.numbers, arrow.flows, strict=True)
    ]
    for number, first, second, flow in sorted(numbered, key=lambda one: one[0]):
        source, target = place.get(first), place.get(second)
        if source is None or target is None or source == target:
            inner.append((number, flow))
        elif (target, source) in found:
            found[target, source][1].append((number, flow))
        else:
            found.setdefault((source, target), ([], []))[0].append((number, flow))
    links = [Link(*ends, tuple(there), tuple(back)) for ends, (there, back) in found.items()]
    return tuple(links), tuple(inner)
