"""Data-flow diagrams as DOT: left to right, boundaries dashed and nested, flows numbered, risk as color and text."""

from __future__ import annotations

import re
import textwrap
import urllib.parse
from collections.abc import Iterable, Mapping

from threatmodel.graph.elements import Element, Flow, Graph
from threatmodel.reading.marks import MARK
from threatmodel.render.palette import (
    BANDS,
    BOUNDARY,
    CALLER,
    GREY,
    LIGHT,
    MUTED,
    OUTSIDE,
    PLAIN,
    RISK,
    THICK,
    WORST,
    Paint,
    Risks,
)
from threatmodel.render.picture import (
    HOSTILE,
    TIMES,
    Arrow,
    DrawnShape,
    Picture,
    carried,
    data_names,
    needs_overview,
    picture,
    protocol_words,
)
from threatmodel.render.text import dot, dot_html, one_line

__all__ = ["dfd", "needs_overview"]


_SMALL = frozenset({"logs"})
_SYMBOLS = {
    "store": {"shape": "cylinder", "style": "filled", "margin": "0.14,0.1"},
    "person": {"style": "filled", "fillcolor": OUTSIDE.fill},
    "external": {"style": "filled", "fillcolor": OUTSIDE.fill},
}
_MOST_SPACERS = 12
_WIDE = 34
"""Characters of a line under a name or beside an arrow."""

_GRAPH = {
    "rankdir": "LR",
    "fontname": "Helvetica",
    "fontsize": "9",
    "labelloc": "b",
    "labeljust": "l",
    "nodesep": "0.3",
    "ranksep": "0.7",
    "pad": "0.3",
    "bgcolor": "#ffffff",
}
_NODE = {
    "fontname": "Helvetica",
    "fontsize": "11",
    "shape": "box",
    "style": "filled,rounded",
    "color": PLAIN.line,
    "fillcolor": PLAIN.fill,
    "penwidth": "1.2",
    "margin": "0.14,0.08",
}
_LEFT = '<br align="left"/>'
"""Ends a left-aligned line of a label."""
_CLUSTER = {
    "style": "dashed",
    "color": BOUNDARY.line,
    "fontcolor": BOUNDARY.line,
    "fontsize": "10",
    "peripheries": "1",
    "margin": "10",
}
_EDGE = {"fontname": "Helvetica", "fontsize": "9", "color": MUTED, "fontcolor": "#24292f", "arrowsize": "0.7"}


def dfd(
    graph: Graph,
    view: str = "runtime",
    focus: str = "",
    risks: Risks | None = None,
    *,
    overview: bool | None = None,
) -> str:
    """Return the data-flow diagram of a view, or of one element and its neighbors, as DOT: deterministic for a graph.

    `view` is runtime, deployment, identity or all; `focus` the id of an element; `risks` colors what it names;
    `overview` draws many functions as one (None: where there are more than a picture can show).
    """
    shown = picture(graph, view, focus, overview=overview)
    painter = Painter(shown, risks)
    frame = {"label": _title(shown, risks), "peripheries": "0", "labelloc": "t"}
    lines = [
        _statement("graph", {**_GRAPH, "label": _legend(shown, risks)}),
        _statement("node", _NODE),
        _statement("edge", _EDGE),
        *_block("subgraph cluster", [_statement("graph", frame), *painter.boundaries()]),
        *(painter.arrow(arrow) for arrow in shown.arrows),
        *(f"{painter.names[source]} -> {painter.names[target]} [style=invis]" for source, target in _spacers(shown)),
    ]
    return "\n".join([f"// {MARK}", *_block("digraph dfd", lines), ""])


# --- title and legend


def _title(shown: Picture, risks: Risks | None) -> str:
    subtitle = shown.title + (" · risk after claimed controls" if risks is not None else "")
    name = _wrapped(shown.graph.system.name, 80) or "Threat model"
    return (
        '<<table border="0" cellborder="0" cellspacing="0" cellpadding="1">'
        f'<tr><td align="left"><font point-size="18"><b>{name}</b></font></td></tr>'
        f'<tr><td align="left"><font point-size="12" color="{MUTED}">{dot_html(subtitle)}</font></td></tr>'
        "</table>>"
    )


def _legend(shown: Picture, risks: Risks | None) -> str:
    """What the signs of this picture mean."""
    members = [member for shape in shown.shapes.values() for member in shape.members]
    worst = RISK.top(risks or {}, shown.elements).words
    bands = BANDS.items() if risks is not None else ()
    cells = (
        _cell("process", PLAIN, style="rounded"),
        _cell("person or system", OUTSIDE),
        _cell("cylinder: data store", None),
        _cell("trust boundary", BOUNDARY, style="dashed"),
        _cell(f"({TIMES}9): so many flows in one" if shown.overview else "1 flow: number, label, data, protocol", None),
        *(
            [_cell("dark box, dashed line: anyone on the internet", None)]
            if any(arrow.source == HOSTILE for arrow in shown.arrows)
            else []
        ),
        *([_cell("out of scope", GREY)] if any(member.out_of_scope for member in members) else []),
        *([_cell("(assumed): not described", None)] if _assumes(shown) else []),
        *([_cell(f"{worst}, thick outline: {WORST}", None)] if worst else []),
        *(_cell(f"{paint.mark} {band}", paint, colour=paint.line) for band, paint in bands),
    )
    return f'<<table border="0" cellborder="0" cellspacing="6" cellpadding="3"><tr>{"".join(cells)}</tr></table>>'


def _cell(text: str, paint: Paint | None, *, style: str = "", colour: str = "") -> str:
    frame = f' border="1" color="{paint.line}" bgcolor="{paint.fill}"' if paint else ""
    shape = f' style="{style}"' if style else ""
    return f'<td{frame}{shape}><font color="{colour or (paint.line if paint else MUTED)}">{dot_html(text)}</font></td>'


def _assumes(shown: Picture) -> bool:
    named = [*shown.zones, *(member.id for shape in shown.shapes.values() for member in shape.members)]
    elements = shown.graph.elements
    return any(name in elements and not elements[name].described for name in named)


def _spacers(shown: Picture) -> list[tuple[str, str]]:
    """Pairs without an arrow, kept apart so that what is outside is left of the whole account."""
    ahead = [arrow for arrow in shown.arrows if shown.columns[arrow.source] < shown.columns[arrow.target]]
    sources = dict.fromkeys(arrow.source for arrow in ahead)
    targets = dict.fromkeys(arrow.target for arrow in ahead)
    if len(sources) * len(targets) > _MOST_SPACERS:
        return []
    joined = {(arrow.source, arrow.target) for arrow in ahead}
    return [(source, target) for source in sources for target in targets if (source, target) not in joined]


# --- shapes, boundaries and arrows


class Painter:
    """Writes the shapes and arrows of one picture; repeated texts are made once."""

    def __init__(self, shown: Picture, risks: Risks | None) -> None:
        self.shown = shown
        self.risks = risks or {}
        self.worst = RISK.top(self.risks, shown.elements)
        self.data = data_names(shown.graph)
        self.names = {shape: f'"{_name(shape)}"' for shape in shown.shapes}
        self._details: dict[tuple[tuple[str, ...], int, int], tuple[str, ...]] = {}

    def boundaries(self) -> list[str]:
        """Every boundary inside the one around it, with the shapes in it, as lines."""
        inside: dict[str, list[str]] = {zone: [self._frame(zone)] for zone in self.shown.zones}
        outermost: list[str] = []
        for shape in self.shown.shapes.values():
            inside[shape.zone].append(self._shape(shape))
        for zone in sorted(inside, key=self._depth, reverse=True):
            around = self.shown.zones[zone].inside
            name = _quoted(f"cluster_{_name(zone)}")
            (inside[around] if around else outermost).extend(_block(f"subgraph {name}", inside[zone]))
        return outermost

    def _depth(self, zone: str) -> int:
        depth = 0
        while zone:
            depth, zone = depth + 1, self.shown.zones[zone].inside
        return depth

    def _frame(self, zone: str) -> str:
        """What a boundary looks like."""
        element = self.shown.graph.elements.get(zone)
        label = f"<b>{_wrapped(self.shown.zones[zone].name, 40) or zone}</b>"
        if element is not None and not element.described:
            label += " (assumed)"
        if zone in self.risks:
            paint = BANDS[self.risks[zone][0]]
            label += f'{_LEFT}<font color="{paint.line}">{RISK.worded(self.risks[zone])}</font>{_LEFT}'
        attributes = {**_CLUSTER, "label": f"<{label}>"}
        if zone == self.worst.id:
            label += f"<b>{self.worst.words}</b>{_LEFT}"
            attributes.update(label=f"<{label}>", penwidth=THICK)
        return _statement("graph", attributes)

    def _shape(self, shape: DrawnShape) -> str:
        grey = all(member.out_of_scope for member in shape.members)
        risk = None if grey else RISK.worst(self.risks, [member.id for member in shape.members])
        attributes = dict(_SYMBOLS.get(shape.symbol, {}))
        if grey:
            attributes.update(color=GREY.line, fillcolor=GREY.fill, fontcolor=MUTED)
        elif risk:
            attributes.update(color=BANDS[risk[0]].line, fillcolor=BANDS[risk[0]].fill)
        elif shape.id == HOSTILE:
            attributes.update(color=CALLER.line, fillcolor=CALLER.fill, fontcolor=LIGHT)
        if shape.kind in _SMALL:
            attributes.update(fontsize="9", margin="0.08,0.05")
        if len(shape.members) > 1 and shape.symbol != "store":
            attributes["peripheries"] = "2"
        if shape.id == self.shown.focus:
            attributes["penwidth"] = "2.4"
        worst = next((member for member in shape.members if member.id == self.worst.id), None)
        if worst is not None:
            attributes["penwidth"] = THICK
        label = _label(shape, risk, worst, grey=grey)
        return f"{self.names[shape.id]} [label={label}{_attributes(attributes)}]"

    def arrow(self, arrow: Arrow) -> str:
        """One line between two shapes for all flows of a direction."""
        risk = RISK.worst(self.risks, [flow.id for flow in arrow.flows])
        attributes: dict[str, str] = {}
        lines = [*self._heading(arrow), *self._detail(arrow.flows)]
        if all(flow.out_of_scope for flow in arrow.flows):
            attributes.update(color=GREY.line, fontcolor=GREY.line)
        elif arrow.source == HOSTILE:
            attributes["color"] = CALLER.line
        elif risk and risk[1]:
            attributes.update(color=BANDS[risk[0]].line, fontcolor=BANDS[risk[0]].line)
        if self.shown.shapes[arrow.target].kind in _SMALL:
            lines = lines[:1]
            attributes.update(fontsize="8", penwidth="0.7", arrowsize="0.5")
        if risk and risk[1]:
            lines.append(RISK.worded(risk))
        if arrow.source == HOSTILE:
            attributes["style"] = "dashed"
        ends = (self.names[arrow.source], self.names[arrow.target])
        if arrow.back:
            ends = ends[::-1]
            attributes["dir"] = "back"
        label = r"\n".join(lines)
        return f'{ends[0]} -> {ends[1]} [label="{label}"{_attributes(attributes)}]'

    def _heading(self, arrow: Arrow) -> list[str]:
        """The numbers, and what the flows are called."""
        labels = list(dict.fromkeys(flow.label for flow in arrow.flows))
        count = f" ({TIMES}{len(arrow.flows)})" if self.shown.overview and len(arrow.flows) > 1 else ""
        heading = f"{', '.join(map(str, arrow.numbers))} {', '.join(labels)}{count}"
        if len(heading) <= _WIDE:
            return [dot(heading)]
        return [dot(line) for line in textwrap.wrap(one_line(heading), _WIDE)]

    def _detail(self, flows: tuple[Flow, ...]) -> tuple[str, ...]:
        """The data that flow, cut after two, and by which protocol."""
        if len(flows) > 1:
            return self._described(flows)
        key = (flows[0].carries, id(flows[0].facts), flows[0].size)
        if key not in self._details:
            self._details[key] = self._described(flows)
        return self._details[key]

    def _described(self, flows: tuple[Flow, ...]) -> tuple[str, ...]:
        data = carried(flows, self.data)
        every = {id(flow.facts): flow.facts for flow in flows}.values()  # which flows share
        protocol = ", ".join(dict.fromkeys(word for facts in every for word in protocol_words(facts)))
        joined = " · ".join(part for part in (data, protocol) if part)
        lines = [joined] if len(joined) <= _WIDE else [*textwrap.wrap(data, _WIDE), protocol]
        if not all(flow.size for flow in flows):
            lines.append("origins disagree")
        return tuple(dot(line) for line in lines)


# --- texts


def _label(shape: DrawnShape, risk: tuple[str, int] | None, worst: Element | None, *, grey: bool) -> str:
    """Name, what it is, and its risk, as Graphviz's HTML."""
    size = "8" if shape.kind in _SMALL else "9"
    notes = [(shape.subtitle, LIGHT if shape.id == HOSTILE else MUTED)]
    if grey:
        notes.append(("out of scope", MUTED))
    elif not all(member.described for member in shape.members):
        notes.append(("(assumed)", MUTED))
    if risk:
        notes.append((RISK.worded(risk), BANDS[risk[0]].line))
    lines = [f"<b>{_wrapped(shape.name, 26) or dot_html(shape.id)}</b>"]
    if worst is not None:
        name = f": {_wrapped(worst.name.strip() or worst.id, 26)}" if len(shape.members) > 1 else ""
        lines.insert(0, f"<b>{RISK.worst_word.upper()}{name}</b>")
    for note, colour in notes:
        if text := _wrapped(note, _WIDE):
            lines.append(f'<font point-size="{size}" color="{colour}">{text}</font>')
    return f"<{'<br/>'.join(lines)}>"


def _wrapped(text: str, width: int, most: int = 3) -> str:
    """Text as lines of Graphviz's HTML."""
    if len(text) <= width:
        return dot_html(text).strip()
    return "<br/>".join(
        dot_html(line) for line in textwrap.wrap(one_line(text), width, max_lines=most, placeholder=" …")
    )


# --- DOT

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|-?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)")
"""What DOT reads without quotes, but for its keywords."""


def _block(head: str, lines: Iterable[str]) -> list[str]:
    """A graph of these lines."""
    return [f"{head} {{", *(f"\t{line}" for line in lines), "}"]


def _statement(of: str, values: Mapping[str, str]) -> str:
    return f"{of} [{' '.join(f'{key}={_quoted(value)}' for key, value in sorted(values.items()))}]"


def _quoted(text: str) -> str:
    """An attribute as DOT reads it: a constant, or HTML, in which texts of a model are escaped already."""
    return text if text[:1] == "<" or _WORD.fullmatch(text) else f'"{text}"'


def _attributes(values: Mapping[str, str]) -> str:
    return "".join([f' {key}="{value}"' for key, value in values.items()])


def _name(element: str) -> str:
    """The name of an element's node: its id, with nothing in it that DOT could read as something else."""
    return urllib.parse.quote(element, safe="")
