"""Parts that Terraform writes as separate resources: they become properties of the resource that they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import ELSEWHERE, Resource
from threatmodel.stacks.terraform.converting import moved, whole
from threatmodel.stacks.terraform.putting import put
from threatmodel.stacks.terraform.rows import Row, own_name_of
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown, items, links, same, unknowns

_MAY_NAME = "a reference whose value is unknown may name it"
_TWICE = "two resources of the file set it"


def take_in(parts: Sequence[tuple[Resource, Row]], found: dict[str, Resource]) -> dict[str, str]:
    """Put each part into what it belongs to, among resources in CloudFormation's words; the parts that are in one.

    A part whose owner is unknown may belong to each of the type, if no other part certainly does.  One that belongs to
    something outside the file stays a resource.
    """
    candidates = _Candidates(found)
    owners: dict[str, str] = {}
    certain: dict[tuple[str, str], list[Node]] = {}
    perhaps: dict[tuple[str, str], Unknown] = {}
    for part, row in parts:
        values = list(_values(part, row))
        for owner, doubt in candidates.owners(part, row):
            if doubt is None:
                owners.setdefault(part.name, owner)
            for target, value in values:
                if doubt is None:
                    certain.setdefault((owner, target), []).append(value)
                else:
                    perhaps.setdefault((owner, target), doubt)
    changed: dict[str, dict[str, Node]] = {}
    for owner, target in dict.fromkeys((*certain, *perhaps)):
        entries = changed.setdefault(owner, dict(found[owner].properties.entries))
        put(
            entries,
            target.split("."),
            _together(target, certain.get((owner, target), []), perhaps.get((owner, target))),
        )
    for owner, entries in changed.items():
        found[owner] = replace(found[owner], properties=found[owner].properties._replace(entries=entries))
    found |= {part.name: _elsewhere(part, row) for part, row in parts if part.name not in owners}
    return owners


def _together(target: str, values: Sequence[Node], doubt: Unknown | None) -> Node:
    """What parts make of one property: the items of all, or what all of them set."""
    if target.endswith("[]"):
        every = [*(one for value in values for one in items(value)), *(() if doubt is None else (doubt,))]
        return List(tuple(every), every[0].place)
    if not values and doubt is not None:
        return Unknown(doubt.why, doubt.place, doubt.usual)
    return reduce(_both, values)


def _elsewhere(part: Resource, row: Row) -> Resource:
    """A part of a resource that is not in the file: what it says of that."""
    entries = {name: node for name, node in part.properties.entries.items() if name == row.by}
    for target, value in _values(part, row):
        put(entries, target.split("."), value)
    properties = part.properties._replace(entries=entries)
    return replace(part, type=f"{row.type}{ELSEWHERE}", written=part.type, properties=properties)


def _both(one: Node, other: Node) -> Node:
    """What two resources that set one property make of it: what both state, since the last that is applied counts."""
    if isinstance(one, Table) and isinstance(other, Table):
        names = dict.fromkeys((*one.entries, *other.entries))
        missing = Unknown(_TWICE, other.place)
        found = {name: _both(one.entries.get(name, missing), other.entries.get(name, missing)) for name in names}
        return other._replace(entries=found)
    return other if same(one, other) else Unknown(_TWICE, other.place)


def _values(part: Resource, row: Row) -> Iterator[tuple[str, Node]]:
    """What a part sets of its owner, by the paths there."""
    given = {
        target: value for name, node in part.properties.entries.items() for target, value in moved(name, node, row)
    }
    if "" in row.paths:
        given[row.paths[""]] = whole(part, row.paths[""], row)
    own = (target for path, target in row.paths.items() if "." not in path and target != "*")
    targets = dict.fromkeys((*given, *own, *row.defaults))
    for target in targets:
        value = given.get(target)
        if value is None and part.opaque is not None:
            value = part.opaque
        if value is None and target in row.defaults:
            value = Scalar(row.defaults[target], part.place)
        if value is not None:
            yield (
                target,
                value if part.doubt is None else Unknown(part.doubt.why, part.doubt.place, _usual(part.doubt, value)),
            )


def _usual(doubt: Unknown, value: Node) -> Node | None:
    return value if isinstance(doubt.usual, Scalar) and doubt.usual.value is True else None


# --- whose part it is


class _Candidates:
    """The resources that a part may belong to: by type, and by the names that they give themselves."""

    def __init__(self, found: Mapping[str, Resource]) -> None:
        self.types = {name: one.type for name, one in found.items()}
        self.by_type: dict[str, list[str]] = {}
        self.by_name: dict[tuple[str, str], list[str]] = {}
        self.unnamed: dict[str, list[str]] = {}
        self.asked: set[tuple[str, bool]] = set()
        for name, one in found.items():
            self.by_type.setdefault(one.type, []).append(name)
            own = one.properties.entries.get(own_name_of(one.type))
            for known in (own, *(one.properties.entries.get(key) for key in ("id", "arn"))):
                if isinstance(known, Scalar) and not known.given:
                    self.by_name.setdefault((one.type, str(known.value)), []).append(name)
            if own is not None and (not isinstance(own, Scalar) or own.given):
                self.unnamed.setdefault(one.type, []).append(name)

    def owners(self, part: Resource, row: Row) -> Iterator[tuple[str, Unknown | None]]:
        """The resources that a part belongs to, and those that it may belong to, with why."""
        node = part.properties.entries.get(row.by)
        if part.opaque is not None and node is None:
            yield from self._every(part, row, part.opaque)
        for one in items(node):
            linked = dict.fromkeys(link.resource for link in links(one))
            unknown = next(unknowns(one), None)
            if linked:
                doubt = None if len(linked) == 1 else unknown or Unknown(_MAY_NAME, one.place)
                yield from ((name, doubt) for name in linked if self.types.get(name) == row.type)
            elif unknown is not None:
                yield from self._every(part, row, unknown)
            else:
                sure = [name for text in _names(one) for name in self.by_name.get((row.type, text), ())]
                yield from ((name, None) for name in dict.fromkeys(sure))
                yield from self._of_unknown_name(part, row, Unknown(_MAY_NAME, one.place))

    def _every(self, part: Resource, row: Row, why: Unknown) -> Iterator[tuple[str, Unknown | None]]:
        """Each resource of the type: once for a type of parts, however many of them may belong to each."""
        if (part.type, True) not in self.asked:
            self.asked.add((part.type, True))
            yield from ((name, why) for name in self.by_type.get(row.type, ()))

    def _of_unknown_name(self, part: Resource, row: Row, why: Unknown) -> Iterator[tuple[str, Unknown | None]]:
        """Each resource of the type whose own name is unknown, likewise once."""
        if (part.type, False) not in self.asked:
            self.asked.add((part.type, False))
            yield from ((name, why) for name in self.unnamed.get(row.type, ()))


def _names(node: Node) -> tuple[str, ...]:
    """The names that a text can mean: itself, and the last part of an ARN or URL."""
    raw = node.value if isinstance(node, Scalar) else None
    return (raw, re.split(r"[:/]", raw)[-1]) if isinstance(raw, str) else ()


# --- what referred to a part


def redirected(resource: Resource, owners: Mapping[str, str]) -> Resource:
    """A resource that refers to owners where it referred to their parts."""
    if not any(link.resource in owners for link in links(resource.properties)):
        return resource
    properties = _led(resource.properties, owners)
    return replace(resource, properties=properties) if isinstance(properties, Table) else resource


def _led(node: Node, owners: Mapping[str, str]) -> Node:
    match node:
        case Link(resource=name) if name in owners:
            return node._replace(resource=owners[name])
        case Joined(parts=parts):
            return node._replace(parts=tuple(_led_part(one, owners) for one in parts))
        case Table(entries=entries):
            return node._replace(entries={key: _led(child, owners) for key, child in entries.items()})
        case List(items=children):
            return node._replace(items=tuple(_led(child, owners) for child in children))
        case _:
            return node


def _led_part(part: str | Link | Unknown, owners: Mapping[str, str]) -> str | Link | Unknown:
    return part._replace(resource=owners[part.resource]) if isinstance(part, Link) and part.resource in owners else part
