"""What a system consists of, where that is stated, and what people decided, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.control_state import Support, support_of
from threatmodel.assessment.invariants import HeldInvariant
from threatmodel.assessment.risk import Cell
from threatmodel.graph.building import Element, Flow
from threatmodel.graph.elements import Read
from threatmodel.library.entries import Library
from threatmodel.model.facts import EVIDENCE, Fact, Statement
from threatmodel.model.system import Acceptance, Exemption
from threatmodel.reading.problems import Place


def location_data(place: Place | None) -> dict[str, Any] | None:
    """Return a location: the file, and the line and column from 1."""
    return None if place is None else {"file": _file(place), "line": place.line or 1, "column": place.column or 1}


def _file(place: Place) -> str:
    """The file of a place, with the address where it has no lines."""
    return str(place) if place.part else place.file


def cell_data(cell: Cell) -> dict[str, Any]:
    """Return a cell of the matrix: its two numbers, their product and its band."""
    return {"likelihood": cell.likelihood, "impact": cell.impact, "score": cell.score, "band": cell.band}


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


def element_data(element: Element) -> dict[str, Any]:
    """An element with its facts."""
    return {
        "id": element.id,
        "kind": element.kind or element.symbol,
        "name": element.name,
        "boundary": element.zone,
        "described": element.described,
        "out_of_scope": element.out_of_scope or None,
        "facts": facts_data(element.facts.items()),
        "location": location_data(element.place),
    }


def flow_data(flow: Flow) -> dict[str, Any]:
    """A flow with its facts."""
    return {
        "id": flow.id,
        "source": flow.source,
        "target": flow.target,
        "label": flow.label,
        "data": list(flow.carries),
        "view": flow.view,
        "caller": flow.caller,
        "facts": facts_data(flow.facts.items()),
        "location": location_data(flow.place),
    }


def read_data(read: Read) -> dict[str, Any]:
    """What was read of a file of evidence, and what was not."""
    return {
        "file": read.file,
        "kind": read.kind,
        "elements": dict(read.elements),
        "missing": [
            {"element": name, "kind": kind, "location": location_data(place)} for name, kind, place in read.missing
        ],
        "extra": [
            {"resource": name, "kind": kind, "location": location_data(place)} for name, kind, place in read.extra
        ],
        "unread": [{"name": name, "why": why, "location": location_data(place)} for name, why, place in read.unread],
        "left_open": [
            {"element": one.element, "name": one.name, "why": one.why, "location": location_data(one.place)}
            | ({"usual": one.usual[0]} if one.usual and not isinstance(one.usual[0], tuple) else {})
            for one in read.left_open
        ],
        "unused_grants": [_grant(*one) for one in read.unused],
        "ungranted_uses": [_grant(*one) for one in read.ungranted],
        "notes": [
            {"code": one.code, "message": one.message, "location": location_data(one.place)} for one in read.notes
        ],
        **(
            {"not_modeled": [{"type": of, "count": count} for of, count, _ in read.unmodeled]} if read.unmodeled else {}
        ),
        **({"stale": read.stale} if read.stale else {}),
        **(
            {"path": read.source.path, "chosen": dict(read.source.chosen), "sha256": read.source.sha256}
            if read.source is not None
            else {}
        ),
    }


def _grant(function: str, resource: str, place: Place) -> dict[str, Any]:
    return {"function": function, "resource": resource, "location": location_data(place)}


def library_data(library: Library) -> dict[str, Any]:
    """How large the library is, and what its layers changed."""
    return {
        "threats": len(library.threats),
        "controls": len(library.controls),
        "layers": list(library.layers),
        "former": {part: dict(ids) for part, ids in library.former._asdict().items()},
        "replaced": [
            {"part": item.part, "id": item.id, "location": location_data(item.place)} for item in library.replaced
        ],
        "off": [
            {"part": off.part, "id": off.id, "reason": off.reason, "location": location_data(off.place)}
            for off in library.off
        ],
    }


def invariant_data(one: HeldInvariant, assessment: Assessment) -> dict[str, Any]:
    """A rule over every model, and what it binds."""
    rule = one.rule
    return {
        "id": rule.id,
        "of": rule.kind,
        "if": rule.applies or None,
        "holds": rule.holds,
        "severity": rule.severity,
        "message": rule.message,
        "location": location_data(rule.place),
        "binds": [
            {
                "element": element.id,
                "holds": element.holds,
                "exempt": _exemption(element.exemption, assessment) if element.exemption is not None else None,
                "location": location_data(element.place),
            }
            for element in one.bound
        ],
        "does_not_bind": list(one.spared),
    }


def _exemption(exemption: Exemption, assessment: Assessment) -> dict[str, Any]:
    return {
        "reason": exemption.reason,
        "owner": exemption.owner,
        "contact": assessment.graph.system.owners.get(exemption.owner, ""),
        "ticket": exemption.ticket,
        "expires": exemption.expires.isoformat(),
        "in_force": assessment.graph.system.longest_terms.is_in_force(exemption.expires, assessment.today),
        "location": location_data(exemption.place),
    }


def acceptance_data(acceptance: Acceptance, assessment: Assessment) -> dict[str, Any]:
    """An accepted risk, and whether it holds today."""
    needless = {id(item): reason for item, reason in assessment.needless}
    in_force = assessment.graph.system.longest_terms.is_in_force(acceptance.expires, assessment.today)
    beyond = any(f.acceptance is acceptance and f.verdict != "accepted" for f in assessment.findings)
    return {
        "finding": acceptance.name,
        "risk": acceptance.risk,
        "reason": acceptance.reason,
        "owner": acceptance.owner,
        "contact": assessment.graph.system.owners.get(acceptance.owner, ""),
        "ticket": acceptance.ticket,
        "due": acceptance.due.isoformat() if acceptance.due is not None else None,
        "expires": acceptance.expires.isoformat(),
        "holds": in_force and not (beyond or id(acceptance) in needless),
        "not_needed": needless.get(id(acceptance)),
        "location": location_data(acceptance.place),
    }
