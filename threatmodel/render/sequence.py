"""Sequence diagrams: who sends what, in order, numbered as in the data-flow diagram of the same view."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from threatmodel.graph.elements import Flow, Graph
from threatmodel.reading.marks import MARK
from threatmodel.render.picture import HOSTILE, TIMES, DrawnShape, Picture, carried, data_names, outermost, picture
from threatmodel.render.text import mermaid as mermaid_text
from threatmodel.render.text import plantuml as plantuml_text

_ORDER = {kind: place for place, kind in enumerate(("person", "external", "process", "api", "function", "queue"))}
_KINDS = {"person": "actor", "store": "database"}


class _Message(NamedTuple):
    """One line of a sequence: its source and target, what is sent, and whether it is a response.

    `crosses` names the outermost boundaries that it leaves and enters.
    """

    source: str
    target: str
    text: str
    answers: bool
    crosses: tuple[str, ...]


def plantuml(graph: Graph, view: str = "runtime", focus: str = "") -> str:
    """The flows of a view as a PlantUML sequence diagram."""
    shown = picture(graph, view, focus)
    text = plantuml_text
    lines = ["@startuml", f"' {MARK}", f"title {text(_title(shown))}", "autonumber", "hide footbox"]
    names = _aliases(shown)
    for zone, shapes in _columns(shown):
        lines.append(f'box "{text(zone)}" #FFFFFF')
        for shape in shapes:
            symbol = "queue" if shape.kind == "queue" else _KINDS.get(shape.symbol, "participant")
            lines.append(f'  {symbol} "{text(shape.name)}" as {names[shape.id]}')
        lines.append("end box")
    for message in _messages(shown):
        source, target = names[message.source], names[message.target]
        colour = "[#CF222E]" if message.source == HOSTILE else ""
        lines.append(f"{source} -{colour}{'->' if message.answers else '>'} {target} : {text(message.text)}")
        if message.crosses:
            lines.append(f"note right : {' → '.join(text(name) for name in message.crosses)}")
    return "\n".join([*lines, "@enduml", ""])


def mermaid(graph: Graph, view: str = "runtime", focus: str = "") -> str:
    """The flows of a view as a Mermaid sequence diagram."""
    shown = picture(graph, view, focus)
    text = mermaid_text
    lines = ["sequenceDiagram", f"  %% {MARK}", f"  title {text(_title(shown))}", "  autonumber"]
    names = _aliases(shown)
    for zone, shapes in _columns(shown):
        lines.append(f"  box transparent {text(zone)}")
        for shape in shapes:
            symbol = "actor" if shape.symbol == "person" else "participant"
            lines.append(f"    {symbol} {names[shape.id]} as {text(shape.name)}")
        lines.append("  end")
    for message in _messages(shown):
        source, target = names[message.source], names[message.target]
        lines.append(f"  {source}{'-->>' if message.answers else '->>'}{target}: {text(message.text)}")
        if message.crosses:
            lines.append(f"  Note over {source},{target}: {' → '.join(text(name) for name in message.crosses)}")
    return "\n".join([*lines, ""])


def _title(shown: Picture) -> str:
    return f"{shown.graph.system.name.strip() or 'Threat model'} · {shown.title}"


def _aliases(shown: Picture) -> dict[str, str]:
    """A word for each shape that no format reserves."""
    return {shape: f"p{index}" for index, shape in enumerate(shown.shapes, 1)}


def _columns(shown: Picture) -> Iterator[tuple[str, list[DrawnShape]]]:
    """Who takes part, by the name of the outermost boundary: from the outside to the functions to what they use."""
    busy = dict.fromkeys(end for arrow in shown.arrows for end in (arrow.source, arrow.target))
    shapes = [shown.shapes[shape] for shape in busy]
    shapes.sort(key=lambda shape: (shown.columns[shape.id], _ORDER.get(shape.kind, len(_ORDER))))
    for zone, members in groupby(shapes, key=lambda shape: outermost(shape.zone, shown.zones)):
        yield shown.zones[zone].name.strip() or zone, list(members)


def _messages(shown: Picture) -> Iterator[_Message]:
    """A message for each flow in order; in an overview, for each arrow."""
    names = data_names(shown.graph)
    for source, target, flows in _ordered(shown):
        roots = [outermost(shown.shapes[end].zone, shown.zones) for end in (source, target)]
        label = ", ".join(dict.fromkeys(flow.label for flow in flows))
        count = f" {TIMES}{len(flows)}" if len(flows) > 1 else ""
        data = carried(flows, names)
        yield _Message(
            source=source,
            target=target,
            text=label + count + (f" ({data})" if data not in {"", label} else ""),
            answers=all(flow.id.endswith(":answer") for flow in flows),
            crosses=tuple(shown.zones[root].name.strip() or root for root in roots) if roots[0] != roots[1] else (),
        )


def _ordered(shown: Picture) -> list[tuple[str, str, tuple[Flow, ...]]]:
    if shown.overview:
        return [(arrow.source, arrow.target, arrow.flows) for arrow in shown.arrows]
    found = {
        number: (arrow.source, arrow.target, (flow,))
        for arrow in shown.arrows
        for number, flow in zip(arrow.numbers, arrow.flows, strict=True)
    }
    return [found[number] for number in sorted(found)]
