"""The Globals section: what every resource of a SAM type has in common, merged the way SAM merges it."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import TypeVar

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown, get, items, text

_Node = TypeVar("_Node", bound="Node")

_REPLACED = frozenset({"Function.Architectures", "CapacityProvider.InstanceRequirements.Architectures"})
"""Lists that are not joined: the resource's own counts alone."""

_PRUNED = frozenset({"CapacityProvider.ManagedResourceTags"})
"""Mappings of which only the keys that the resource has itself count."""

DEEPEST = 60
"""Levels that are merged; below, the resource's own value counts.  No file that can be read goes deeper."""


def merged(resource: Resource, globals_: Table | None) -> Resource:
    """The resource with what Globals says of its type: mappings merged, lists joined, other values its own."""
    section = resource.type.rpartition("::")[2]
    common = get(globals_, section)
    if isinstance(common, Unknown):
        return replace(resource, opaque=resource.opaque or common)
    if not isinstance(common, Table) or not common.entries:
        return resource
    common = _without(common, (resource.about or {}).get("IgnoreGlobals"))
    return replace(resource, properties=_table(common, resource.properties, section, 0))


def pruned(resource: Resource) -> Resource:
    """The resource without the keys that `AWS::NoValue` left out: they took the place of what Globals says."""
    properties = _pruned(resource.properties)
    return replace(resource, properties=properties) if properties is not resource.properties else resource


def _pruned(node: _Node) -> _Node:
    if isinstance(node, Table):
        kept = {name: _pruned(child) for name, child in node.entries.items() if not _is_null(child)}
        changed = len(kept) < len(node.entries) or any(kept[name] is not node.entries[name] for name in kept)
        return node._replace(entries=kept) if changed else node
    if isinstance(node, List):
        found = tuple(map(_pruned, node.items))
        return node._replace(items=found) if any(map(operator.is_not, found, node.items)) else node
    return node


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _without(common: Table, ignored: Node | None) -> Table:
    if text(ignored) == "*":
        return common._replace(entries={})
    names = {text(one) for one in items(ignored)}
    return common._replace(entries={name: node for name, node in common.entries.items() if name not in names})


def _merged(common: Node, own: Node, path: str, depth: int) -> Node:
    if depth >= DEEPEST:
        return own
    match common, own:
        case Table(), Table():
            return _table(common, own, path, depth)
        case List(), List() if path not in _REPLACED:
            return List((*common.items, *own.items), own.place)
    return own


def _table(common: Table, own: Table, path: str, depth: int) -> Table:
    kept: Mapping[str, Node] = common.entries
    if path in _PRUNED and own.entries:
        kept = {name: node for name, node in kept.items() if name in own.entries}
    entries = dict(kept)
    for name, node in own.entries.items():
        entries[name] = _merged(kept[name], node, f"{path}.{name}", depth + 1) if name in kept else node
    return Table(entries, own.place, {**common.keys, **own.keys})
