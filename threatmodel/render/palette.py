"""Colors and marks of diagrams: a band of risk is a color and a word, never a color alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Risks = Mapping[str, tuple[str, int]]
"""By the id of an element or flow: the worst band (low, medium, high, critical or undetermined), and how many threats
need attention."""


class Paint(NamedTuple):
    """How something is painted: its outline, its filling and the mark beside its band."""

    line: str
    fill: str
    mark: str = ""


PLAIN = Paint("#57606a", "#f6f8fa")
OUTSIDE = Paint("#57606a", "#ffffff")
GREY = Paint("#8c959f", "#eaeef2")
BANDS = {
    "low": Paint("#1a7f37", "#dafbe1", "●"),
    "undetermined": Paint("#0969da", "#ddf4ff", "?"),
    "medium": Paint("#9a6700", "#fff8c5", "▲"),
    "high": Paint("#cf222e", "#ffebe9", "■"),
    "critical": Paint("#82071e", "#ffcecb", "♦"),
}
"""From least to most pressing."""

ORDER = tuple(BANDS)
RED, MUTED = "#cf222e", "#57606a"


def worst(risks: Risks, ids: Sequence[str]) -> tuple[str, int] | None:
    """Return the most pressing band among these, and all their threats; None where none is rated."""
    found = [risks[name] for name in ids if name in risks]
    if not found:
        return None
    return max((band for band, _ in found), key=ORDER.index), sum(count for _, count in found)


def worded(risk: tuple[str, int]) -> str:
    """Return a risk as text: '▲ medium · 3 threats'."""
    band, count = risk
    threats = f" · {count} threat{'' if count == 1 else 's'}" if count else ""
    return f"{BANDS[band].mark} {band}{threats}"
