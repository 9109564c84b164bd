"""One layout of a diagram as DOT: boundaries as nested frames, boxes in columns, arrows between them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from threatmodel.model.reference_architecture import Zone
from threatmodel.reading.grouping import grouped
from threatmodel.reading.marks import MARK
from threatmodel.render.condensed import Box, Condensed, Link
from threatmodel.render.labels import (
    ENTRY,
    MOST_NUMBERS,
    SMALL,
    Labels,
    Style,
    badged,
    lines,
    node,
    small,
    wrapped,
)
from threatmodel.render.palette import (
    BOUNDARY,
    CALLER,
    GREY,
    INK,
    LIGHT,
    MUTED,
    OUTSIDE,
    PLAIN,
    THICK,
    WORST,
    Marks,
    Paint,
    Scale,
)
from threatmodel.render.picture import HOSTILE, TIMES, cut, name_of
from threatmodel.render.text import dot_html

STYLES = (
    Style(18, 26, 30, "0.22"),
    Style(14, 18, 20, "0.18"),
    Style(12, 16, 16, "0.14"),
    Style(0, 18, 20, "0.30"),
    Style(0, 14, 14, "0.20"),
    Style(0, 14, 14, "0.20", counts=False),
)
"""From the richest to the narrowest."""

_MOST_KEYS = 60
"""The flows that a picture names in a list below, where arrows have numbers only."""

MANY = 80
"""Above so many boxes, which are only drawn on request, lines are straight and the order is not refined."""

_QUICK = {"mclimit": "0.1", "nslimit": "0.5", "nslimit1": "0.5", "splines": "line"}
"""What keeps Graphviz from working for minutes on a large graph."""

TITLE, BACK = "title", "Back to the overview"
"""The id of the title in an SVG, and its words where it leads back."""

_CLASS = "worst"
"""The class that the worst element has in an SVG."""

UNKNOWN = "unknown: not stated, so arrows may be missing"
"""What a box means of whose elements not all arrows are known."""

_WIDE = 100
"""The characters of a line above which there is room for two columns of flows."""

_LINK = "#0969da"
_LEFT = '<br align="left"/>'
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
    "fontcolor": INK,
    "fontname": "Helvetica",
    "fontsize": str(SMALL),
    "penwidth": "0.9",
}
_CLUSTER = {
    "color": BOUNDARY.line,
    "fontcolor": BOUNDARY.line,
    "fontsize": str(SMALL),
    "labelloc": "t",
    "margin": "5",
    "penwidth": "1",
    "peripheries": "1",
    "style": "dashed",
}
_SYMBOLS = {
    "store": {"shape": "cylinder", "style": "filled", "margin": "0.07,0.06", "labelloc": "b"},  # below the rim
    "person": {"style": "filled", "fillcolor": OUTSIDE.fill},
    "external": {"style": "filled", "fillcolor": OUTSIDE.fill},
}


class Sheet(NamedTuple):
    """What a layout is drawn on: its width and height in points, the characters of a line as wide, and its direction.

    `across` is how many boxes of a column are beside each other, where columns are from above to below (0: all).
    Above the picture are the system's `name` ('' for none), and whether it `leads_back`.
    """

    width: float
    height: float
    letters: int
    direction: str
    across: int
    name: str
    leads_back: bool


class Layout:
    """Writes one layout of a picture."""

    def __init__(self, shown: Condensed, marks: Marks | None, scale: Scale, style: Style, sheet: Sheet) -> None:
        self.shown = shown
        self.sheet = sheet
        self.rated = marks is not None
        self.marks = marks or {}
        self.scale = scale
        self.style = style
        self.labels = Labels(shown, self.marks, scale, style)

    def text(self) -> str:
        """Return the layout as DOT, reduced to the size of its sheet where it is larger."""
        graph = {
            "bgcolor": "#ffffff",
            "fontname": "Helvetica",
            "fontsize": str(SMALL),
            "labeljust": "l",
            "labelloc": "b",
            "newrank": "true",
            "nodesep": "0.06" if self.sheet.across else "0.14",  # lines that pass boxes are so far apart
            "pad": "0.03",
            "rankdir": self.sheet.direction,
            "ranksep": self.style.gap,
            "size": f"{self.sheet.width / 72:.3f},{self.sheet.height / 72:.3f}",
            **(_QUICK if len(self.shown.boxes) > MANY else {}),
        }
        rows = [
            f"// {MARK}",
            "digraph dfd {",
            f"\tgraph [label=<{self._legend()}>{_attributes(graph)}]",
            f"\tnode [{_attributes(_NODE)}]",
            f"\tedge [{_attributes(_EDGE)}]",
            "\tsubgraph cluster {",
            f'\t\tgraph [id="{TITLE}" label=<{self._title()}> labelloc="t" margin="0" peripheries="0"]',
            *self._boundaries(),
            "\t}",
            *self._lanes(),
            *(self._link(link) for link in self.shown.links),
        ]
        return "\n".join([*rows, "}\n"])

    # --- title, legend and key

    def _title(self) -> str:
        subtitle = self.shown.title + (f" · {self.scale.note}" if self.rated and self.scale.note else "")
        if not self.sheet.name:
            return small(subtitle, MUTED, self._letters(90)).replace("<br/>", _LEFT)
        back = f'<tr><td align="left">{small(BACK, _LINK)}</td></tr>' if self.sheet.leads_back else ""
        name = wrapped(self.sheet.name, self._letters(50))
        return (
            '<table border="0" cellborder="0" cellspacing="0" cellpadding="1">'
            f'<tr><td align="left" balign="left"><font point-size="14"><b>{name}</b></font></td></tr>'
            f'<tr><td align="left" balign="left">{small(subtitle, MUTED, self._letters(90))}</td></tr>{back}</table>'
        )

    def _letters(self, most: int) -> int:
        """The characters of a line that is no wider than the sheet."""
        return min(most, self.sheet.letters)

    def _legend(self) -> str:
        """What the signs mean; where arrows have numbers only, what each number stands for."""
        worst, numbered = self.shown.worst, self.scale.numbered
        members = [one for box in self.shown.boxes.values() for one in box.members]
        rated = bool(self.scale.unit) and any(mark[1] for mark in self.marks.values())
        asked = rated and any(mark[0] == "undetermined" for mark in self.marks.values())
        words = (
            *("rounded: process", "square: person or system", "cylinder: data", "dashed frame: trust boundary"),
            *self.scale.legend,
            f"{worst.words}, thick outline: {WORST}" if worst.id else "",
            f"{ENTRY}: takes requests from outside" if self.labels.entries else "",
            "critical to low: the band of the worst threat" if rated else "",
            "undetermined: depends on an open question" if asked else "",
            UNKNOWN if any(box.unknown for box in self.shown.boxes.values()) else "",
            *(self._of_arrows() if numbered else ()),
            "(assumed): not described" if not all(one.described for one in members) else "",
        )
        legend = "".join(
            f'<font color="{MUTED}">{dot_html(line)}</font>{_LEFT}'
            for line in textwrap.wrap("\N{NO-BREAK SPACE}· ".join(filter(None, words)), self._letters(120))
        )
        return legend if self.style.arrow or not self.style.counts or not numbered else self._key(legend)

    def _of_arrows(self) -> tuple[str, ...]:
        """What arrows and their numbers mean ('' for what the picture does not have)."""
        links = self.shown.links
        many = any(max(len(link.there), len(link.back)) > MOST_NUMBERS for link in links)
        bare = any(map(self.labels.without_number, links))
        return (
            "number: order of the flow",
            f"arrow without a number: more than {MOST_NUMBERS} flows" if bare else "",
            f"4… ({TIMES}5): flow 4 and four more" if many else "",
            "two arrowheads: flows both ways" if any(link.back for link in links) else "",
            "dark box, dashed arrow: anyone on the internet" if any(link.source == HOSTILE for link in links) else "",
        )

    def _key(self, legend: str) -> str:
        """The flows in columns above the legend; the legend alone where there are too many for a page."""
        flows = sorted((one for link in self.shown.links for one in link.flows), key=lambda one: one[0])
        if not flows or len(flows) > _MOST_KEYS:
            return legend
        cells = []
        for number, flow in flows:
            source, target = (name_of(self.shown.graph, end) for end in (flow.source, flow.target))
            text = cut(f"{source} to {target}: {flow.label}", self._letters(70) - 8)
            cells.append(f'<td align="right">{number}</td><td align="left">{dot_html(text)}</td>')
        if self.sheet.letters > _WIDE:
            half = (len(cells) + 1) // 2
            cells = [a + b for a, b in zip(cells, [*cells[half:], "<td></td><td></td>"], strict=False)][:half]
        body = (
            "".join(f"<tr>{row}</tr>" for row in cells)
            + f'<tr><td colspan="4" balign="left" align="left">{legend}</td></tr>'
        )
        return f'<table border="0" cellborder="0" cellspacing="0" cellpadding="2">{body}</table>'

    # --- boundaries and columns

    def _boundaries(self) -> Iterator[str]:
        inside = grouped(((box.zone, box.beyond), box) for box in self.shown.boxes.values())
        zones = grouped((zone.inside, zone) for zone in self.shown.zones.values())
        for beyond in (False, True):
            yield from self._zones(zones, "", inside, "\t\t", beyond=beyond)

    def _zones(
        self,
        zones: Mapping[str, Sequence[Zone]],
        outer: str,
        inside: Mapping[tuple[str, bool], Sequence[Box]],
        tab: str,
        *,
        beyond: bool,
    ) -> Iterator[str]:
        for zone in zones.get(outer, ()):
            body = [f"{tab}\t{self._box(box)}" for box in inside.get((zone.id, beyond), ())]
            body += self._zones(zones, zone.id, inside, f"{tab}\t", beyond=beyond)
            if body:
                name = f"{node(zone.id)}{'+beyond' if beyond else ''}"
                around = 'graph [class="" id="" label="" margin="3" peripheries="0"]'
                yield f'{tab}subgraph "cluster_around+{name}" {{ {around}'
                attributes = _attributes({**_CLUSTER, "id": f"zone-{name}", **self._worst_zone(zone)})
                yield f'{tab}subgraph "cluster_{name}" {{ graph [label=<{self._zone(zone)}>{attributes}]'
                yield from body
                yield f"{tab}}} }}"

    def _zone(self, zone: Zone) -> str:
        element = self.shown.graph.elements.get(zone.id)
        rows = [f"<b>{line}</b>" for line in lines(zone.name, self.style.note) or [dot_html(zone.id)]]
        if element is not None and not element.described:
            rows.append("(assumed)")
        if zone.id in self.marks:
            rows.append(self.labels.mark(self.marks[zone.id]))
            if zone.id == self.shown.worst.id:
                return self._badged("<br/>".join(rows), self.marks[zone.id][0], "left")
        return _LEFT.join([*rows, ""]) if len(rows) > 1 else rows[0]

    def _worst_zone(self, zone: Zone) -> Mapping[str, str]:
        """What makes a boundary the worst element; others inside it do not inherit it."""
        return {"class": _CLASS, "penwidth": THICK} if zone.id == self.shown.worst.id else {"class": ""}

    def _lanes(self) -> Iterator[str]:
        """Boxes of a column are of one rank, or of several with a few boxes each, and columns follow each other."""
        lanes = grouped((box.lane, f'"{node(box.id)}"') for box in self.shown.boxes.values() if self.shown.in_lanes)
        few = self.sheet.across or len(self.shown.boxes)
        ordered = [lanes[lane][at : at + few] for lane in sorted(lanes) for at in range(0, len(lanes[lane]), few)]
        for names in ordered:
            yield f"\t{{rank=same {' '.join(names)}}}"
        for left, right in pairwise(ordered):
            yield f"\t{left[0]} -> {right[0]} [style=invis weight=0]"

    # --- boxes and arrows

    def _box(self, box: Box) -> str:
        grey = all(member.out_of_scope for member in box.members)
        mark = None if grey else self.scale.worst(self.marks, [member.id for member in box.members])
        attributes = {"style": _NODE["style"], **_SYMBOLS.get(box.symbol, {})}
        if grey:
            attributes.update(color=GREY.line, fillcolor=GREY.fill, fontcolor=MUTED)
        elif mark:
            paint = self.scale.paints[mark[0]]
            attributes.update(color=paint.line, fillcolor=paint.fill, style=_styled(attributes["style"], paint))
        elif box.id == HOSTILE:
            attributes.update(color=CALLER.line, fillcolor=CALLER.fill, fontcolor=LIGHT)
        if box.id == self.shown.focus:
            attributes["penwidth"] = "2.4"
        label = "<br/>".join(self.labels.box(box, mark, grey=grey))
        if mark and box.id == self.shown.worst.id:
            attributes.update({"class": _CLASS, "penwidth": THICK})
            label = self._badged(label, mark[0])
        return f'"{node(box.id)}" [id="box-{node(box.id)}" label=<{label}>{_attributes(attributes)}]'

    def _badged(self, label: str, word: str, align: str = "center") -> str:
        return badged(label, self.shown.worst.words, self.scale.paints[word], align)

    def _link(self, link: Link) -> str:
        flows = [flow for _, flow in link.flows]
        mark = self.scale.worst(self.marks, [flow.id for flow in flows])
        attributes = {"id": f"link-{link.flows[0][0]}"}
        color = ""
        if all(flow.out_of_scope for flow in flows):
            color = GREY.line
        elif link.source == HOSTILE and self.scale.numbered:
            color, attributes["style"], attributes["penwidth"] = CALLER.line, "dashed", "1.4"
        elif mark and mark[1]:
            paint = self.scale.paints[mark[0]]
            color, attributes["style"] = paint.line, _styled("solid", paint)
        if color:
            attributes.update(color=color, fontcolor=color)
        ends = [link.source, link.target]
        if self.shown.boxes[ends[0]].lane > self.shown.boxes[ends[1]].lane:
            ends.reverse()
            attributes["dir"] = "back"
        if link.back:
            attributes["dir"] = "both"
        source, target = map(node, ends)
        return f'\t"{source}" -> "{target}" [label=<{self.labels.arrow(link, mark)}>{_attributes(attributes)}]'


def _styled(style: str, paint: Paint) -> str:
    return f"{style},{paint.style}" if paint.style else style


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f' {key}="{value}"' for key, value in values.items())
