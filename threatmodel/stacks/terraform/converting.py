"""One resource of a plan with the type, names and shapes that CloudFormation has for it.

An argument that CloudFormation has not keeps its name; each value keeps its place, in Terraform's words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.terraform.putting import at, put
from threatmodel.stacks.terraform.rows import Definitions, Row, definitions_of, folded, property_at
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown, is_set


def converted(resource: Resource, row: Row) -> Resource:
    """A resource in CloudFormation's words."""
    entries: dict[str, Node] = {}
    for name, value in resource.properties.entries.items():
        if name not in row.apart and not _is_unset(name, value, row):
            for target, node in moved(name, value, row):
                put(entries, target.split("."), node)
    for target, plain in row.defaults.items():
        if at(entries, target.split(".")) is None and resource.opaque is None:
            put(entries, target.split("."), Scalar(plain, resource.place))
    properties = resource.properties._replace(entries=entries)
    return replace(resource, type=row.type, written=resource.type, properties=properties)


def _is_unset(name: str, value: Node, row: Row) -> bool:
    """Whether a value is one that the provider takes for none."""
    return name in row.unset and isinstance(value, Scalar) and str(value.value) == str(row.unset[name])


def moved(name: str, value: Node, row: Row) -> Iterator[tuple[str, Node]]:
    """The property of an argument in CloudFormation, with its value; nothing where it is left out."""
    if not is_set(value):
        return
    definitions = definitions_of(row.type)
    target = row.paths.get(name)
    if target == "*":
        yield from _apart(name, value, row)
    elif target is not None:
        own = property_at(target.split("."), definitions)
        yield target, _shaped(value, own, definitions, row, name)
    elif not row.by:
        own = definitions[""].get(folded(name), name)
        yield _name(own), _shaped(value, own, definitions, row, name)


def _apart(name: str, value: Node, row: Row) -> Iterator[tuple[str, Node]]:
    """The arguments of a block that are properties by themselves."""
    block = _only(value)
    if isinstance(block, Table):
        for key, child in block.entries.items():
            if f"{name}.{key}" in row.paths:
                yield from moved(f"{name}.{key}", child, row)
    else:
        targets = [target for path, target in row.paths.items() if path.startswith(f"{name}.")]
        why = block.why if isinstance(block, Unknown) else "the block cannot be read"
        yield from ((target, Unknown(why, value.place)) for target in targets)


def _name(own: Any) -> str:
    return own if isinstance(own, str) else str(own[0])


def _only(value: Node) -> Node:
    return value.items[0] if isinstance(value, List) and len(value.items) == 1 else value


def _shaped(value: Node, own: Any, definitions: Definitions, row: Row, path: str) -> Node:
    """A value as a property of CloudFormation has it: a block that occurs once is no list there."""
    if isinstance(own, str):
        return _worded(value, row.words[path]) if path in row.words else _without_unset(value, path, row)
    _, form, name = own
    if form == "one":
        return _block(_only(value), name, definitions, row, path)
    if form == "many" and isinstance(value, Table) and _is_pairs(value, definitions[name]):
        return _pairs(value, definitions[name])
    if form == "many" and isinstance(value, List | Table):
        blocks = value.items if isinstance(value, List) else (value,)
        return List(tuple(_block(one, name, definitions, row, path) for one in blocks), value.place)
    if form == "map" and isinstance(value, Table):
        entries = {key: _block(one, name, definitions, row, path) for key, one in value.entries.items()}
        return value._replace(entries=entries)
    return value


_PAIR = 2


def _is_pairs(value: Node, own: Mapping[str, Any]) -> bool:
    """Return whether a mapping is what CloudFormation has as a list of pairs: dimensions, tags, weights of versions."""
    return isinstance(value, Table) and len(own) == _PAIR and own.keys().isdisjoint(map(folded, value.entries))


def _pairs(value: Table, own: Mapping[str, Any]) -> List:
    """Return a mapping as a list of pairs: what identifies an entry is the first of the two in each schema."""
    first, second = map(_name, own.values())
    found = [Table({first: Scalar(key, one.place), second: one}, one.place, {}) for key, one in value.entries.items()]
    return List(tuple(found), value.place)


def _without_unset(value: Node, path: str, row: Row) -> Node:
    """Blocks that CloudFormation does not define, without the values that mean none."""
    if not isinstance(value, List) or not any(one.startswith(f"{path}.") for one in row.unset):
        return value
    kept = [
        one._replace(entries={k: v for k, v in one.entries.items() if not _is_unset(f"{path}.{k}", v, row)})
        if isinstance(one, Table)
        else one
        for one in value.items
    ]
    return value._replace(items=tuple(kept))


def _worded(value: Node, words: Mapping[str, str]) -> Node:
    """A value in CloudFormation's words."""
    raw = str(value.value) if isinstance(value, Scalar) else ""
    word = words.get(raw.lower() if isinstance(value, Scalar) and isinstance(value.value, bool) else raw)
    return value._replace(value=word) if word is not None and isinstance(value, Scalar) else value


def _block(node: Node, name: str, definitions: Definitions, row: Row, path: str) -> Node:
    """A nested block with the names of a definition."""
    if not isinstance(node, Table):
        return node
    own = definitions[name]
    entries: dict[str, Node] = {}
    for key, value in node.entries.items():
        inner = f"{path}.{key}"
        if is_set(value) and not _is_unset(inner, value, row):
            target = row.paths.get(inner, key)
            known = own.get(folded(target.removesuffix("[]")), target)
            put(
                entries,
                (_name(known) if "." not in target else target).split("."),
                _shaped(value, known, definitions, row, inner),
            )
    return node._replace(entries=entries)


def whole(resource: Resource, target: str, row: Row) -> Node:
    """All of a part as one value at a property of what it is a part of."""
    definitions = definitions_of(row.type)
    return _shaped(resource.properties, property_at(target.split("."), definitions), definitions, row, "")
