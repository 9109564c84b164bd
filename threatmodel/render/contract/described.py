"""What a system consists of, and the files that were read of it, as plain data."""

from __future__ import annotations

from typing import Any

from threatmodel.graph.building import Element, Flow
from threatmodel.graph.elements import Read
from threatmodel.reading.problems import Place
from threatmodel.render.contract.facts import facts_data, location_data


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
