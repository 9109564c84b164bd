"""Facts with their origins, and places, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from threatmodel.assessment.control_state import Support, support_of
from threatmodel.model.facts import EVIDENCE, Fact, Statement
from threatmodel.reading.problems import Place


def location_data(place: Place | None) -> dict[str, Any] | None:
    """Return a location: the file, and the line and column from 1."""
    return None if place is None else {"file": _file(place), "line": place.line or 1, "column": place.column or 1}


def _file(place: Place) -> str:
    """The file of a place, with the address where it has no lines."""
    return str(place) if place.part else place.file


def facts_data(facts: Iterable[tuple[str, Fact]]) -> list[dict[str, Any]]:
    """Facts by name, each with its origin."""
    return [evidence_data(support_of(name, fact)) for name, fact in facts]


def evidence_data(item: Support) -> dict[str, Any]:
    """A fact with its origin; `differs` lists what other origins say."""
    found: dict[str, Any] = {"fact": item.fact, "known": item.known, "value": item.value, **_origin(item.said)}
    if item.against:
        found["differs"] = [{"value": other.value, **_origin(other)} for other in item.against]
    return found


def _origin(said: Statement) -> dict[str, Any]:
    place = said.place
    return {
        "origin": said.source,
        "file": _file(place) if place else None,
        "line": (place.line or None) if place else None,
        "column": (place.column or None) if place and place.line else None,
        "note": said.note + (" (stale)" if said.stale else ""),
        "relies_on": "default" if said.defaults else "evidence" if said.size == EVIDENCE else "statement",
        **({"in_doubt": said.doubt} if said.doubt else {}),
    }
