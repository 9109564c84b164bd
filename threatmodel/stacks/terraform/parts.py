"""Parts that Terraform writes as separate resources: they become properties of the resource that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import ELSEWHERE, Resource
from threatmodel.stacks.terraform.converting import moved, whole
from threatmodel.stacks.terraform.owners import Candidates
from threatmodel.stacks.terraform.putting import put
from threatmodel.stacks.terraform.references import steps_of
from threatmodel.stacks.terraform.rows import Row
from threatmodel.stacks.texts import relinked
from threatmodel.stacks.values import Link, List, Node, Scalar, Table, Unknown, items, links, node_of, same

_TWICE = "two resources of the file set it"


def take_in(
    parts: Sequence[tuple[Resource, Row]], found: dict[str, Resource], written: Mapping[str, Resource]
) -> dict[str, str]:
    """Put each part into what it belongs to, among resources in CloudFormation's words; the parts that are in one.

    `written` are the resources as the file has them.

    A part whose owner is unknown may belong to each of the type, if no other part certainly does.  One that belongs to
    something outside the file stays a resource, and those that several arguments show to belong to the same become one.
    """
    candidates = Candidates(found, written)
    owners: dict[str, str] = {}
    certain: dict[tuple[str, str], list[Node]] = {}
    perhaps: dict[tuple[str, str], Unknown] = {}
    for part, row in parts:
        values = list(_values(part, row))
        for owner, doubt in candidates.owners(part, row) or _outside(part, row, candidates, found):
            if doubt is None:
                owners[part.name] = owners.get(part.name, owner)
            for target, value in values:
                if doubt is None:
                    certain.setdefault((owner, target), []).append(value)
                else:
                    perhaps.setdefault((owner, target), doubt)
    _put_into(found, certain, perhaps)
    found |= {part.name: _elsewhere(part, row, _values(part, row)) for part, row in parts if part.name not in owners}
    return {part: owner for part, owner in owners.items() if part != owner}


def _outside(
    part: Resource, row: Row, candidates: Candidates, found: dict[str, Resource]
) -> Sequence[tuple[str, Unknown | None]]:
    """The resource outside the file that all parts with the same arguments describe, under the first one's name."""
    if len(row.by) == 1:
        return ()
    name = candidates.outside.setdefault((row.type, candidates.key(part, row)), part.name)
    found.setdefault(name, _elsewhere(part, row, ()))
    return ((name, None),)


def _put_into(
    found: dict[str, Resource],
    certain: Mapping[tuple[str, str], Sequence[Node]],
    perhaps: Mapping[tuple[str, str], Unknown],
) -> None:
    """Put what parts certainly say, and what they may say, into the resources of the names."""
    changed: dict[str, dict[str, Node]] = {}
    for at in dict.fromkeys((*certain, *perhaps)):
        owner, target = at
        entries = changed.setdefault(owner, dict(found[owner].properties.entries))
        put(entries, target.split("."), _together(target, certain.get(at, ()), perhaps.get(at)))
    for owner, entries in changed.items():
        found[owner] = replace(found[owner], properties=found[owner].properties._replace(entries=entries))


def _together(target: str, values: Sequence[Node], doubt: Unknown | None) -> Node:
    """What parts make of one property: the items of all, or what all of them set."""
    if target.endswith("[]"):
        every = [*(one for value in values for one in items(value)), *(() if doubt is None else (doubt,))]
        return List(tuple(every), every[0].place)
    if not values and doubt is not None:
        return Unknown(doubt.why, doubt.place, doubt.usual)
    return reduce(_both, values)


def _elsewhere(part: Resource, row: Row, values: Iterable[tuple[str, Node]]) -> Resource:
    """A resource that is not in the file, as far as a part of it tells."""
    entries = {name: node for name, node in part.properties.entries.items() if name in row.by}
    if len(row.by) > 1:
        entries = {
            target: node for name, one in entries.items() for target, node in moved(name, one, Row(type=row.type))
        }
    for target, value in values:
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
    own = (target for path, target in row.paths.items() if "." not in path and target != "*" and "" not in row.paths)
    targets = dict.fromkeys((*given, *own, *row.defaults))
    for target in targets:
        value = given.get(target)
        if value is None and part.opaque is not None:
            value = part.opaque
        if value is None and target in row.defaults:
            value = node_of(row.defaults[target], part.place)
        if value is not None and part.doubt is not None:
            made = isinstance(part.doubt.usual, Scalar) and part.doubt.usual.value is True
            value = Unknown(part.doubt.why, part.doubt.place, value if made else None)
        if value is not None:
            yield target, value


# --- what referred to a part


_PSEUDO = {
    ("aws_caller_identity", "account_id"): "${AWS::AccountId}",
    ("aws_region", "name"): "${AWS::Region}",
    ("aws_region", "region"): "${AWS::Region}",
    ("aws_partition", "partition"): "${AWS::Partition}",
}
"""What a plan looks up and CloudFormation has a pseudo parameter for, by data source and attribute."""


def _pseudo(link: Link) -> str:
    *_, data, kind, _ = ("", "", "", *steps_of(link.resource))
    return _PSEUDO.get((kind, link.attribute), "") if data == "data" else ""


def redirected(resource: Resource, owners: Mapping[str, str]) -> Resource:
    """A resource that refers to owners where it referred to their parts, and to pseudo parameters as such."""
    if not any(link.resource in owners or _pseudo(link) for link in links(resource.properties)):
        return resource

    def meant(link: Link) -> Node:
        pseudo = _pseudo(link)
        return (
            Scalar(pseudo, link.place) if pseudo else link._replace(resource=owners.get(link.resource, link.resource))
        )

    properties = relinked(resource.properties, meant)
    return replace(resource, properties=properties) if isinstance(properties, Table) else resource
