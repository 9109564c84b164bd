"""The effect of controls being in place, or not, in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.assessment.actions import difference
from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.outcomes import outcome_of
from threatmodel.assessment.reconsidering import Reconsidered
from threatmodel.assessment.risk import BANDS
from threatmodel.assessment.safety import safety
from threatmodel.assessment.states import Assumed

_MOST = 8
"""Findings of a kind that are named; the others are counted."""


def supposed_lines(now: Assessment, then: Assessment, assumed: Assumed) -> Iterator[str]:
    """Yield the assumption, the findings that it closes, lowers, opens or raises, and the answer before and after."""
    for label, wanted in (("in place", True), ("not in place", False)):
        names = [f"{control}@{element}" for (control, element), here in assumed.items() if here is wanted]
        if names:
            yield f"assumed {label}: {', '.join(names)}"
    old, new = _by_id(now), _by_id(then)
    pairs = [(old[name], new[name]) for name in old if name in new]
    again = (Reconsidered(outcome_of(before), outcome_of(after), [(before,)]) for before, after in pairs)
    change = difference(again)
    lowered = [one.id for some in change.lowered for one in some]
    closed = [*(one.id for some in change.closed for one in some), *(name for name in old if name not in new)]
    worse = [b.id for b, a in pairs if BANDS.index(a.claimed.band) > BANDS.index(b.claimed.band)]
    opened = [name for name in new if name not in old]
    for label, found in (("closes", closed), ("lowers", lowered), ("raises", worse), ("opens", opened)):
        if found:
            yield f"{label:<11} {_named(found)}"
    for label, moves in (("as claimed", change.claimed), ("as proven", change.proven)):
        if moves:
            yield f"{label:<11} " + ", ".join(f"{count} {before} to {after}" for before, after, count in moves)
    if not (closed or lowered or worse or opened or change.proven):
        yield "no finding changes"
    before, after = safety(now).answer, safety(then).answer
    changed = f"{before} -> {after}" if after != before else f"{before} (unchanged)"
    yield f"{'answer':<11} {changed}"


def _by_id(assessment: Assessment) -> dict[str, Finding]:
    return {finding.id: finding for finding in assessment.findings}


def _named(found: Sequence[str]) -> str:
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return f"{len(found)}: {', '.join(found[:_MOST])}{more}"
