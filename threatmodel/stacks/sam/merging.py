"""The Globals section: what every resource of a SAM type has in common, merged the way SAM merges it."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import List, Node, Table, Unknown, get, is_null, items, rebuilt, text

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
    if not isinstance(properties, Table) or properties is resource.properties:
        return resource
    return replace(resource, properties=properties)


def _pruned(node: Node) -> Node:
    if isinstance(node, Table) and any(map(is_null, node.entries.values())):
        node = node._replace(entries={name: child for name, child in node.entries.items() if not is_null(child)})
    return rebuilt(node, _pruned)


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
