"""The team's own rules in a report: the elements that break one or may, and the exemptions."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.invariants import HeldInvariant, Holds
from threatmodel.assessment.invariants import counted as counted_elements
from threatmodel.render.action_text import some
from threatmodel.render.report.words import Row, counted, where


def rows(assessment: Assessment) -> list[Row]:
    """Return every invariant, with the elements it applies to and those that do not keep it."""
    return [_row(one) for one in assessment.invariants]


def _row(one: HeldInvariant) -> Row:
    count = counted_elements([one])
    every = len(one.bound) + len(one.spared)
    return {
        "id": one.rule.id,
        "message": one.rule.message,
        "severity": one.rule.severity,
        "place": where(one.rule.place),
        "binds": f"{len(one.bound):,} of {counted(every, one.rule.kind)}",
        "proven": count.proven,
        "claimed": count.claimed,
        "wrong": "; ".join(_wrong(one)),
    }


def _wrong(one: HeldInvariant) -> Iterator[str]:
    """The elements of which it does not hold, the broken ones first."""
    words: tuple[tuple[Holds, str], ...] = (("broken", "broken by"), ("unknown", "unknown for"))
    for holds, word in words:
        found = tuple(e.id for e in one.bound if e.holds == holds and not e.is_exempt)
        if found:
            yield f"{word} {some(found)}"


def _void(expires: datetime.date, assessment: Assessment) -> str:
    """Why an exemption does not count; '' where it does."""
    if expires < assessment.today:
        return "expired"
    in_force = assessment.graph.system.longest_terms.is_in_force(expires, assessment.today)
    return "" if in_force else "longer than the longest term, and does not count"


def exemptions(assessment: Assessment) -> list[Row]:
    """Return every exemption of the model, with its owner."""
    system = assessment.graph.system
    return [
        {
            "name": one.name,
            "owner": system.reached(one.owner),
            "until": one.expires.isoformat(),
            "void": _void(one.expires, assessment),
            "reason": f"{one.reason} ({one.ticket})" if one.ticket else one.reason,
            "place": where(one.place),
        }
        for one in system.exemptions
    ]
