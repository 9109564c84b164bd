"""One resource of a plan with the type, names and shapes that CloudFormation has for it.

An argument that CloudFormation has not keeps its name; each value keeps its place, in Terraform's words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.terraform.putting import at, put
from threatmodel.stacks.terraform.rows import EACH, Definitions, Row, definitions_of, folded, property_at
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown, is_set, items, node_of


def converted(resource: Resource, row: Row) -> Resource:
    """A resource in CloudFormation's words."""
    entries: dict[str, Node] = {}
    for name, value in resource.properties.entries.items():
        if name not in row.apart:
            for target, node in moved(name, value, row):
                put(entries, target.split("."), node)
    for target, plain in row.defaults.items() if resource.opaque is None else ():
        block, within, _ = target.partition("?")
        steps = target.replace("?", "").split(".")
        if at(entries, steps) is None and (not within or at(entries, block.split(".")) is not None):
            put(entries, steps, node_of(plain, resource.place))
    properties = resource.properties._replace(entries=entries)
    return replace(resource, type=row.type, written=resource.type, properties=properties)


def moved(name: str, value: Node, row: Row) -> Iterator[tuple[str, Node]]:
    """The property of an argument in CloudFormation, with its value; nothing where it is left out."""
    if name in row.paths or not row.by:
        definitions = definitions_of(row.type)
        yield from _argument(name, name, value, definitions[""], _Into(row, definitions))


class _Into(NamedTuple):
    """What arguments are made into: a row, and the properties of its type."""

    row: Row
    definitions: Definitions

    def is_unset(self, path: str, value: Node) -> bool:
        """Whether a value is one that the provider takes for none."""
        return not is_set(value) or (
            path in self.row.unset and isinstance(value, Scalar) and str(value.value) == str(self.row.unset[path])
        )


def _argument(path: str, name: str, value: Node, own: Mapping[str, Any], into: _Into) -> Iterator[tuple[str, Node]]:
    """The property within a definition that an argument or a block is, with its value."""
    if into.is_unset(path, value):
        return
    target = into.row.paths.get(path, "")
    if target == "*":
        yield from _apart(path, value, own, into)
    elif "," in target:
        yield from zip(target.split(","), _split(value), strict=True)
    elif "[]." in target:
        wrapped, _, inner = target.rpartition(".")
        yield (
            wrapped,
            List(tuple(_wrapped(one, inner, into.row.beside.get(path, {})) for one in items(value)), value.place),
        )
    elif target.startswith("{"):
        key, _, property_ = target[1:].partition("}")
        yield property_, _as_mapping(value, key, property_at(property_.split("."), own, into.definitions), into, path)
    else:
        found = property_at(target.split("."), own, into.definitions) if target else own.get(folded(name), name)
        yield target or _name(found), _shaped(value, found, into, path)


def _apart(path: str, value: Node, own: Mapping[str, Any], into: _Into) -> Iterator[tuple[str, Node]]:
    """The arguments of a block that are properties by themselves."""
    block = _only(value)
    if isinstance(block, Table):
        for key, child in block.entries.items():
            if f"{path}.{key}" in into.row.paths or not path:
                yield from _argument(f"{path}.{key}", key, child, own, into)
    else:
        targets = [target for inner, target in into.row.paths.items() if inner.startswith(f"{path}.")]
        why = block.why if isinstance(block, Unknown) else "the block cannot be read"
        yield from ((target, Unknown(why, value.place)) for target in targets)


def _name(own: Any) -> str:
    return own if isinstance(own, str) else str(own[0])


def _only(value: Node) -> Node:
    return value.items[0] if isinstance(value, List) and len(value.items) == 1 else value


def _shaped(value: Node, own: Any, into: _Into, path: str) -> Node:
    """A value as a property of CloudFormation has it: a block that occurs once is no list there."""
    if isinstance(own, str):
        words = into.row.words.get(path)
        return _worded(value, words) if words is not None else _undefined(value, path, into)
    _, form, name = own
    if form == "one":
        return _block(_only(value), into.definitions[name], into, path)
    if form == "many" and isinstance(value, Table) and path:
        pair = into.definitions[name]
        if len(pair) == 2 and pair.keys().isdisjoint(map(folded, value.entries)):  # noqa: PLR2004 - a name and a value
            return _pairs(value, pair)
    if form == "many" and isinstance(value, List | Table):
        blocks = value.items if isinstance(value, List) else (value,)
        return List(tuple(made for one in blocks for made in _blocks(one, name, into, path)), value.place)
    if form == "map" and isinstance(value, Table):
        entries = {key: _block(one, into.definitions[name], into, path) for key, one in value.entries.items()}
        return value._replace(entries=entries)
    return value


def _pairs(value: Table, own: Mapping[str, Any]) -> List:
    """Return a mapping (dimensions, tags, weights of versions) as CloudFormation's list of pairs.

    What identifies an entry is the first of the two in each schema.
    """
    first, second = map(_name, own.values())
    found = [Table({first: Scalar(key, one.place), second: one}, one.place) for key, one in value.entries.items()]
    return List(tuple(found), value.place)


def _undefined(value: Node, path: str, into: _Into) -> Node:
    """Blocks that CloudFormation does not define, with the names that the row has for their arguments."""
    if not any(one.startswith(f"{path}.") for one in (*into.row.paths, *into.row.unset)):
        return value
    if isinstance(value, List):
        return value._replace(items=tuple(_block(one, {}, into, path) for one in value.items))
    return _block(value, {}, into, path)


def _worded(value: Node, words: Mapping[str, str]) -> Node:
    """A value in CloudFormation's words."""
    raw = str(value.value) if isinstance(value, Scalar) else ""
    word = words.get(raw.lower() if isinstance(value, Scalar) and isinstance(value.value, bool) else raw)
    return value._replace(value=word) if word is not None and isinstance(value, Scalar) else value


def _wrapped(value: Node, name: str, beside: Mapping[str, str]) -> Node:
    """An item of a list as the object that CloudFormation has there."""
    stated: dict[str, Node] = {key: Scalar(word, value.place) for key, word in beside.items()}
    return Table({**stated, name: value}, value.place)


def _as_mapping(value: Node, key: str, own: Any, into: _Into, path: str) -> Node:
    """Blocks as a mapping by the argument `key`: of another argument (``name:values``), or of all that is left."""
    key, _, alone = key.partition(":")
    definition = into.definitions[own[2]] if not isinstance(own, str) else {}
    found: dict[str, Node] = {}
    for one in items(value):
        name = one.entries.get(key) if isinstance(one, Table) else None
        if not isinstance(one, Table) or not isinstance(name, Scalar):
            return one if isinstance(one, Unknown) else Unknown("a name in it cannot be read", one.place)
        rest = one._replace(entries={inner: node for inner, node in one.entries.items() if inner != key})
        found[str(name.value)] = rest.entries.get(alone, rest) if alone else _block(rest, definition, into, path)
    return Table(found, value.place)


def _split(value: Node) -> tuple[Node, Node]:
    """The path and the method of ``orders/GET``, as a stage of CloudFormation has them."""
    if not isinstance(value, Scalar):
        unknown = value if isinstance(value, Unknown) else Unknown("its parts cannot be distinguished", value.place)
        return unknown, unknown
    path, _, method = str(value.value).rpartition("/")
    written = "/*" if path == "*" else "/" + (f"~1{path.strip('/').replace('/', '~1')}" if path.strip("/") else "")
    return value._replace(value=written), value._replace(value=method)


# --- blocks


def _block(node: Node, own: Mapping[str, Any], into: _Into, path: str) -> Node:
    """A nested block with the names of a definition."""
    if not isinstance(node, Table):
        return node
    entries: dict[str, Node] = {}
    for key, value in node.entries.items():
        for target, found in _argument(f"{path}.{key}", key, value, own, into):
            put(entries, target.split("."), found)
    return node._replace(entries=entries)


def _blocks(node: Node, name: str, into: _Into, path: str) -> Iterator[Node]:
    """The blocks of CloudFormation that a block is: one for each address that a rule lists there."""
    several = {
        key: target.removeprefix(EACH)
        for key in (node.entries if isinstance(node, Table) else ())
        if (target := into.row.paths.get(f"{path}.{key}", "")).startswith(EACH)
    }
    if not isinstance(node, Table) or not several:
        yield _block(node, into.definitions[name], into, path)
        return
    others = node._replace(entries={key: one for key, one in node.entries.items() if key not in several})
    rest = _block(others, into.definitions[name], into, path)
    found = [(target, one) for key, target in several.items() for one in items(node.entries[key]) if is_set(one)]
    if isinstance(rest, Table):
        yield from (rest._replace(entries={**rest.entries, target: one}) for target, one in found)
        if not found:
            yield rest


def whole(resource: Resource, target: str, row: Row) -> Node:
    """All of a part as one value at a property of what it is a part of."""
    definitions = definitions_of(row.type)
    own = property_at(target.split("."), definitions[""], definitions)
    return _shaped(resource.properties, own, _Into(row, definitions), "")
