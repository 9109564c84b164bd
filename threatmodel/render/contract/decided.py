"""What people decided (library layers, invariants and their exemptions, accepted risks), as plain data."""

from __future__ import annotations

from typing import Any

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.invariants import HeldInvariant
from threatmodel.library.entries import Library
from threatmodel.model.system import Acceptance, Exemption
from threatmodel.render.contract.facts import location_data


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
