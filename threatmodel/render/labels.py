"""The texts of boxes and arrows of a diagram, as Graphviz's HTML, in lines that are as long as a layout allows."""

from __future__ import annotations

import textwrap
import urllib.parse
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from threatmodel.graph.elements import Flow
from threatmodel.reading.grouping import grouped
from threatmodel.render.condensed import MOST_LISTED, Box, Condensed, Link
from threatmodel.render.palette import INK, LIGHT, MUTED, Mark, Marks, Paint, Scale
from threatmodel.render.picture import HOSTILE, TIMES, protocol_words
from threatmodel.render.text import dot_html, one_line

SMALL = 9
"""The size in points of all but names and titles, before the picture is made to fit."""

MOST_NUMBERS = 3
_NARROW = 12
"""Characters of a line beside an arrow from above to below."""

_MOST_CALLED = 4
"""The lines in which a box outside says how it is called."""

_FEW = 4
"""The members that a box names where it cannot name all."""

ENTRY = "ENTRY POINT"
"""What a box says that something outside the account sends to."""

_LONG_WORD = 16
"""Characters of a word that is not broken, even if a line has fewer."""

_DOT = " · "


class Style(NamedTuple):
    """How much is written: characters of a line of an arrow (0: its numbers alone), of a name and of a note.

    `gap` are inches between columns, and between a column and the texts of arrows.  An arrow of more than a few flows
    has `counts`: the first number, and how many there are.
    """

    arrow: int
    name: int
    note: int
    gap: str
    counts: bool = True


class Labels:
    """Writes the texts of one layout of a picture."""

    def __init__(self, shown: Condensed, marks: Marks, scale: Scale, style: Style) -> None:
        self.shown = shown
        self.marks = marks
        self.scale = scale
        self.style = style
        links = shown.links if scale.numbered else ()
        self.calls = grouped((box, link) for link in links if (box := shown.called_outside(link)))
        self.entries = shown.entries if scale.numbered else frozenset()
        groups = sum(box.kind == "function" for box in shown.boxes.values())
        self.most = max(_FEW - 1, MOST_LISTED // max(1, groups))

    def box(self, box: Box, mark: tuple[str, int] | None, *, grey: bool) -> Iterator[str]:
        """Yield the lines of a box: its name, what it is, its members, its mark, and what is folded into it."""
        width = self.style.note
        muted = LIGHT if box.id == HOSTILE else MUTED
        if box.id in self.entries:
            yield f'<font point-size="{SMALL}" color="{INK}"><b>{ENTRY}</b></font>'
        yield f"<b>{wrapped(box.name, self.style.name) or dot_html(box.id)}</b>"
        if box.subtitle.strip():
            yield small(box.subtitle, muted, width)
        if len(box.members) > 1 and any(member.kind for member in box.members):  # the parts of functions have no names
            yield from self._members(box)
        if box.unknown:
            yield small(box.unknown, INK, width, 4)
        if grey:
            yield small("out of scope", MUTED)
        elif not all(member.described for member in box.members):
            yield small("(assumed)", MUTED)
        if mark and (len(box.members) == 1 or len(box.members) > self._listed(box)):
            above = len(box.members) > 1 and any(self._word(member.id) == mark[0] for member in box.members)
            text = self.scale.worded(mark)
            yield small(text.partition(_DOT)[2] if above else text, self.scale.paints[mark[0]].line, width)
        yield from self._inside(box, mark)
        yield from self._called(box)

    def _members(self, box: Box) -> Iterator[str]:
        """The members by name under the word of each, the most pressing first."""
        ordered = sorted(box.members, key=lambda member: self._weight(member.id), reverse=True)
        listed = ordered[: self._listed(box)]
        marked = any(self._word(member.id) for member in ordered)
        for word, alike in groupby(listed, key=lambda member: self._word(member.id)):
            if marked:
                yield self.mark((word, 0)) if word else small("others", MUTED)
            for member in alike:
                name = wrapped(member.name, self.style.name) or dot_html(member.id)
                yield f'<font point-size="{SMALL}"><b>{name}</b></font>'
        if len(ordered) > len(listed):
            yield small(f"{len(ordered) - len(listed)} more", MUTED)

    def _listed(self, box: Box) -> int:
        """How many members a box names: all, or the first few."""
        return len(box.members) if len(box.members) <= self.most else _FEW

    def _inside(self, box: Box, owner: tuple[str, int] | None) -> Iterator[str]:
        """How many secrets and log groups are folded into a box; the worst mark where it is worse than the owner's."""
        counts = []
        for words, ids in inside(box):
            worst = self.scale.worst(self.marks, ids)
            if worst and worst[1] and self.scale.rank(worst[0]) > self.scale.rank(owner[0] if owner else ""):
                yield small(words, MUTED)
                yield self.mark((worst[0], 0))
            elif words:
                counts.append(words)
        if counts:
            yield small(_DOT.join(counts), MUTED, self.style.note)

    def mark(self, mark: Mark, width: int = 40) -> str:
        """Return a mark in its color."""
        return small(self.scale.worded(mark), self.scale.paints[mark[0]].line, width)

    def _word(self, name: str) -> str:
        """The word of an element that needs attention, or ''."""
        word, count = self.marks.get(name, ("", 0))[:2]
        return word if count else ""

    def _weight(self, name: str) -> tuple[int, int]:
        return self.scale.rank(self._word(name)), self.marks.get(name, ("", 0))[1]

    def _called(self, box: Box) -> Iterator[str]:
        """How functions call a box outside: what the numbers on their arrows stand for, and the worst mark of these."""
        flows = sorted((one for link in self.calls.get(box.id, ()) for one in link.flows), key=lambda one: one[0])
        mark = self.scale.worst(self.marks, [flow.id for _, flow in flows])
        texts = [*self._numbered(flows), *([self.scale.worded((mark[0], 0))] if mark and mark[1] else [])]
        if flows:
            yield small(_DOT.join(texts), INK, self.style.note, _MOST_CALLED)

    # --- arrows

    def arrow(self, link: Link, mark: tuple[str, int] | None) -> str:
        """Return the text of an arrow; beside the line, where it leads from above to below."""
        bare = self.without_number(link)
        if link in self.calls.get(self.shown.called_outside(link), ()):
            return "" if bare else _counted([number for number, _ in link.flows])
        texts = self._numbered(link.flows, bare=bare) if self.scale.numbered else self._signed(link)
        if mark and mark[1] and self.scale.numbered:
            texts.append(self.scale.worded((mark[0], 0)))
        down = self.shown.in_lanes and self.shown.boxes[link.source].lane == self.shown.boxes[link.target].lane
        width = min(self.style.arrow, _NARROW) if down else self.style.arrow
        rows = [line for text in texts for line in lines(text, width or _NARROW, 3)]
        if not down:
            return "<br/>".join(rows)
        beside = max(map(len, rows), default=0) * SMALL * 3 // 5 + 3 * SMALL
        cells = f'<td width="{beside}"></td><td align="left">{"<br/>".join(rows)}</td>'
        return f'<table border="0" cellborder="0" cellpadding="1"><tr>{cells}</tr></table>'

    def without_number(self, link: Link) -> bool:
        """Return whether an arrow stands for so many flows that their numbers are left out."""
        return not self.style.counts and len(link.flows) > MOST_NUMBERS

    def _numbered(self, flows: Sequence[tuple[int, Flow]], *, bare: bool = False) -> list[str]:
        """The numbers of flows, what they are called, protocols that are not HTTPS, and whether origins disagree."""
        called = grouped((flow.label if self.style.arrow else "", number) for number, flow in flows)
        shared = {id(flow.facts): flow.facts for _, flow in flows}
        protocols = dict.fromkeys(word for facts in shared.values() for word in protocol_words(facts))
        texts = [] if bare else [f"{_counted(numbers)} {label}" for label, numbers in called.items()]
        texts += [word for word in protocols if word != "HTTPS"]
        return texts if all(flow.size for _, flow in flows) else [*texts, "origins disagree"]

    def _signed(self, link: Link) -> list[str]:
        """What flows are called, with the sign of each that is marked."""
        found: dict[str, None] = {}
        for _, flow in link.flows:
            word = self._word(flow.id)
            label = flow.label if self.style.arrow else ""
            found[f"{self.scale.paints[word].mark if word else ''} {label}".strip()] = None
        return list(found) if all(flow.size for _, flow in link.flows) else [*found, "origins disagree"]


def inside(box: Box) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield what is inside a box in words, with the ids of its elements and flows."""
    rest = [flow for _, flow in box.inner]
    for one, many, kind in (("secret", "secrets", "secret"), ("log group", "log groups", "")):
        ids = {element.id for element in box.folded if element.kind == kind}
        flows = [flow.id for flow in rest if flow.source in ids or flow.target in ids]
        rest = [flow for flow in rest if flow.source not in ids and flow.target not in ids]
        if ids:
            yield f"{len(ids)} {one if len(ids) == 1 else many}", [*sorted(ids), *flows]
    if rest:
        yield f"{len(rest)} {'flow' if len(rest) == 1 else 'flows'} inside", [flow.id for flow in rest]


# --- texts


def _counted(numbers: Sequence[int]) -> str:
    """A few numbers, or the first and how many there are."""
    if len(numbers) <= MOST_NUMBERS:
        return ", ".join(map(str, numbers))
    return f"{numbers[0]}… ({TIMES}{len(numbers)})"


def small(text: str, color: str, width: int = 40, most: int = 2) -> str:
    """Return text in small type."""
    return f'<font point-size="{SMALL}" color="{color}">{wrapped(text, width, most)}</font>'


def badged(label: str, word: str, paint: Paint, align: str = "center") -> str:
    """Return a label below a word that is light on the color of its risk: the worst element has one, and no other."""
    head = f'<font point-size="{SMALL}" color="{LIGHT}"><b>{dot_html(word)}</b></font>'
    return (
        '<table border="0" cellborder="0" cellspacing="0" cellpadding="2">'
        f'<tr><td bgcolor="{paint.line}">{head}</td></tr>'
        f'<tr><td align="{align}" balign="{align}">{label}</td></tr></table>'
    )


def wrapped(text: str, width: int, most: int = 2) -> str:
    """Return text as lines of Graphviz's HTML."""
    return "<br/>".join(lines(text, width, most))


def lines(text: str, width: int, most: int = 2) -> list[str]:
    """Return text in lines, escaped; parts between dots stay together where they fit, and no dot ends a line."""
    parts = one_line(text).strip().split(_DOT)
    width = max(width, min(max(map(len, text.split()), default=0), _LONG_WORD))
    found: list[str] = []
    for part in parts:
        if found and len(found[-1] + _DOT + part) <= width:
            found[-1] += _DOT + part
        else:
            found += textwrap.wrap(part, width)
    if len(found) > most:
        rest = " ".join(found[most - 1 :])
        found[most - 1 :] = [f"{textwrap.shorten(rest, width - 2, placeholder='') or rest[: width - 2]} …"]
    return [dot_html(line) for line in found]


def node(element: str) -> str:
    """Return the name of a box: its id, with nothing in it that DOT could read as something else."""
    return urllib.parse.quote(element, safe="", errors="surrogatepass")
