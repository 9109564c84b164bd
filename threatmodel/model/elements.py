"""The elements of a model file: nodes with their facts and relations, planes, data, externals and boundaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from threatmodel.model.entries import facts_of, incomplete, table_of, value_of
from threatmodel.model.file import EXTERNAL_USES, SECTIONS
from threatmodel.model.ids import Ids
from threatmodel.model.reference_architecture import ZONES
from threatmodel.model.system import (
    BY_ID,
    REQUESTS,
    THROUGH,
    AuthorBoundary,
    DataItem,
    EvidenceFile,
    External,
    Node,
    Reference,
    Relation,
    Trigger,
)
from threatmodel.model.vocabulary import PLANES, RELATIONS, Kind, Plane, RelationRow
from threatmodel.reading.problems import Place, article, listed
from threatmodel.reading.reader import Entry, Fields

DEEPEST = 20
"""Boundaries that may lie inside one another; more is no picture, and slow to draw."""


def nodes(ids: Ids) -> Iterator[Node]:
    """Return the elements of every kind that the model itself has."""
    for section, kind in SECTIONS.items():
        for name, entry in table_of(ids.entries, section).items():
            yield _node(ids, kind, name, entry)


def _node(ids: Ids, kind: Kind, name: str, entry: Entry) -> Node:
    fields: Fields = entry.value
    criticality = value_of(fields, "criticality", "normal")
    if criticality != "normal" and not fields.given("criticality_reason"):
        place = fields["criticality"].key
        ids.note("no-reason", place, f"criticality {criticality} without a reason", "add criticality_reason")
    public = value_of(fields, "public")
    if public == "intended" and not fields.given("public_reason"):
        place = fields["public"].key
        ids.note("no-reason", place, "public: intended without a reason", "add public_reason")
    facts = facts_of(fields, kind)
    return Node(
        kind=kind,
        id=name,
        name=value_of(fields, "name", name),
        description=value_of(fields, "description"),
        place=entry.key,
        facts={**ids.defaults[kind], **facts} if kind in ids.defaults else facts,
        relations=dict(_relations(ids, kind, fields)),
        boundary=_boundary(ids, fields),
        criticality=criticality,
        criticality_reason=value_of(fields, "criticality_reason"),
        out_of_scope=value_of(fields, "out_of_scope"),
        public=public,
        public_reason=value_of(fields, "public_reason"),
    )


def _relations(ids: Ids, kind: Kind, fields: Fields) -> Iterator[tuple[str, Relation]]:
    """The lists stated, those that another one closes, and those of which nothing is known but that they are open.

    Of the lists that are closed together the first that is stated closes all, except those that are incomplete.
    """
    rows = RELATIONS[kind].values()
    together = next((fields[row.name].key for row in rows if row.closed_together and row.name in fields), None)
    whys = incomplete(fields)
    for row in rows:
        why, at = whys.get(row.name, ("", None))
        if row.name in fields:
            entry = fields[row.name]
            yield row.name, Relation(tuple(_partners(ids, row, entry)), entry.key, open=why)
        elif at is not None:
            yield row.name, Relation((), at, open=why)
        elif row.closed_together and together is not None:
            yield row.name, Relation((), together, implied=True)


def _partners(ids: Ids, row: RelationRow, entry: Entry) -> Iterator[Reference | Trigger]:
    """What a list names, each once."""
    if row.name == "triggers":
        yield from _triggers(ids, entry.value)
        return
    seen: set[str] = set()
    for item in entry.value:
        if ids.uses(row, item.value, item.place) and item.value not in seen:
            seen.add(item.value)
            yield Reference(item.value, item.place)


def _triggers(ids: Ids, items: tuple[Any, ...]) -> tuple[Trigger, ...]:
    return tuple(t for t in (_trigger(ids, item.value, item.place) for item in items) if t is not None)


def _trigger(ids: Ids, fields: Fields, place: Place) -> Trigger | None:
    given = [by for by in THROUGH if fields.given(by)]
    if len(given) != 1:
        found = (
            f"this trigger names {' and '.join(given)}"
            if given
            else "this trigger does not say what starts the function"
        )
        ids.note("wrong-trigger", place, found, f"name one of {listed(THROUGH)}")
        return None
    by = given[0]
    if by in fields.unread:
        return None
    entry = fields[by]
    if by in BY_ID:
        there = ids.refers(THROUGH[by], entry.value, entry.place)
        source = Reference(entry.value, entry.place) if there else None
    elif not THROUGH[by]:
        source = None
    else:
        source = _api(ids, fields, place)
    if source is None and THROUGH[by]:
        return None
    if by not in REQUESTS and "api" in fields:
        ids.note("wrong-trigger", fields["api"].key, f"{article(by)} does not come through an api", "remove it")
    if by != "http" and "caller" in fields:
        ids.note("wrong-trigger", fields["caller"].key, f"'{by}' says already who calls", "remove it")
    caller = value_of(fields, "caller")
    return Trigger(by, str(entry.value), source, value_of(fields, "path"), place, "" if caller == "others" else caller)


def _api(ids: Ids, fields: Fields, place: Place) -> Reference | None:
    """The api of a trigger: the one named, or the only one of the model."""
    if "api" in fields:
        entry = fields["api"]
        return Reference(entry.value, entry.place) if ids.refers("api", entry.value, entry.place) else None
    apis = [name for name, kind in ids.kinds.items() if kind == "api"]
    if len(apis) == 1:
        return Reference(apis[0], place)
    found = f"there are {len(apis)}: {listed(apis)}" if apis else "this model has none"
    ids.note("ambiguous-api", place, f"this trigger names no api, and {found}", "add api: ID")
    return None


def _boundary(ids: Ids, fields: Fields) -> str:
    if "boundary" not in fields:
        return ""
    entry = fields["boundary"]
    known = entry.value in {zone.id for zone in ZONES} or ids.refers("boundary", entry.value, entry.place)
    return str(entry.value) if known else ""


def planes(ids: Ids, platforms: list[Fields]) -> dict[str, Node]:
    """The planes described: what the model adds to a platform file is added, what both state is an error."""
    found: dict[str, Node] = {}
    for entries in (*platforms, ids.entries):
        for plane in PLANES:
            if plane not in entries:
                continue
            entry = entries[plane]
            node = _node(ids, plane, plane, entry)
            found[plane] = _joined(ids, found[plane], node) if plane in found else node
    return found


_PLANE_OF: Mapping[str, Plane] = {"slack": "workspace", "repository": "pipeline", "host": "pipeline"}
"""The plane of which a kind of evidence says something."""


def planes_of_evidence(evidence: Iterable[EvidenceFile]) -> dict[str, Node]:
    """Return a plane of which a file of the evidence says something, without stated facts."""
    named = {_PLANE_OF[one.kind]: one.place for one in evidence if one.kind in _PLANE_OF}
    return {
        plane: Node(kind=plane, id=plane, name=plane, description="", place=place, facts={}, relations={})
        for plane, place in named.items()
    }


def _joined(ids: Ids, first: Node, second: Node) -> Node:
    for name in first.facts.keys() & second.facts.keys():
        place = second.facts[name].place or second.place
        ids.note("stated-twice", place, f"'{name}' is already stated at {first.facts[name].place}", "keep one")
    name = second.name if second.name != second.id else first.name
    return Node(
        kind=first.kind,
        id=first.id,
        name=name,
        description=second.description or first.description,
        place=first.place,
        facts={**first.facts, **second.facts},
        relations={},
    )


def data_items(ids: Ids) -> Iterator[tuple[str, DataItem]]:
    """The kinds of data, by id."""
    for name, entry in table_of(ids.entries, "data").items():
        fields = entry.value
        yield (
            name,
            DataItem(
                id=name,
                name=value_of(fields, "name", name),
                classification=value_of(fields, "classification"),
                personal=value_of(fields, "personal", default=False),
                description=value_of(fields, "description"),
                place=entry.key,
            ),
        )


def externals(ids: Ids) -> Iterator[tuple[str, External]]:
    """The external systems, by id."""
    for name, entry in table_of(ids.entries, "externals").items():
        fields = entry.value
        yield (
            name,
            External(
                id=name,
                name=value_of(fields, "name", name),
                description=value_of(fields, "description"),
                boundary=_boundary(ids, fields) or ("account" if "service" in fields else "internet-zone"),
                place=entry.key,
                service=value_of(fields, "service"),
                relations={
                    row.name: Relation(tuple(_partners(ids, row, fields[row.name])), fields[row.name].key)
                    for row in EXTERNAL_USES
                    if row.name in fields
                },
            ),
        )


def boundaries(ids: Ids) -> Iterator[tuple[str, AuthorBoundary]]:
    """The author's boundaries, by id."""
    table = table_of(ids.entries, "boundaries")
    around = {name: value_of(entry.value, "inside", "account") for name, entry in table.items()}
    zones = {zone.id for zone in ZONES}
    for name, entry in table.items():
        inside = around[name]
        if inside not in zones and inside not in around:
            ids.refers("boundary", inside, entry.value["inside"].place)
        elif (circle := _circle(name, around)) is not None:
            message = f"'{name}' is inside itself: {' in '.join(circle)}"
            ids.note("circular-boundary", entry.key, message, "move one of them")
        elif _depth(name, around) > DEEPEST:
            message = f"'{name}' is more than {DEEPEST} boundaries deep"
            ids.note("deep-boundary", entry.key, message, "nest fewer boundaries")
        yield name, AuthorBoundary(id=name, name=value_of(entry.value, "name", name), inside=inside, place=entry.key)


def _circle(start: str, around: Mapping[str, str]) -> list[str] | None:
    """The way from a boundary back to itself, or None where there is none that is short enough to look at."""
    way = [start]
    while (outer := around.get(way[-1])) is not None and len(way) <= DEEPEST:
        if outer == start:
            return [*way, start]
        way.append(outer)
    return None


def _depth(start: str, around: Mapping[str, str]) -> int:
    """How many boundaries of the author's lie around one, counted a little beyond what is allowed."""
    depth = 0
    while (outer := around.get(start)) is not None and depth <= DEEPEST:
        start, depth = outer, depth + 1
    return depth
