"""The variables that a source reads, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from threatmodel.beside.code.syntax import Node, walk

_ASKING = frozenset({"get", "getenv", "pop", "setdefault"})
_METHODS = _ASKING | {"copy", "items", "keys", "values", "update", "clear", "..."}
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
"""What a name of a variable looks like, where a source asks for one whose name is elsewhere in it."""


def names_in(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield the variables that the nodes of a source read."""
    environment = {"environ", *(name for node in nodes for name in _named(node))}
    asked = [key for node in nodes if (key := _asked(node, environment)) is not None]
    if any(key.kind != "text" for key in asked):
        yield from (text for text in _handed_on(nodes, environment) if _CAPITALS.match(text))
    yield from (key.name for key in asked if key.kind == "text")


def _named(node: Node) -> Iterator[str]:
    """Yield the name that the whole environment is given."""
    if node.kind == "assign" and node.parts[0].kind == "name" and _is_environment(node.parts[1], {"environ"}):
        yield node.parts[0].name
    elif node.kind == "import" and node.name in {"os", "process", "node:process"}:
        yield from (one.name for one in node.parts if one.parts[0].name in {"environ", "env"})


def _asked(node: Node, environment: AbstractSet[str]) -> Node | None:
    """Return by what a node asks for a variable of the environment: a text, or what computes its name."""
    match node.kind:
        case "attribute" if node.name not in _METHODS and _is_environment(node.parts[0], environment):
            return node._replace(kind="text", parts=())  # `process.env.NAME` has it written
        case "item" if _is_environment(node.parts[0], environment):
            return node.parts[-1]
        case "compare" if node.name in {"in", "not in"} and _is_environment(node.parts[1], environment):
            return node.parts[0]
        case "call" if len(node.parts) > 1:
            called = node.parts[0]
            asks = called.kind == "attribute" and called.name in _ASKING
            asks = asks and _is_environment(called.parts[0], environment)
            return node.parts[1] if asks or called.name == "getenv" else None
    return None


def _handed_on(nodes: Sequence[Node], environment: AbstractSet[str]) -> Iterator[str]:
    """Yield texts that may come to where a variable is asked for by name: arguments of that function, items of lists.

    What is raised, returned, compared or handed to another function is none, such as the code of an error.
    """
    asking = {name for node in nodes for name in _asks(node, environment)}
    for node in nodes:
        match node.kind:
            case "call" if node.parts[0].name in asking:
                yield from map(_text, node.parts[1:])
            case "list" | "parameter":
                yield from map(_text, node.parts)
            case "assign":
                yield _text(node.parts[1])
            case "pair":
                yield node.name


def _asks(node: Node, environment: AbstractSet[str]) -> Iterator[str]:
    """Yield the name of a function or class in which a variable is asked for by a name that is not written there."""
    value = node.parts[1] if node.kind == "assign" else node
    if value.kind in {"function", "class"}:
        keys = (_asked(inner, environment) for inner in walk(value))
        if any(key is not None and key.kind != "text" for key in keys):
            yield node.parts[0].name if node.kind == "assign" else node.name


def _text(node: Node) -> str:
    value = node.parts[0] if node.kind == "keyword" else node
    return value.name if value.kind == "text" else ""


def _is_environment(node: Node, names: AbstractSet[str]) -> bool:
    """Return whether a node is the environment: `os.environ`, `process.env`, or one of some names."""
    if node.kind == "attribute":
        return node.name == "environ" or (node.name == "env" and node.parts[0].name == "process")
    return node.kind == "name" and node.name in names
