"""Data-flow diagrams as Mermaid flowcharts, for Markdown pages: each part is below the limits of what shows them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from threatmodel.model.reference_architecture import Zone
from threatmodel.reading.grouping import grouped
from threatmodel.reading.marks import MARK
from threatmodel.render.condensed import Box, Condensed, Link
from threatmodel.render.labels import ENTRY, inside
from threatmodel.render.palette import BOUNDARY, CALLER, LIGHT, RISK, THICK, Marks
from threatmodel.render.picture import HOSTILE, cut, protocol_words
from threatmodel.render.text import markdown, mermaid

MOST_TEXT, MOST_ARROWS = 45_000, 450
"""Characters and arrows of a part.  Mermaid rejects more than 50,000 and 500, and GitHub does not change that."""

_WIDE = 60
_FEW = 6
"""The members that a box names."""

_SHAPES = {"store": ("[(", ")]"), "person": ("[", "]"), "external": ("[", "]")}
_STYLES = (
    f"classDef boundary fill:none,stroke:{BOUNDARY.line},stroke-dasharray:5 5,color:{BOUNDARY.line}",
    f"classDef caller fill:{CALLER.fill},stroke:{CALLER.line},color:{LIGHT}",
    f"classDef worst stroke-width:{THICK}px",
    *(f"classDef {word} fill:{paint.fill},stroke:{paint.line},color:#24292f" for word, paint in RISK.paints.items()),
)


def flowcharts(shown: Condensed, marks: Marks | None = None) -> list[str]:
    """Return a diagram as one flowchart, or as several where it is too large for one; `marks` colors by risk."""
    writer = _Writer(shown, marks or {})
    return [writer.text(part) for part in writer.parts()]


def as_markdown(shown: Condensed, charts: Sequence[str]) -> str:
    """Return flowcharts as a section of a Markdown page."""
    title = f"{shown.graph.system.name.strip() or 'Threat model'} · {shown.title}"
    lines = [f"## {markdown(title)}", ""]
    for number, chart in enumerate(charts, 1):
        heading = [f"Part {number} of {len(charts)}", ""] if len(charts) > 1 else []
        lines += [*heading, f"```mermaid\n{chart}```", ""]
    return "\n".join([*lines, f"{MARK} as a flowchart\n"])


class _Part(NamedTuple):
    """The boxes and arrows of a flowchart."""

    boxes: dict[str, None]
    links: list[Link]


class _Writer:
    """Writes one diagram.  Boxes and boundaries have ids that no format reserves: n1, z1."""

    def __init__(self, shown: Condensed, marks: Marks) -> None:
        self.shown = shown
        self.marks = marks
        self.names = {box: f"n{index}" for index, box in enumerate(shown.boxes, 1)}
        self.zones = {zone: f"z{index}" for index, zone in enumerate(shown.zones, 1)}
        self.boxes = {box.id: self._box(box) for box in shown.boxes.values()}

    def parts(self) -> Iterator[_Part]:
        """Yield the parts: arrows in order with their ends, then the boxes without an arrow."""
        frame = sum(map(len, _STYLES)) + sum(len(mermaid(zone.name)) + 80 for zone in self.shown.zones.values())
        part, size = _Part({}, []), frame
        for link, ends in self._items():
            new = [end for end in ends if end not in part.boxes]
            more = sum(len(self.boxes[end]) + 30 for end in new) + (len(self._arrow(link)) + 20 if link else 0)
            if part.boxes and (size + more > MOST_TEXT or len(part.links) >= MOST_ARROWS):
                yield part
                part, size = _Part({}, []), frame
            size += more
            part.boxes.update(dict.fromkeys(ends))
            part.links.extend([link] if link else [])
        yield part

    def _items(self) -> Iterator[tuple[Link | None, tuple[str, ...]]]:
        linked: set[str] = set()
        for link in self.shown.links:
            linked.update((link.source, link.target))
            yield link, (link.source, link.target)
        yield from ((None, (name,)) for name in self.shown.boxes if name not in linked)

    def text(self, part: _Part) -> str:
        """Return the text of a part."""
        boundaries = [
            line for beyond in (False, True) for line in self._boundaries("", part.boxes, "  ", beyond=beyond)
        ]
        used = [line.split("[")[0].split()[1] for line in boundaries if line.lstrip().startswith("subgraph ")]
        drawn = {one: self.names[one] for one in part.boxes}
        drawn.update((zone, name) for zone, name in self.zones.items() if name in used)
        classes = {"boundary": used}
        classes.update(
            (word, [drawn[one] for one in part.boxes if self._word(self.shown.boxes[one]) == word])
            for word in RISK.paints
        )
        classes.update(caller=[drawn[HOSTILE]] if HOSTILE in drawn else [])
        classes.update(worst=[drawn[self.shown.worst.id]] if self.shown.worst.id in drawn else [])
        hostile = ",".join(str(index) for index, link in enumerate(part.links) if link.source == HOSTILE)
        lines = (
            *("flowchart LR", f"  %% {MARK}", *boundaries),
            *(f"  {self._arrow(link)}" for link in part.links),
            *(f"  {style}" for style in _STYLES),
            *(f"  class {','.join(names)} {word}" for word, names in classes.items() if names),
            *([f"  linkStyle {hostile} stroke:{CALLER.line}"] if hostile else []),
        )
        return "\n".join([*lines, ""])

    def _boundaries(self, around: str, boxes: Collection[str], tab: str, *, beyond: bool) -> Iterator[str]:
        """Boundaries with their boxes; what is called outside, on the right, has a separate frame."""
        side = [self.shown.boxes[name] for name in boxes if self.shown.boxes[name].beyond == beyond]
        for zone in self.shown.zones.values():
            if zone.inside != around:
                continue
            body = [f"{tab}  {self.boxes[box.id]}" for box in side if box.zone == zone.id]
            body += self._boundaries(zone.id, boxes, f"{tab}  ", beyond=beyond)
            if body:
                yield f"{tab}subgraph {self.zones[zone.id]}{'b' if beyond else ''}[{_quoted(self._boundary(zone))}]"
                yield from body
                yield f"{tab}end"

    # --- boxes and arrows

    def _boundary(self, zone: Zone) -> list[str]:
        worst = [self.shown.worst.words] if zone.id == self.shown.worst.id else []
        return [
            *worst,
            zone.name.strip() or zone.id,
            *([RISK.worded(self.marks[zone.id])] if zone.id in self.marks else []),
        ]

    def _box(self, box: Box) -> str:
        mark = self._mark(box)
        ordered = sorted(box.members, key=lambda one: RISK.rank(self.marks.get(one.id, ("",))[0]), reverse=True)
        lines = (
            self.shown.worst.words if box.id == self.shown.worst.id else "",
            ENTRY if box.id in self.shown.entries else "",
            box.name.strip() or box.id,
            box.subtitle.strip(),
            *(member.name.strip() or member.id for member in ordered[: _FEW * (len(ordered) > 1)]),
            f"{len(ordered) - _FEW} more" if len(ordered) > _FEW else "",
            box.unknown,
            "out of scope" if _is_out(box) else "",
            RISK.worded(mark) if mark else "",
            *(self._inside(words, names, mark) for words, names in inside(box)),
        )
        begin, end = _SHAPES.get(box.symbol, ("(", ")"))
        return f"{self.names[box.id]}{begin}{_quoted(line for line in lines if line)}{end}"

    def _inside(self, words: str, names: Sequence[str], owner: tuple[str, int] | None) -> str:
        """What is inside a box, with its worst risk where that is worse than the owner's."""
        worst = RISK.worst(self.marks, names)
        worse = worst and worst[1] and RISK.rank(worst[0]) > RISK.rank(owner[0] if owner else "")
        return f"{words} {RISK.worded((worst[0], 0))}" if worst and worse else words

    def _mark(self, box: Box) -> tuple[str, int] | None:
        """The worst risk of the members of a box that are in scope."""
        return None if _is_out(box) else RISK.worst(self.marks, [member.id for member in box.members])

    def _word(self, box: Box) -> str:
        """The band that colors a box."""
        mark = self._mark(box)
        return mark[0] if mark else ""

    def _arrow(self, link: Link) -> str:
        called = grouped((flow.label, str(number)) for number, flow in link.flows)
        words = dict.fromkeys(word for _, flow in link.flows for word in protocol_words(flow.facts) if word != "HTTPS")
        lines = [f"{', '.join(numbers)} {label}" for label, numbers in called.items()]
        if mark := RISK.worst(self.marks, [flow.id for _, flow in link.flows]):
            lines += [RISK.worded(mark)] if mark[1] else []
        line = "<-->" if link.back else "-.->" if link.source == HOSTILE else "-->"
        return f"{self.names[link.source]} {line}|{_quoted([*lines, *words])}| {self.names[link.target]}"


def _is_out(box: Box) -> bool:
    return all(member.out_of_scope for member in box.members)


def _quoted(lines: Iterable[str]) -> str:
    """Lines of a label between quotes; what markup could begin with is spelled as a character."""
    return '"' + "<br/>".join(mermaid(cut(line, _WIDE)) for line in lines) + '"'
