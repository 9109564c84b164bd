"""The differences between two assessments as one diagram of both sides, in which they are marked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from threatmodel.assessment.changes import Changes
from threatmodel.graph.elements import Element, Flow
from threatmodel.graph.members import Lists
from threatmodel.model.reference_architecture import PARTIES, PIPELINE, ZONES, ReferenceData, Zone
from threatmodel.model.vocabulary import KINDS, PLANES
from threatmodel.render.fitted import Wanted
from threatmodel.render.palette import CHANGE
from threatmodel.render.picture import Drawable

_SYMBOLS = {"queue": "store", "secret": "store", "pipeline": "process"}
_KNOWN = {zone.id: zone for zone in ZONES}
_Side = Mapping[str, Any]


class _Named(NamedTuple):
    name: str


class _Both(NamedTuple):
    """The elements and flows of both sides."""

    system: _Named
    elements: Mapping[str, Element]
    flows: Mapping[str, Flow]
    zones: Mapping[str, Zone]
    data: Mapping[str, ReferenceData]
    lists: Mapping[str, Lists] = MappingProxyType({})


def changed_diagram(before: _Side, after: _Side, found: Changes, view: str) -> tuple[Drawable, Wanted]:
    """Return a view of both sides, and how to draw it: changes are words, signs and lines, not colors alone."""
    how = {one.name: one.how for one in (*found.parts["elements"], *found.parts["flows"])}
    notes: dict[str, tuple[str, ...]] = {}
    for one in found.parts["facts"]:
        name, _, fact = one.name.rpartition(".")
        how.setdefault(name, "changed")
        notes[name] = (*notes.get(name, ()), f"{fact}: {one.before} → {one.after}")
    both = _both((before, after), f"{found.before} → {found.after}", how)
    marks = {name: (word, 1) for name, word in how.items()}
    return both, Wanted(view, marks=marks, scale=CHANGE, notes=notes)


def _both(sides: tuple[_Side, _Side], name: str, how: Mapping[str, str]) -> _Both:
    """The elements and flows of both sides; what one side alone has is there too."""
    described = {one["id"]: one for side in sides for one in side["elements"]}
    elements = {name: _element(one, described, marked=name in how) for name, one in described.items()}
    flows = {one["id"]: _flow(one) for side in sides for one in side["flows"]}
    zones = {one.zone: _KNOWN.get(one.zone, Zone(one.zone, one.zone, "account", "")) for one in elements.values()}
    items = dict.fromkeys(item for flow in flows.values() for item in flow.carries)
    return _Both(
        system=_Named(name),
        elements=elements,
        flows={key: flow for key, flow in flows.items() if {flow.source, flow.target} <= elements.keys()},
        zones=_KNOWN | zones,
        data={item: ReferenceData(item, item.rpartition(":")[2], "") for item in items},
    )


_VIEWS = {party.id: party.view for party in (*PARTIES, PIPELINE)}
_PARTS = {"logs": "runtime", "configuration": "deployment", "environment": "identity"}
"""The parts of functions that are drawn, with the view of each."""


def _element(one: Mapping[str, Any], described: Collection[str], *, marked: bool) -> Element:
    """An element; one that is marked is in its view even if no flow touches it."""
    kind = one["kind"]
    owner, _, part = one["id"].rpartition(".")
    is_part = owner in described and part in _PARTS
    return Element(
        id=one["id"],
        kind=kind if kind in KINDS and not is_part else "",
        symbol="boundary" if kind in PLANES and kind != "pipeline" else _SYMBOLS.get(kind, kind),
        name=one["name"],
        subtitle="",
        zone=one["boundary"] or "account",
        view=(_PARTS[part] if is_part else _VIEWS.get(one["id"], "runtime")) if marked else "",
        facts=MappingProxyType({}),
        place=None,
        out_of_scope=one["out_of_scope"] or "",
    )


def _flow(one: Mapping[str, Any]) -> Flow:
    return Flow(
        id=one["id"],
        source=one["source"],
        target=one["target"],
        label=one["label"],
        carries=tuple(one["data"]),
        view=one["view"],
        caller="",
        facts=MappingProxyType({}),
        place=None,
    )
