"""What word takes out, in lines of text: counts by kind, then who says it and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from threatmodel.assessment.word import TakenOut, WordKind
from threatmodel.reading.problems import visible

WORDS: dict[WordKind, tuple[str, str]] = {
    "rated-lower": ("rating", "ratings"),
    "tolerated": ("tolerance", "tolerances"),
    "out-of-scope": ("element out of scope", "elements out of scope"),
    "ruled-out": ("claim that rules threats out", "claims that rule threats out"),
    "excluded": ("excluded threat", "excluded threats"),
    "switched-off": ("switched off", "switched off"),
    "replaced": ("replaced in a library", "replaced in a library"),
    "long-term": ("term beyond a year", "terms beyond a year"),
}
"""Each kind, one and many."""
MOST_CLAIMS = 5
"""Claims that rule threats out which a list shows; the rest is counted."""


def counted_by_kind(taken: Sequence[TakenOut]) -> str:
    """How many of each kind: '2 ratings, 1 element out of scope'; '' where there are none."""
    counts = Counter(one.kind for one in taken)
    return ", ".join(f"{counts[kind]} {words[counts[kind] > 1]}" for kind, words in WORDS.items() if counts[kind])


def lines(taken: Sequence[TakenOut], most: int = MOST_CLAIMS) -> Iterator[str]:
    """One line each; of the claims that rule threats out the weightiest only."""
    claims = sorted((one for one in taken if one.kind == "ruled-out"), key=lambda one: -one.times)
    for one in (*(one for one in taken if one.kind != "ruled-out"), *claims[:most]):
        yield line(one)
    if len(claims) > most:
        yield f"{len(claims) - most} more claims rule threats out: --json has all"


def line(one: TakenOut) -> str:
    """One of them: where, what, how much, who and why."""
    where = f"{one.place}: " if one.place is not None else ""
    number = f" ({one.times} findings)" if one.kind in {"tolerated", "rated-lower"} and one.times > 1 else ""
    number = f" ({one.times} threats)" if one.kind in {"out-of-scope", "ruled-out"} else number
    reason = f": {one.reason}" if one.reason and one.kind != "ruled-out" else ""
    return visible(f"{where}{one.kind}: {one.what}{number}, says {one.by}{reason}")
