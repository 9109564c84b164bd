"""What a reader sees who points at a part of a diagram, and which elements and flows the part stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice

from threatmodel.graph.elements import Element, Flow
from threatmodel.model.reference_architecture import Zone
from threatmodel.render.condensed import Box, Condensed
from threatmodel.render.labels import node
from threatmodel.render.palette import Marks, Scale
from threatmodel.render.picture import Drawable, name_of, protocol_words, ways
from threatmodel.render.text import one_line

MOST_LINES = 20
"""The lines of a hint, before it says how many more there are."""


class Hints:
    """Writes the hints of a graph; the lines of an element or flow once for all pictures of it."""

    def __init__(self, graph: Drawable, marks: Marks, scale: Scale, notes: Mapping[str, Sequence[str]]) -> None:
        self.graph = graph
        self.marks = marks
        self.scale = scale
        self.notes = notes
        self.names = {item.id: item.name for item in graph.data.values()}
        self.written: dict[str, str] = {}

    def of(self, shown: Condensed) -> dict[str, str]:
        """Return what a reader sees who points at a box, an arrow or a frame, by the `id` that it has in the picture.

        There is a line for each of the first elements or flows, with how it is marked, and its notes below it.
        """
        found: dict[str, str] = {}
        for box in shown.boxes.values():
            elements = (self._lines(one.id, name_of(self.graph, one.id), one.subtitle) for one in _elements(box))
            flows = (self._sent(number, flow) for number, flow in box.inner)
            count = len(box.members) + len(box.folded) + len(box.inner)
            found[f"box-{node(box.id)}"] = _first(chain(elements, flows), count)
        for link in shown.links:
            flows = (self._sent(number, flow) for number, flow in link.flows)
            found[f"link-{link.flows[0][0]}"] = _first(flows, len(link.flows))
        for key, zone, ids in _frames(shown):
            own = (self._lines(one, zone.name if one == zone.id else name_of(self.graph, one)) for one in ids)
            found[key] = _first(own, len(ids))
        return found

    def _sent(self, number: int, flow: Flow) -> str:
        if flow.id not in self.written:
            ends = " → ".join(name_of(self.graph, end) for end in (flow.source, flow.target))
            data = ", ".join(self.names.get(item, item) for item in flow.carries)
            sent = f"{number} {ends}: {flow.label}" if self.scale.numbered else f"{ends}: {flow.label}"
            protocols = ", ".join(protocol_words(flow.facts)) if self.scale.numbered else ""
            self.written[flow.id] = self._lines(flow.id, sent, data, protocols)
        return self.written[flow.id]

    def _lines(self, name: str, *texts: str) -> str:
        mark = self.marks.get(name)
        worded = (*texts, self.scale.worded(mark) if mark else "")
        lines = [" · ".join(text for text in worded if text), *self.notes.get(name, ())]
        return "\n".join(map(one_line, lines))


def _first(lines: Iterator[str], count: int) -> str:
    """The first of so many lines, and how many more there are."""
    more = [f"and {count - MOST_LINES:,} more"] if count > MOST_LINES else []
    return "\n".join([*islice(lines, MOST_LINES), *more])


def _elements(box: Box) -> Iterator[Element]:
    return chain(box.members, box.folded)


def parts(shown: Condensed) -> dict[str, tuple[str, ...]]:
    """Return the elements and flows that each box, arrow and frame stands for, by its `id` in the picture."""
    found: dict[str, tuple[str, ...]] = {}
    for box in shown.boxes.values():
        inner = (flow.id for _, flow in box.inner)
        found[f"box-{node(box.id)}"] = (*(one.id for one in _elements(box)), *inner)
    for link in shown.links:
        found[f"link-{link.flows[0][0]}"] = tuple(flow.id for _, flow in link.flows)
    found.update({key: ids for key, _, ids in _frames(shown)})
    return found


def _frames(shown: Condensed) -> Iterator[tuple[str, Zone, tuple[str, ...]]]:
    """Yield each frame's `id`, its boundary, and what it stands for: the boundary, or else all in it."""
    for zone in shown.zones.values():
        for beyond in (False, True):
            boxes = [
                box for box in shown.boxes.values() if box.beyond == beyond and zone.id in ways(box.zone, shown.zones)
            ]
            inside = tuple(one.id for box in boxes for one in _elements(box))
            if inside:
                own = (zone.id,) if zone.id in shown.graph.elements else inside
                yield f"zone-{node(zone.id)}{'+beyond' if beyond else ''}", zone, own
