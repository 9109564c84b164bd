"""What word takes out, in lines of text: counts by kind, then who says it and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from threatmodel.assessment.word import TakenOut, WordKind
from threatmodel.reading.problems import listed, visible

WORDS: dict[WordKind, tuple[str, str]] = {
    "went-missing": ("missing since the baseline", "missing since the baseline"),
    "weakened": ("weakened in a library", "weakened in a library"),
    "switched-off": ("switched off", "switched off"),
    "excluded": ("excluded threat", "excluded threats"),
    "out-of-scope": ("element out of scope", "elements out of scope"),
    "rated-lower": ("rating", "ratings"),
    "tolerated": ("tolerance", "tolerances"),
    "long-term": ("longer term than usual", "longer terms than usual"),
    "meant-public": ("element meant for everybody", "elements meant for everybody"),
    "accepted": ("accepted risk", "accepted risks"),
    "exempted": ("exemption", "exemptions"),
    "attested": ("attestation", "attestations"),
    "not-said": ("thing not said that may expose", "things not said that may expose"),
    "replaced": ("replaced in a library", "replaced in a library"),
    "kept-low": ("claim that keeps a risk low", "claims that keep risks low"),
    "ruled-out": ("claim that rules threats out", "claims that rule threats out"),
}
"""Each kind, one and many: what somebody decided before what is stated all over a model."""
MOST_CLAIMS = 5
"""Lines of a kind that a list shows, of those that a model has many of; the rest is counted."""
_MANY: dict[WordKind, str] = {
    "not-said": "more that nobody says",
    "kept-low": "more claims keep risks low",
    "ruled-out": "more claims rule threats out",
}
_THREATS: frozenset[WordKind] = frozenset({"out-of-scope", "ruled-out", "not-said"})
_ONE: frozenset[WordKind] = frozenset({"accepted", "exempted", "long-term", "switched-off", "went-missing"})
"""Kinds of which each touches one thing, which it names."""


def counted_by_kind(taken: Sequence[TakenOut]) -> str:
    """How many of each kind: '2 ratings, 1 element out of scope'; '' where there are none."""
    counts = Counter(one.kind for one in taken)
    return ", ".join(f"{counts[kind]} {words[counts[kind] > 1]}" for kind, words in WORDS.items() if counts[kind])


def told_by_kind(taken: Sequence[TakenOut]) -> str:
    """How many of each kind, who says so and where: '2 ratings (shop-team; models/shop.yaml:9 and 1 more)'."""
    found = groupby(by_weight(taken), lambda one: one.kind)
    return ", ".join(_of_kind(kind, list(alike)) for kind, alike in found)


def _of_kind(kind: WordKind, alike: Sequence[TakenOut]) -> str:
    authors = _few(list(dict.fromkeys(one.by for one in alike if one.by)))
    places = _few(list(dict.fromkeys(one.place.short for one in alike if one.place and one.place.short != one.by)), 1)
    where = "; ".join(part for part in (authors, places) if part)
    return f"{len(alike)} {WORDS[kind][len(alike) > 1]}{f' ({where})' if where else ''}"


def _few(names: Sequence[str], most: int = 2) -> str:
    return listed(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most:,} more"


def by_weight(taken: Iterable[TakenOut]) -> list[TakenOut]:
    """What word takes out: what somebody decided first, and of a kind what touches most."""
    order = {kind: at for at, kind in enumerate(WORDS)}
    return sorted(taken, key=lambda one: (order[one.kind], -one.times))


def lines(taken: Sequence[TakenOut], most: int = MOST_CLAIMS) -> Iterator[str]:
    """One line each, kind by kind; of what a model has many of the weightiest only."""
    for kind, found in groupby(by_weight(_once(taken)), lambda one: one.kind):
        alike = list(found)
        shown = alike[:most] if kind in _MANY else alike
        yield from map(line, shown)
        if len(alike) > len(shown):
            yield f"{len(alike) - len(shown)} {_MANY[kind]}: --json has all"


def _once(taken: Sequence[TakenOut]) -> Iterator[TakenOut]:
    """What is said of several elements is one, at the first of its places."""
    alike: dict[tuple[object, ...], list[TakenOut]] = {}
    for at, one in enumerate(taken):
        alike.setdefault((one.kind, one.said, one.by) if one.of else (at,), []).append(one)
    for first, *others in alike.values():
        of = dict.fromkeys(name for one in (first, *others) for name in one.of)
        times = sum(one.times for one in (first, *others))
        yield first._replace(of=(*of,), times=times) if others else first


def line(one: TakenOut) -> str:
    """One of them: where, what, how much, who and why."""
    where = f"{one.place}: " if one.place is not None else ""
    noun = "threat" if one.kind in _THREATS else "element" if one.kind == "excluded" else "finding"
    number = "" if one.kind in _ONE else f" ({one.times} {noun}{'s' if one.times != 1 else ''}{_low(one)})"
    by = f", says {one.by}" if one.by else ""
    reason = f": {one.reason}" if one.reason and one.kind not in {"ruled-out", "kept-low", "not-said"} else ""
    return visible(f"{where}{one.kind}: {one.what}{number}{by}{reason}")


def _low(one: TakenOut) -> str:
    return ", which claims would keep low" if one.kind == "not-said" else ""
