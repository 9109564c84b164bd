"""A picture with fewer shapes and lines, for paper and screens: what belongs to an element is folded into it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from threatmodel.graph.elements import ARROWS, Element, Flow, unknown_arrows
from threatmodel.model.reference_architecture import Zone
from threatmodel.reading.grouping import grouped
from threatmodel.reading.values import dataclass
from threatmodel.render.palette import Worst
from threatmodel.render.picture import Drawable, DrawnShape, Picture, around, outermost, picture
from threatmodel.render.placing import NAMES, WORST, Placing, group_functions, group_others, is_open, only_answers

GROUPED_FROM = 6
"""From so many functions up, those that the same elements start are drawn as one box."""

MOST_BOXES = ((9, 9), (6, 6), (4, 4), (4, 1), (1, 1))
"""Above so many boxes of functions, and of another kind, they are grouped more coarsely.

They are tried in turn while a picture is too large; the last one only where nothing else can be read."""

MOST_LISTED = 24
"""The members that all boxes of a kind list together, the most pressing first."""

_FOLDED = frozenset({"logs", "secret"})
OUTSIDE, _ENTRY, FUNCTIONS, _DATA = range(4)
"""The columns of boxes, from left to right."""


class Box(NamedTuple):
    """A shape, with the elements that it stands for, those that are folded into it, and the flows among these.

    `lane` is its column from left to right; `beyond` is true outside on the right, where systems are called.  `unknown`
    says which of its arrows may be missing: 'unknown: uses, calls (2)' of all and of two.
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
    inner: tuple[tuple[int, Flow], ...]
    unknown: str = ""


class Link(NamedTuple):
    """The flows between two boxes with their numbers, in order: all, those of the first direction, and those back."""

    source: str
    target: str
    flows: tuple[tuple[int, Flow], ...]
    there: tuple[tuple[int, Flow], ...]
    back: tuple[tuple[int, Flow], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condensed:
    """Boxes by id, links in order of their first flow, and the boundaries with something in them.

    `in_lanes`: the column of each box is given. `worst` is the worst element, if one is to be marked.
    `left` is how many boxes of functions grouping left, and of the other kind with most; 0 where nothing is grouped.
    """

    graph: Drawable
    title: str
    focus: str
    boxes: Mapping[str, Box]
    links: tuple[Link, ...]
    zones: Mapping[str, Zone]
    in_lanes: bool
    worst: Worst = Worst()
    left: tuple[int, int] = (0, 0)

    def called_outside(self, link: Link) -> str:
        """Return the box outside that functions call over a link, whose words are in that box; '' for other links."""
        ends = (link.source, link.target) if self.in_lanes else ()
        outside = [one for one in ends if self._is_outside(one)]
        inside = [one for one in ends if self.boxes[one].lane >= FUNCTIONS and not self.boxes[one].beyond]
        return outside[0] if outside and inside else ""

    @property
    def entries(self) -> frozenset[str]:
        """The boxes that something outside sends to, or that are open to anyone: where requests enter the system.

        There are none without columns.
        """
        links = self.links if self.in_lanes else ()
        ways = [(one.source, one.target) for one in links if one.there]
        ways += [(one.target, one.source) for one in links if one.back]
        found = {target for source, target in ways if self._is_outside(source) and not self._is_outside(target)}
        return frozenset(
            found.union(box.id for box in self.boxes.values() if self.in_lanes and any(map(is_open, box.members)))
        )

    def _is_outside(self, box: str) -> bool:
        return self.boxes[box].lane == OUTSIDE or self.boxes[box].beyond


class Grouping(NamedTuple):
    """How elements are drawn as one: at most so many boxes of functions, and of another kind.

    Functions are grouped always, never, or (None) if they are many.

    Elements and flows with different words in `apart` are not drawn as one, and `worst` is drawn by itself.
    """

    most: tuple[int, int] = MOST_BOXES[0]
    functions: bool | None = None
    apart: Mapping[str, str] = MappingProxyType({})
    worst: Worst = Worst()


_USUAL = Grouping()


def condensed(graph: Drawable, view: str = "runtime", focus: str = "", grouping: Grouping = _USUAL) -> Condensed:
    """Return what a picture of limited size shows of a view, or of an element with its neighbors."""
    return grouped_by(grouping, picture(graph, view, focus, overview=False), graph)


def grouped_by(grouping: Grouping, whole: Picture, graph: Drawable) -> Condensed:
    """Return what a picture of limited size shows of a whole one.  Where functions are not grouped, nothing else is."""
    most, grouped, apart, worst = grouping
    apart = {**apart, worst.id: WORST} if worst.id else apart
    focus = whole.focus
    owners = _owners(whole, apart)
    place = {name: name for name in whole.shapes if name not in owners}
    functions = [shape for shape in whole.shapes.values() if shape.kind == "function" and shape.id != focus]
    if grouped is None:
        kinds = Counter(whole.shapes[name].kind for name in place)
        grouped = len(functions) >= GROUPED_FROM or max(kinds.values(), default=0) > most[0]
    left = (0, 0)
    if grouped:
        placing = [Placing(place, boxes, apart) for boxes in most]
        left = group_functions(whole, placing[0], functions), group_others(whole, placing[1])
    in_lanes = whole.view == "runtime"
    links, inner = _links(whole, place, owners)
    lanes = _lanes(whole, place) if in_lanes else whole.columns
    boxes = _boxes(whole, place, owners, lanes)
    return Condensed(
        graph=graph,
        title=whole.title,
        focus=focus,
        boxes={name: box._replace(inner=tuple(inner.get(name, ()))) for name, box in boxes.items()},
        links=links,
        zones=around({box.zone for box in boxes.values()}, whole.zones),
        in_lanes=in_lanes,
        worst=worst,
        left=left,
    )


# --- folding


def _owners(whole: Picture, apart: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return the shapes that are folded, each with those that use it: logs and secrets, apart from the focus."""
    found: dict[str, dict[str, list[str]]] = {}
    for arrow in whole.arrows:
        for name, other in ((arrow.target, arrow.source), (arrow.source, arrow.target)):
            if whole.shapes[name].kind in _FOLDED and name != whole.focus:
                words = [apart.get(one, "") for one in (name, *(flow.id for flow in arrow.flows))]
                found.setdefault(name, {}).setdefault(other, []).extend(words)
    return {
        name: tuple(users)
        for name, users in found.items()
        if all(
            whole.shapes[user].kind in {"function", "api"} and set(words) <= {"", apart.get(user, "")}
            for user, words in users.items()
        )
    }


# --- boxes


def _boxes(
    whole: Picture, place: Mapping[str, str], owners: Mapping[str, Sequence[str]], lanes: Mapping[str, int]
) -> dict[str, Box]:
    members = grouped((box, whole.shapes[name]) for name, box in place.items())
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
        name=f"{len(shapes)} {NAMES[first.kind]}" if many else first.name,
        subtitle=next(iter(subtitles)) if len(subtitles) == 1 else "",
        zone=first.zone if len(zones) == 1 else outermost(first.zone, whole.zones),
        lane=lane,
        beyond=lane == _DATA and _is_outside(whole, first),
        members=tuple(member for shape in shapes for member in shape.members),
        folded=folded,
        inner=(),
        unknown=_unknown(whole, shapes),
    )


def _unknown(whole: Picture, shapes: Sequence[DrawnShape]) -> str:
    """Which arrows of the elements of a box may be missing, and of how many, if not of all."""
    elements = [member for shape in shapes for member in shape.members if not member.out_of_scope]
    known = [(one.kind, whole.graph.lists[one.id]) for one in elements if one.kind and one.id in whole.graph.lists]
    counts = Counter(word for kind, lists in known for word in unknown_arrows(kind, lists))
    words = (word if counts[word] == len(shapes) else f"{word} ({counts[word]})" for word in ARROWS if counts[word])
    text = ", ".join(words) if whole.view in {"runtime", "all"} else ""
    return f"unknown: {text}" if text else ""


def _is_outside(whole: Picture, shape: DrawnShape) -> bool:
    return outermost(shape.zone, whole.zones) not in {"account", "security"}


def _lanes(whole: Picture, place: Mapping[str, str]) -> Mapping[str, int]:
    """Return the column of each box: who calls, where calls arrive, functions, what they use.

    Those outside that talk to each other are on one side, on the left if one of them calls what is inside.
    """
    boxes = {box: whole.shapes[box] for box in place.values()}
    groups = {box: {box} for box, shape in boxes.items() if _is_outside(whole, shape)}
    calls: set[str] = set()
    called: set[str] = set()
    for arrow in whole.arrows:
        source, target = place.get(arrow.source, ""), place.get(arrow.target, "")
        if source in groups and target in groups:
            both = groups[source] | groups[target]
            groups.update(dict.fromkeys(both, both))
        elif source != target and not only_answers(arrow.flows):
            calls.add(source)
            called.add(target)
    found = {}
    for box, shape in boxes.items():
        if shape.kind == "function":
            found[box] = FUNCTIONS
        elif box in groups:
            found[box] = OUTSIDE if groups[box] & calls or not groups[box] & called else _DATA
        elif shape.kind == "api" or (box in calls and (shape.kind == "process" or box not in called)):
            found[box] = _ENTRY
        else:
            found[box] = _DATA
    return found


# --- links


_Numbered = tuple[int, Flow]


def _links(
    whole: Picture, place: Mapping[str, str], owners: Mapping[str, Sequence[str]]
) -> tuple[tuple[Link, ...], Mapping[str, Sequence[_Numbered]]]:
    """Return one link for all flows between two boxes, and the flows inside each box."""
    found: dict[tuple[str, str], tuple[list[_Numbered], ...]] = {}
    inner: dict[str, list[_Numbered]] = {}
    numbered = [
        (number, arrow.source, arrow.target, flow)
        for arrow in whole.arrows
        for number, flow in zip(arrow.numbers, arrow.flows, strict=True)
    ]
    for number, first, second, flow in sorted(numbered, key=lambda one: one[0]):
        source = place[second if first in owners else first]
        target = place[first if second in owners else second]
        if source == target:
            inner.setdefault(source, []).append((number, flow))
            continue
        ends, way = ((target, source), 2) if (target, source) in found else ((source, target), 1)
        flows = found.setdefault(ends, ([], [], []))
        flows[0].append((number, flow))
        flows[way].append((number, flow))
    return tuple(Link(*ends, *map(tuple, flows)) for ends, flows in found.items()), inner
