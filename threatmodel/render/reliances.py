"""What an assessment relies on beside evidence, in lines of text: counts by kind, then who states it and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from threatmodel.assessment.assessed import Reliance, RelianceKind
from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import Place, listed, visible

WORDS: dict[RelianceKind, tuple[str, str]] = {
    "missing-since-baseline": ("item missing since the baseline", "items missing since the baseline"),
    "weakened": ("library entry weakened", "library entries weakened"),
    "switched-off": ("library entry switched off", "library entries switched off"),
    "excluded": ("excluded threat", "excluded threats"),
    "out-of-scope": ("element out of scope", "elements out of scope"),
    "rated-lower": ("lowered rating", "lowered ratings"),
    "tolerated": ("raised accepted level", "raised accepted levels"),
    "long-term": ("longer term than usual", "longer terms than usual"),
    "intended-public": ("element meant to be public", "elements meant to be public"),
    "accepted": ("accepted risk", "accepted risks"),
    "exempted": ("exemption", "exemptions"),
    "attested": ("attestation", "attestations"),
    "not-stated": ("fact not stated", "facts not stated"),
    "replaced": ("library entry replaced", "library entries replaced"),
    "lowered-by-claim": ("claim that lowers a risk", "claims that lower risks"),
    "ruled-out-by-claim": ("claim that rules threats out", "claims that rule threats out"),
}
"""Each kind, one and many: decisions of named owners before what is stated throughout a model."""
MOST_CLAIMS = 5
"""Lines of a kind that a list shows, of those that a model has many of; the rest is counted."""
_MANY: frozenset[RelianceKind] = frozenset({"not-stated", "lowered-by-claim", "ruled-out-by-claim"})
"""Kinds that a model has many of: what its facts state, or do not."""
_THREATS: frozenset[RelianceKind] = frozenset({"out-of-scope", "ruled-out-by-claim", "not-stated"})
_times = attrgetter("times")
_ONE: frozenset[RelianceKind] = frozenset(
    {"accepted", "exempted", "long-term", "switched-off", "missing-since-baseline"}
)
"""Kinds of which each touches one thing, which it names."""


def counted_by_kind(taken: Sequence[Reliance]) -> str:
    """Return how many of each kind: '2 ratings, 1 element out of scope'; '' where there are none."""
    counts = Counter(one.kind for one in taken)
    return ", ".join(f"{counts[kind]} {words[counts[kind] > 1]}" for kind, words in WORDS.items() if counts[kind])


def text_by_kind(taken: Sequence[Reliance]) -> str:
    """Return how many of each kind, who states it and where: '2 ratings (shop-team; shop.yaml:9 and 1 more place)'."""
    return ", ".join(_of_kind(kind, alike) for kind, alike in _by_weight(taken))


def _of_kind(kind: RelianceKind, alike: Sequence[Reliance]) -> str:
    authors = listed(dict.fromkeys(by for one in alike if (by := _author(one))), 2, "author")
    where = "; ".join(part for part in (authors, _places(alike)) if part)
    return f"{len(alike)} {WORDS[kind][len(alike) > 1]}{f' ({where})' if where else ''}"


def _places(alike: Iterable[Reliance]) -> str:
    """The first place, and how many others there are; a model has too many to put all of them in words."""
    found: dict[tuple[str, str | int], Place] = {}
    for one in alike:
        place = one.place
        if place is not None and (place.line or place.part or place.file != one.by):
            found.setdefault((place.file, place.part or place.line), place)
    first, more = next(iter(found.values()), None), len(found) - 1
    return "" if first is None else first.short + (f" and {more:,} more place{'s' if more > 1 else ''}" if more else "")


def _by_weight(taken: Iterable[Reliance]) -> Iterator[tuple[RelianceKind, list[Reliance]]]:
    """Reliances by kind, decisions of owners first, and within a kind what affects most."""
    found: dict[RelianceKind, list[Reliance]] = {kind: [] for kind in WORDS}
    for one in taken:
        found[one.kind].append(one)
    for kind, alike in found.items():
        if alike:
            yield kind, sorted(alike, key=_times, reverse=True)


def lines(taken: Sequence[Reliance], most: int = MOST_CLAIMS) -> Iterator[str]:
    """Yield one line each, kind by kind; of kinds that a model has many of, those that affect most."""
    for kind, alike in _by_weight(_once(taken)):
        shown = alike[:most] if kind in _MANY else alike
        yield from map(line, shown)
        if more := len(alike) - len(shown):
            yield f"and {more} more {WORDS[kind][more > 1]}; --json lists all"


def _once(taken: Sequence[Reliance]) -> Iterator[Reliance]:
    """What is stated of several elements is one, at the first of its locations."""
    alike = grouped(((one.kind, one.said, one.by) if one.of else (at,), one) for at, one in enumerate(taken))
    for first, *others in alike.values():
        of = dict.fromkeys(name for one in (first, *others) for name in one.of)
        times = sum(one.times for one in (first, *others))
        yield first._replace(of=(*of,), times=times) if others else first


def line(one: Reliance) -> str:
    """Return one of them: where, what, how much, who and why."""
    where = f"{one.place}: " if one.place is not None else ""
    noun = "threat" if one.kind in _THREATS else "element" if one.kind == "excluded" else "finding"
    number = "" if one.kind in _ONE else f" ({one.times} {noun}{'s' if one.times != 1 else ''}{_low(one)})"
    by = f", stated by {author}" if (author := _author(one)) else ""
    reason = f": {one.reason}" if one.reason and one.kind not in _MANY else ""
    return visible(f"{where}{WORDS[one.kind][0]}: {one.what}{number}{by}{reason}")


def _author(one: Reliance) -> str:
    """Who states it; '' where that is only the file, which the location names."""
    return "" if one.place is not None and one.by == one.place.file else one.by


def _low(one: Reliance) -> str:
    return ", low if the claims hold" if one.kind == "not-stated" else ""
