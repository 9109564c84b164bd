"""Data-flow diagrams laid out for their medium: as wide as a page or a screen, with type that can be read there."""

from __future__ import annotations

import textwrap
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from threatmodel.graph.elements import Element, Flow, Graph
from threatmodel.model.reference_architecture import Zone
from threatmodel.reading.marks import MARK
from threatmodel.render.condensed import MOST_BOXES, MOST_LISTED, Box, Condensed, Link, condensed
from threatmodel.render.draw import draw, engine_for, scale, titled
from threatmodel.render.palette import BANDS, GREY, MUTED, ORDER, OUTSIDE, PLAIN, RED, Risks, worded, worst
from threatmodel.render.picture import HOSTILE, TIMES, cut, protocol_words
from threatmodel.render.text import dot_html, one_line


class Medium(NamedTuple):
    """The width and height of a picture in points, the least size that type may have there, and dots per inch."""

    width: float
    height: float
    least: float
    dots: int


MEDIA: Mapping[str, Medium] = {
    "a4": Medium(525, 740, 7.0, 200),
    "screen": Medium(930, 4000, 8.25, 96),
}
"""A4 between margins of 12 mm; and a window of 1280 pixels, where type of 11 pixels can be read."""

SMALL = 9
"""The size in points of all but names and titles, before the picture is made to fit."""

_MOST_KEYS = 60
"""The flows that a picture names in a list below, where arrows have numbers only."""


class _Style(NamedTuple):
    """How much is written: characters of a line of an arrow (0: its numbers alone), of a name and of a note."""

    arrow: int
    name: int
    note: int
    gap: str
    """Inches between columns, and between a column and the texts of arrows."""


_STYLES = (
    _Style(18, 26, 30, "0.22"),
    _Style(14, 18, 20, "0.18"),
    _Style(12, 16, 16, "0.14"),
    _Style(0, 18, 20, "0.30"),
    _Style(0, 14, 14, "0.20"),
)
"""From the richest to the narrowest."""

_LEFT = '<br align="left"/>'


_MOST_SHAPES = 80
"""Above so many boxes, which are only drawn where that is asked for, one layout is tried."""


class Fitted(NamedTuple):
    """A diagram in a format, the size of its smallest text in points, and whether it can be read."""

    picture: bytes
    points: float
    readable: bool


class Wanted(NamedTuple):
    """What a diagram shows: a view, or an element with its neighbors.

    `risks` colors what it names; `full` draws each function by itself; `named`: the title has the system's name.
    """

    view: str = "runtime"
    focus: str = ""
    risks: Risks | None = None
    full: bool = False
    named: bool = True


def fitted(graph: Graph, medium: str, wanted: Wanted, fmt: str = "svg", engine: str = "") -> Fitted:
    """Return the diagram that fits a medium (a4 or screen) and says most; `engine` names the program that draws.

    Where no layout has type that can be read, it is the one with the largest type.  Raises DrawError.
    """
    size, drawn = MEDIA[medium], []
    for one in _layouts(graph, size, wanted, fmt, engine):
        drawn.append(one)
        if one.points >= size.least:
            break
    best = max(drawn, key=lambda one: one.points)
    if fmt == "svg":
        picture = titled(best.svg, hints(best.shown, wanted.risks))
    else:
        picture = draw(best.dot, fmt, engine, size.dots)
    return Fitted(picture, best.points, best.points >= size.least)


class _Drawn(NamedTuple):
    """One layout: its text, what Graphviz makes of it, the size of its smallest text, and what it shows."""

    dot: str
    svg: bytes
    points: float
    shown: Condensed


def _layouts(graph: Graph, size: Medium, wanted: Wanted, fmt: str, engine: str) -> Iterator[_Drawn]:
    for shown, style in _tries(graph, wanted):
        for direction in ("LR",) if shown.in_lanes else ("LR", "TB"):
            text = _Writer(shown, wanted.risks, style, named=wanted.named).text(size, direction)
            svg = draw(text, "svg", engine or engine_for(text, fmt))
            yield _Drawn(text, svg, SMALL * scale(svg), shown)


def _tries(graph: Graph, wanted: Wanted) -> Iterator[tuple[Condensed, _Style]]:
    """Yield what to show and how, from what says most: smaller groups before larger ones, words before numbers."""
    shown = [condensed(graph, wanted.view, wanted.focus, most=MOST_BOXES[0], grouped=False if wanted.full else None)]
    for most in () if wanted.full else MOST_BOXES:
        one = condensed(graph, wanted.view, wanted.focus, most=most, grouped=True)
        if one.boxes.keys() != shown[-1].boxes.keys():
            shown.append(one)
    if len(shown[-1].boxes) > _MOST_SHAPES:
        yield shown[-1], _STYLES[-1]
        return
    for wordy in (True, False):
        for one in shown:
            yield from ((one, style) for style in _STYLES if bool(style.arrow) is wordy)


def hints(shown: Condensed, risks: Risks | None) -> dict[str, str]:
    """Return what a reader sees who points at a box or an arrow, by the `id` that it has in the picture."""
    names = {item.id: item.name for item in shown.graph.data.values()}
    found = {}
    for box in shown.boxes.values():
        lines = [_said(one, risks) for one in (*box.members, *box.folded)]
        found[f"box-{_name(box.id)}"] = "\n".join(lines)
    for link in shown.links:
        found[f"link-{link.flows[0][0]}"] = "\n".join(_told(*one, shown, names) for one in link.flows)
    return found


def _said(element: Element, risks: Risks | None) -> str:
    risk = (risks or {}).get(element.id)
    parts = [element.name.strip() or element.id, element.subtitle, worded(risk) if risk else ""]
    return one_line(" · ".join(part for part in parts if part))


def _told(number: int, flow: Flow, shown: Condensed, names: Mapping[str, str]) -> str:
    elements = shown.graph.elements
    ends = " → ".join(elements[end].name.strip() or end for end in (flow.source, flow.target))
    data = ", ".join(names[item] for item in flow.carries)
    protocol = ", ".join(protocol_words(flow.facts))
    return one_line(f"{number} {ends}: {flow.label}" + "".join(f" · {part}" for part in (data, protocol) if part))


class _Writer:
    """Writes one layout of a picture."""

    def __init__(self, shown: Condensed, risks: Risks | None, style: _Style, *, named: bool) -> None:
        self.shown = shown
        self.rated = risks is not None
        self.risks = risks or {}
        self.style = style
        self.named = named
        groups = sum(box.kind == "function" for box in shown.boxes.values())
        self.listed = max(3, MOST_LISTED // max(1, groups))

    def text(self, medium: Medium, direction: str = "LR") -> str:
        """Return the layout as DOT."""
        graph = {
            "bgcolor": "#ffffff",
            "fontname": "Helvetica",
            "fontsize": str(SMALL),
            "labeljust": "l",
            "labelloc": "b",
            "newrank": "true",
            "nodesep": "0.14",
            "pad": "0.03",
            "rankdir": direction,
            "ranksep": self.style.gap,
            "size": f"{medium.width / 72:.3f},{medium.height / 72:.3f}",
        }
        lines = [
            f"// {MARK}",
            "digraph dfd {",
            f"\tgraph [label=<{self._legend()}>{_attributes(graph)}]",
            f"\tnode [{_attributes(_NODE)}]",
            f"\tedge [{_attributes(_EDGE)}]",
            f'\tsubgraph cluster {{\n\t\tgraph [label=<{self._title()}> labelloc="t" margin="0" peripheries="0"]',
            *self._boundaries(),
            "\t}",
            *self._lanes(),
            *(self._link(link) for link in self.shown.links),
        ]
        return "\n".join([*lines, "}\n"])

    # --- title, legend and key

    def _title(self) -> str:
        subtitle = self.shown.title + (" · risk after claimed controls" if self.rated else "")
        if not self.named:
            return _small(subtitle, MUTED, 90)
        name = _wrapped(self.shown.graph.system.name, 50) or "Threat model"
        return (
            '<table border="0" cellborder="0" cellspacing="0" cellpadding="1">'
            f'<tr><td align="left"><font point-size="14"><b>{name}</b></font></td></tr>'
            f'<tr><td align="left">{_small(subtitle, MUTED, 90)}</td></tr></table>'
        )

    def _legend(self) -> str:
        """What the signs mean; where arrows have numbers only, what each number stands for."""
        words = ["rounded: process", "square: person or system", "cylinder: data", "red frame: trust boundary"]
        words.append("number: order of the flow")
        if any(link.source == HOSTILE for link in self.shown.links):
            words.append("dashed arrow: from anyone")
        if any(not one.described for box in self.shown.boxes.values() for one in box.members):
            words.append("(assumed): not described")
        legend = "".join(
            f'<font color="{MUTED}">{dot_html(line)}</font>{_LEFT}' for line in textwrap.wrap(" · ".join(words), 120)
        )
        return legend if self.style.arrow else self._key(legend)

    def _key(self, legend: str) -> str:
        """The flows in two columns above the legend; the legend alone where there are too many for a page."""
        flows = sorted((one for link in self.shown.links for one in link.flows), key=lambda one: one[0])
        if not flows or len(flows) > _MOST_KEYS:
            return legend
        elements = self.shown.graph.elements
        cells = []
        for number, flow in flows:
            source, target = (elements[end].name.strip() or end for end in (flow.source, flow.target))
            text = cut(f"{source} to {target}: {flow.label}", 62)
            cells.append(f'<td align="right">{number}</td><td align="left">{dot_html(text)}</td>')
        half = (len(cells) + 1) // 2
        rows = [a + b for a, b in zip(cells, [*cells[half:], "<td></td><td></td>"], strict=False)][:half]
        body = (
            "".join(f"<tr>{row}</tr>" for row in rows)
            + f'<tr><td colspan="4" balign="left" align="left">{legend}</td></tr>'
        )
        return f'<table border="0" cellborder="0" cellspacing="0" cellpadding="2">{body}</table>'

    # --- boundaries and columns

    def _boundaries(self) -> Iterator[str]:
        inside: dict[tuple[str, bool], list[Box]] = {}
        for box in self.shown.boxes.values():
            inside.setdefault((box.zone, box.beyond), []).append(box)
        for beyond in (False, True):
            yield from self._zones("", inside, "\t\t", beyond=beyond)

    def _zones(
        self, around: str, inside: Mapping[tuple[str, bool], Sequence[Box]], tab: str, *, beyond: bool
    ) -> Iterator[str]:
        for zone in self.shown.zones.values():
            if zone.inside != around:
                continue
            body = [f"{tab}\t{self._box(box)}" for box in inside.get((zone.id, beyond), ())]
            body += self._zones(zone.id, inside, f"{tab}\t", beyond=beyond)
            if body:
                name = f"{_name(zone.id)}{'+beyond' if beyond else ''}"
                yield f'{tab}subgraph "cluster_around+{name}" {{ graph [label="" margin="3" peripheries="0"]'
                yield f'{tab}subgraph "cluster_{name}" {{ graph [label=<{self._zone(zone)}>{_attributes(_CLUSTER)}]'
                yield from body
                yield f"{tab}}} }}"

    def _zone(self, zone: Zone) -> str:
        element = self.shown.graph.elements.get(zone.id)
        lines = [f"<b>{line}</b>" for line in _lines(zone.name, self.style.note) or [dot_html(zone.id)]]
        if element is not None and not element.described:
            lines.append("(assumed)")
        if zone.id in self.risks:
            lines.append(_small(worded(self.risks[zone.id]), BANDS[self.risks[zone.id][0]].line))
        return _LEFT.join([*lines, ""]) if len(lines) > 1 else lines[0]

    def _lanes(self) -> Iterator[str]:
        """Boxes of a column are of one rank, and columns follow each other."""
        lanes: dict[int, list[str]] = {}
        for box in self.shown.boxes.values():
            if self.shown.in_lanes:
                lanes.setdefault(box.lane, []).append(f'"{_name(box.id)}"')
        ordered = [lanes[lane] for lane in sorted(lanes)]
        for names in ordered:
            yield f"\t{{rank=same {' '.join(names)}}}"
        for left, right in pairwise(ordered):
            yield f"\t{left[0]} -> {right[0]} [style=invis weight=0]"

    # --- boxes

    def _box(self, box: Box) -> str:
        grey = all(member.out_of_scope for member in box.members)
        risk = None if grey else worst(self.risks, [member.id for member in box.members])
        attributes = dict(_SYMBOLS.get(box.symbol, {}))
        if grey:
            attributes.update(color=GREY.line, fillcolor=GREY.fill, fontcolor=MUTED)
        elif risk:
            attributes.update(color=BANDS[risk[0]].line, fillcolor=BANDS[risk[0]].fill)
        elif box.id == HOSTILE:
            attributes["color"] = RED
        if box.id == self.shown.focus:
            attributes["penwidth"] = "2.4"
        name = _name(box.id)
        label = "<br/>".join(self._label(box, risk, grey=grey))
        return f'"{name}" [id="box-{name}" label=<{label}>{_attributes(attributes)}]'

    def _label(self, box: Box, risk: tuple[str, int] | None, *, grey: bool) -> Iterator[str]:
        """The lines of a box: its name, what it is, its members, its risk, and what is folded into it."""
        width = self.style.note
        yield f"<b>{_wrapped(box.name, self.style.name) or dot_html(box.id)}</b>"
        if box.subtitle.strip():
            yield _small(box.subtitle, MUTED, width)
        if len(box.members) > 1:
            yield from self._members(box)
        if grey:
            yield _small("out of scope", MUTED)
        elif not all(member.described for member in box.members):
            yield _small("(assumed)", MUTED)
        if risk and (len(box.members) == 1 or len(box.members) > self._listed(box)):
            yield _small(worded(risk), BANDS[risk[0]].line, width)
        if box.folded:
            yield from self._folded(box.folded, risk)

    def _members(self, box: Box) -> Iterator[str]:
        """The members by name under the band of each, the most pressing first."""
        ordered = sorted(box.members, key=lambda member: self._weight(member.id), reverse=True)
        rated = {member.id: self.risks.get(member.id, ("", 0)) for member in ordered}
        for band, alike in groupby(
            ordered[: self._listed(box)], key=lambda one: rated[one.id][0] if rated[one.id][1] else ""
        ):
            if band:
                yield _small(f"{BANDS[band].mark} {band}", BANDS[band].line)
            elif any(count for _, count in rated.values()):
                yield _small("others", MUTED)
            for member in alike:
                name = _wrapped(member.name, self.style.name) or dot_html(member.id)
                yield f'<font point-size="{SMALL}"><b>{name}</b></font>'
        if len(ordered) > self._listed(box):
            yield _small(f"{len(ordered) - self._listed(box)} more", MUTED)

    def _listed(self, box: Box) -> int:
        """How many members a box names: all, or the first few."""
        return len(box.members) if len(box.members) <= self.listed else _FEW

    def _folded(self, folded: Sequence[Element], owner: tuple[str, int] | None) -> Iterator[str]:
        """The secrets and log groups of a box: how many, and the worst band where it is worse than the owner's."""
        words = []
        for one, many, kind in (("secret", "secrets", "secret"), ("log group", "log groups", "")):
            ids = [element.id for element in folded if element.kind == kind]
            risk = worst(self.risks, ids)
            if ids:
                words.append(f"{len(ids)} {one if len(ids) == 1 else many}")
            if risk and risk[1] and (owner is None or ORDER.index(risk[0]) > ORDER.index(owner[0])):
                yield _small(words.pop(), MUTED)
                yield _small(worded(risk), BANDS[risk[0]].line, self.style.note)
        if words:
            yield _small(" · ".join(words), MUTED, self.style.note)

    def _weight(self, name: str) -> tuple[bool, int, int]:
        band, count = self.risks.get(name, ("", 0))
        return bool(count), (ORDER.index(band) if band else -1), count

    # --- links

    def _link(self, link: Link) -> str:
        flows = [flow for _, flow in link.flows]
        risk = worst(self.risks, [flow.id for flow in flows])
        attributes = {"id": f"link-{link.flows[0][0]}"}
        color = ""
        if all(flow.out_of_scope for flow in flows):
            color = GREY.line
        elif link.source == HOSTILE:
            color, attributes["style"] = RED, "dashed"
        elif risk and risk[1]:
            color = BANDS[risk[0]].line
        if color:
            attributes.update(color=color, fontcolor=color)
        ends = [link.source, link.target]
        if self.shown.boxes[ends[0]].lane > self.shown.boxes[ends[1]].lane:
            ends.reverse()
            attributes["dir"] = "back"
        if link.back:
            attributes["dir"] = "both"
        source, target = map(_name, ends)
        return f'\t"{source}" -> "{target}" [label=<{self._words(link, risk)}>{_attributes(attributes)}]'

    def _words(self, link: Link, risk: tuple[str, int] | None) -> str:
        """The numbers of flows and what they are called; the protocol where it is not HTTPS."""
        called: dict[str, list[int]] = {}
        for number, flow in link.flows:
            called.setdefault(flow.label if self.style.arrow else "", []).append(number)
        width = self.style.arrow or 12
        texts = [f"{_counted(numbers)} {label}" for label, numbers in called.items()]
        words = dict.fromkeys(word for _, flow in link.flows for word in protocol_words(flow.facts))
        texts += [word for word in words if word != "HTTPS"]
        if not all(flow.size for _, flow in link.flows):
            texts.append("origins disagree")
        if risk and risk[1]:
            texts.append(f"{BANDS[risk[0]].mark} {risk[0]}")
        lines = [line for text in texts for line in _lines(text, width, 3)]
        rows = "<br/>".join(lines)
        if not self.shown.in_lanes or self.shown.boxes[link.source].lane != self.shown.boxes[link.target].lane:
            return rows
        beside = max(map(len, lines), default=0) * SMALL * 3 // 5 + 3 * SMALL
        cells = f'<td width="{beside}"></td><td align="left">{rows}</td>'  # beside a line from above to below
        return f'<table border="0" cellborder="0" cellpadding="1"><tr>{cells}</tr></table>'


# --- texts

_NODE = {
    "color": PLAIN.line,
    "fillcolor": PLAIN.fill,
    "fontname": "Helvetica",
    "fontsize": "10",
    "height": "0.2",
    "margin": "0.07,0.04",
    "penwidth": "1.1",
    "shape": "box",
    "style": "filled,rounded",
    "width": "0.4",
}
_EDGE = {
    "arrowsize": "0.6",
    "color": MUTED,
    "fontcolor": "#24292f",
    "fontname": "Helvetica",
    "fontsize": str(SMALL),
    "penwidth": "0.9",
}
_CLUSTER = {
    "color": RED,
    "fontcolor": RED,
    "fontsize": str(SMALL),
    "labelloc": "t",
    "margin": "5",
    "penwidth": "1",
    "peripheries": "1",
    "style": "dashed",
}
_SYMBOLS = {
    "store": {"shape": "cylinder", "style": "filled", "margin": "0.07,0.06"},
    "person": {"style": "filled", "fillcolor": OUTSIDE.fill},
    "external": {"style": "filled", "fillcolor": OUTSIDE.fill},
}
_MOST_NUMBERS = 3
_FEW = 4
"""The members that a box names where it cannot name all."""

_LONG_WORD = 16
"""Characters of a word that is not broken, even if a line has fewer."""

_DOT, _NO_BREAK = " · ", "\N{NO-BREAK SPACE}"


def _counted(numbers: Sequence[int]) -> str:
    """A few numbers, or the first and how many there are."""
    if len(numbers) <= _MOST_NUMBERS:
        return ", ".join(map(str, numbers))
    return f"{numbers[0]}… ({TIMES}{len(numbers)})"


def _small(text: str, color: str, width: int = 40) -> str:
    return f'<font point-size="{SMALL}" color="{color}">{_wrapped(text, width)}</font>'


def _wrapped(text: str, width: int, most: int = 2) -> str:
    """Text as lines of Graphviz's HTML."""
    return "<br/>".join(_lines(text, width, most))


def _lines(text: str, width: int, most: int = 2) -> list[str]:
    """Text in lines, escaped; no line ends with the dot that separates parts."""
    parts = one_line(text).strip().split(_DOT)
    kept = _DOT.join(part.replace(" ", _NO_BREAK) if len(parts) > 1 and len(part) <= width else part for part in parts)
    longest = max(map(len, kept.split()), default=0)
    lines = textwrap.wrap(kept, max(width, min(longest, _LONG_WORD)), max_lines=most, placeholder=" …")
    return [dot_html(line.removesuffix(" ·").removeprefix("· ").replace(_NO_BREAK, " ")) for line in lines]


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f' {key}="{value}"' for key, value in values.items())


def _name(element: str) -> str:
    """The name of a box: its id, with nothing in it that DOT could read as something else."""
    return urllib.parse.quote(element, safe="")
