"""Data-flow diagrams laid out for their medium: as wide as a page or a screen, with type that can be read there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from threatmodel.render.condensed import MOST_BOXES, Condensed, Grouping, grouped_by
from threatmodel.render.draw import draw, engine_for, linked, scale, titled
from threatmodel.render.hints import Hints, parts
from threatmodel.render.labels import SMALL, Style, node
from threatmodel.render.layout import MANY, STYLES, TITLE, Layout, Sheet
from threatmodel.render.palette import RISK, Marks, Scale, Worst
from threatmodel.render.picture import Drawable, Picture, picture


class Medium(NamedTuple):
    """The width and height of a picture in points, the least size that type may have there, and dots per inch.

    `letters` are the characters of a line that is as wide. `across`: columns are from above to below, with so many
    boxes beside each other, tried in turn.  A picture has at most so many `boxes`, if it can (0: no limit).
    """

    width: float
    height: float
    least: float
    dots: int
    letters: int = 120
    across: tuple[int, ...] = ()
    styles: tuple[Style, ...] = STYLES
    boxes: int = 0


MEDIA: Mapping[str, Medium] = {
    "a4": Medium(525, 740, 7.0, 200),
    "screen": Medium(930, 4000, 8.25, 96),
    "phone": Medium(255, 4000, 7.5, 192, 54, (2, 1), (STYLES[1], *STYLES[-2:]), 18),
}
"""A4 between margins of 12 mm; a window of 1280 pixels, where type of 11 pixels can be read; a phone of 390 pixels."""


class Fitted(NamedTuple):
    """A diagram in a format, the size of its smallest text in points, and whether it can be read.

    `groups` are the functions that it draws as one, a tuple for each box.
    """

    picture: bytes
    points: float
    readable: bool
    groups: tuple[tuple[str, ...], ...] = ()


class Wanted(NamedTuple):
    """What a diagram shows: a view, or an element with its neighbors.

    `marks` colors what it names, with the words of `scale`, and `notes` are lines on what they name.  `full` draws each
    function by itself; `named`: the title has the system's name.  `only` are functions that are shown with their
    neighbors.  In an SVG, `link` gives the address behind a box of functions ('' for none), and `back` that behind the
    title.
    """

    view: str = "runtime"
    focus: str = ""
    marks: Marks | None = None
    full: bool = False
    named: bool = True
    scale: Scale = RISK
    notes: Mapping[str, Sequence[str]] = MappingProxyType({})
    only: tuple[str, ...] = ()
    link: Callable[[Sequence[str]], str] | None = None
    back: str = ""


def fitted(graph: Drawable, medium: str, wanted: Wanted, fmt: str = "svg", engine: str = "") -> Fitted:
    """Return the diagram that fits a medium (a4 or screen) and says most; `engine` names the program that draws.

    Where no layout has type that can be read, it is the one with the largest type.  Raises DrawError.
    """
    return next(fitted_to_each(graph, [medium], wanted, fmt, engine))


def fitted_to_each(
    graph: Drawable, media: Iterable[str], wanted: Wanted, fmt: str = "svg", engine: str = ""
) -> Iterator[Fitted]:
    """Yield the diagram that fits each medium.  What they share is computed once.  Raises DrawError."""
    content = _Content(graph, wanted)
    hints = Hints(graph, content.marks, wanted.scale, wanted.notes)
    for medium in media:
        size, drawn = MEDIA[medium], []
        for one in _layouts(content, size, wanted, fmt, engine):
            drawn.append(one)
            if one.points >= size.least:
                break
        best = max(drawn, key=lambda one: one.points)
        if fmt == "svg":
            found = linked(titled(best.svg, hints.of(best.shown), parts(best.shown)), _links(best.shown, wanted))
        else:
            found = draw(best.dot, fmt, engine, size.dots)
        groups = tuple(ids for _, ids in _functions(best.shown) if len(ids) > 1)
        yield Fitted(found, best.points, best.points >= size.least, groups)


def _functions(shown: Condensed) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the boxes of functions by id, with their members."""
    for box in shown.boxes.values():
        if box.kind == "function":
            yield box.id, tuple(member.id for member in box.members)


def _links(shown: Condensed, wanted: Wanted) -> Mapping[str, str]:
    """Return the addresses behind parts of a picture, by the `id` of each part."""
    boxes = _functions(shown) if wanted.link is not None else ()
    found = {
        f"box-{node(box)}": wanted.link(ids) for box, ids in boxes if wanted.link is not None and box != shown.focus
    }
    return {name: address for name, address in (*found.items(), (TITLE, wanted.back)) if address}


class _Drawn(NamedTuple):
    """One layout: its text, what Graphviz makes of it, the size of its smallest text, and what it shows."""

    dot: str
    svg: bytes
    points: float
    shown: Condensed


def _layouts(content: _Content, size: Medium, wanted: Wanted, fmt: str, engine: str) -> Iterator[_Drawn]:
    title = f"{content.graph.system.name.strip() or 'Threat model'}" if wanted.named else ""
    for shown, style in _tries(content, wanted, size):
        for direction, across in _ways(size, shown):
            sheet = Sheet(size.width, size.height, size.letters, direction, across, title, bool(wanted.back))
            text = Layout(shown, wanted.marks, wanted.scale, style, sheet).text()
            svg = draw(text, "svg", engine or engine_for(text, fmt))
            yield _Drawn(text, svg, SMALL * scale(svg), shown)


_FEW = 12
"""Above so many boxes, no two of a column are beside each other on a phone: their lines would have no room."""


def _ways(size: Medium, shown: Condensed) -> Sequence[tuple[str, int]]:
    """The directions in which a picture is laid out, each with how many boxes are beside each other (0: no limit)."""
    if size.across:
        return [("TB", across) for across in size.across if across == 1 or len(shown.boxes) <= _FEW]
    return [("LR", 0)] if shown.in_lanes or len(shown.boxes) > MANY else [("LR", 0), ("TB", 0)]


def _tries(content: _Content, wanted: Wanted, size: Medium) -> Iterator[tuple[Condensed, Style]]:
    """Yield what to show and how, from what says most: smaller groups before larger ones, words before numbers.

    A picture of some functions shows each of them by itself, if that can be read.
    """
    if wanted.only and not wanted.full:
        yield from _tries(content, wanted._replace(full=True), size)
    shown = [content.grouped(functions=False if wanted.full else None)]
    for most in () if wanted.full else MOST_BOXES:
        functions, others = shown[-1].left
        if max(functions, others) > 0 and functions <= most[0] and others <= most[1]:
            continue  # it would be grouped in the same way
        one = content.grouped(most, functions=True)
        if one.boxes.keys() != shown[-1].boxes.keys():
            shown.append(one)
    last = shown.pop() if len(shown) > 1 and shown[-1].left[0] <= 1 else None
    shown = [one for one in shown if not size.boxes or len(one.boxes) <= size.boxes] or shown[-1:]
    if len(shown[-1].boxes) > MANY:  # one layout only
        yield shown[-1], size.styles[-1]
        return
    for _, styles in groupby(size.styles, key=lambda style: (bool(style.arrow), style.counts)):
        alike = list(styles)
        yield from ((one, style) for one in shown for style in alike)
    if last is not None:
        yield from ((last, style) for style in size.styles)


class _Content:
    """What the pictures of a view may show, with larger groups and smaller ones."""

    def __init__(self, graph: Drawable, wanted: Wanted) -> None:
        self.graph = graph
        self.marks = wanted.marks or {}
        self.whole = picture(graph, wanted.view, wanted.focus, overview=False, only=wanted.only)
        apart = {} if wanted.scale.numbered else _apart(graph, self.marks)
        self.usual = Grouping(apart=apart, worst=_worst(graph, wanted, self.whole))
        self.known: dict[tuple[tuple[int, int], bool | None], Condensed] = {}

    def grouped(self, most: tuple[int, int] = MOST_BOXES[0], *, functions: bool | None) -> Condensed:
        """Return what is shown with at most so many boxes of a kind."""
        if (most, functions) not in self.known:
            grouping = self.usual._replace(most=most, functions=functions)
            self.known[most, functions] = grouped_by(grouping, self.whole, self.graph)
        return self.known[most, functions]


def _worst(graph: Drawable, wanted: Wanted, whole: Picture) -> Worst:
    """The worst element of the view, if the picture shows it: a part of the system marks no other one."""
    part = wanted.focus or wanted.only
    found = wanted.scale.top(wanted.marks or {}, (picture(graph, whole.view) if part else whole).elements)
    return found if found.id in whole.elements else Worst()


def _apart(graph: Drawable, marks: Marks) -> dict[str, str]:
    """What is not drawn as one: elements with different words, and the ends of a marked flow between two of a kind."""
    found = {name: mark[0] for name, mark in marks.items()}
    for name in marks:
        ends = [graph.elements[end] for end in (flow.source, flow.target)] if (flow := graph.flows.get(name)) else []
        if len({end.kind or end.symbol for end in ends}) == 1:
            found.update({end.id: end.id for end in ends})
    return found
