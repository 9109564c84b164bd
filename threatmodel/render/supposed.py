"""What would change if controls were in place, or gone, in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.assessment.actions import difference
from threatmodel.assessment.assess import Reconsidered
from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.risk import BANDS
from threatmodel.assessment.safety import safety
from threatmodel.assessment.states import Assumed

_MOST = 8
"""Findings of a kind that are named; the others are counted."""


def supposed_lines(now: Assessment, then: Assessment, assumed: Assumed) -> Iterator[str]:
    """What is supposed, the findings that close, go down, come or go up, and the answer, as it is and then."""
    for word, wanted in (("in place", True), ("gone", False)):
        names = [f"{control}@{element}" for (control, element), here in assumed.items() if here is wanted]
        if names:
            yield f"as if {word}: {', '.join(names)}"
    old, new = _by_id(now), _by_id(then)
    pairs = [(old[name], new[name]) for name in old if name in new]
    change = difference(Reconsidered(before, after, (before,)) for before, after in pairs)
    closed = [*change.closed, *(name for name in old if name not in new)]
    worse = [b.id for b, a in pairs if BANDS.index(a.claimed.band) > BANDS.index(b.claimed.band)]
    opened = [name for name in new if name not in old]
    for word, found in (("closes", closed), ("lowers", change.lowered), ("raises", worse), ("opens", opened)):
        if found:
            yield f"{word:<8} {_named(found)}"
    for word, moves in (("claimed", change.claimed), ("proven", change.proven)):
        if moves:
            yield f"{word:<8} " + ", ".join(f"{count} from {before} to {after}" for before, after, count in moves)
    if not (closed or change.lowered or worse or opened or change.proven):
        yield "changes nothing"
    before, after = safety(now).answer, safety(then).answer
    yield f"answer   {before}" + (f", then {after}" if after != before else ", as it is")


def _by_id(assessment: Assessment) -> dict[str, Finding]:
    return {finding.id: finding for finding in assessment.findings}


def _named(found: Sequence[str]) -> str:
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return f"{len(found)}: {', '.join(found[:_MOST])}{more}"
