"""Colors and marks of diagrams: what is colored is also a mark and a word, never a color alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeAlias

Mark: TypeAlias = "tuple[str, int] | tuple[str, int, int]"
"""A word of a scale (such as a band of risk), and how many lines of it there are.

If there is a third part, elements that are equally bad have the same."""

Marks = Mapping[str, Mark]
"""Marks by the ids of elements and flows."""

Risks = Marks
"""By the id of an element or flow, the worst first: its worst band (low, medium, high, critical or undetermined), and
how many threats need attention."""


class Paint(NamedTuple):
    """How something is painted: its outline, its filling, the mark beside its word, and the style of its lines."""

    line: str
    fill: str
    mark: str = ""
    style: str = ""


PLAIN = Paint("#57606a", "#f6f8fa")
OUTSIDE = Paint("#57606a", "#ffffff")
GREY = Paint("#8c959f", "#eaeef2")
BOUNDARY = Paint("#5a32a3", "#ffffff")
CALLER = Paint("#24292f", "#24292f")
"""Anyone on the internet: the one box with light text."""
BANDS = {
    "low": Paint("#1a7f37", "#dafbe1", "●"),
    "undetermined": Paint("#0969da", "#ddf4ff", "?"),
    "medium": Paint("#9a6700", "#fff8c5", "▲"),
    "high": Paint("#cf222e", "#ffebe9", "■"),
    "critical": Paint("#82071e", "#ffcecb", "♦"),
}
"""From least to most pressing."""

MUTED, INK, LIGHT = "#57606a", "#24292f", "#ffffff"


WORST, THICK = "the most severe threats, confirmed ones first", "3.5"
"""What the worst element is, for legends, and how wide its outline is."""


class Worst(NamedTuple):
    """The worst element, and the words that mark it: '' where there is none."""

    id: str = ""
    words: str = ""


class Scale(NamedTuple):
    """Words that elements and flows are marked with, from least to most pressing.

    `unit` is what is counted beside a word, if anything. `worst_word` marks the worst element, which is the first of
    the marks ('' for none). `note` says what the words are of, and `legend` what the styles mean. Flows that are
    `numbered` have their numbers, and the protocols that are not HTTPS.
    """

    paints: Mapping[str, Paint]
    unit: str
    worst_word: str = ""
    note: str = ""
    legend: tuple[str, ...] = ()
    numbered: bool = True

    def worded(self, mark: Mark) -> str:
        """Return a mark as text: '▲ medium · 3 threats'."""
        word, count = mark[:2]
        counted = f" · {count} {self.unit}{'' if count == 1 else 's'}" if count and self.unit else ""
        return f"{self.paints[word].mark} {word}{counted}"

    def rank(self, word: str) -> int:
        """Return the place of a word, from the least pressing; -1 for none."""
        return list(self.paints).index(word) if word in self.paints else -1

    def worst(self, marks: Marks, ids: Iterable[str]) -> tuple[str, int] | None:
        """Return the most pressing word among these, and all that is counted; None where none is marked."""
        found = [marks[name] for name in ids if name in marks]
        if not found:
            return None
        return max({mark[0] for mark in found}, key=self.rank), sum(mark[1] for mark in found)

    def top(self, marks: Marks, shown: Collection[str]) -> Worst:
        """Return the worst of the elements that are shown: the first of the marks that needs attention.

        Its words say if others that are shown have the same place.
        """
        pressing = [name for name, mark in marks.items() if mark[1] and name in shown] if self.worst_word else []
        if not pressing:
            return Worst()
        place = marks[pressing[0]][2:]
        equal = sum(marks[name][2:] == place for name in pressing) if place else 1
        return Worst(pressing[0], f"one of {equal} {self.worst_word}".upper() if equal > 1 else self.worst_word.upper())


RISK = Scale(BANDS, "threat", "worst", "risk after claimed controls")
CHANGE = Scale(
    {
        "changed": Paint("#9a6700", "#fff8c5", "~"),
        "added": Paint("#1a7f37", "#dafbe1", "+", "bold"),
        "removed": Paint("#b3261e", "#ffebe9", "-", "dotted"),
    },
    "",
    legend=("+ added: bold", "- removed: dotted", "~ changed"),
    numbered=False,
)
