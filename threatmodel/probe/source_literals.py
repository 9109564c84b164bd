"""The texts that a source names, and what may be the name of a field, header or variable in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from threatmodel.beside.code.syntax import Node, walk
from threatmodel.probe.source_variables import names_in

_LONGEST, _DIGITS, _MOST_BITS = 80, 6, 32
_COMPUTED = frozenset({"join", "operation"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,40}\Z", re.ASCII)
ASKING = frozenset(
    {"startswith", "endswith", "removeprefix", "fullmatch", "search", "match", "test", "has", "includes"}
    | {"startsWith", "endsWith", "indexOf", "matches"}
)
"""Methods that look for a text."""
_ORDERS = frozenset({"<", ">", "<=", ">="})


class Literals(NamedTuple):
    """What one file names: short texts and those that are compared, functions, fields and headers, variables."""

    compared: tuple[str, ...]
    texts: tuple[str, ...]
    called: tuple[str, ...]
    names: tuple[str, ...]
    variables: tuple[str, ...]


def literals_of(block: Node) -> Literals:
    """Return what a file names."""
    nodes = list(walk(block))
    constants = constants_in(nodes)
    composed = {id(node): text for node in nodes if node.kind in _COMPUTED and (text := _text(node, constants))}
    texts = tuple(dict.fromkeys((*texts_in(block), *composed.values())))
    deciding = [node for node in nodes if _decides(node)]
    compared = [text for node in deciding for text in texts_in(node)]
    compared += [composed[id(one)] for node in deciding for one in walk(node) if id(one) in composed]
    return Literals(
        tuple(dict.fromkeys(compared)),
        texts,
        _names(one.name for one in nodes if one.kind == "function" or _is_entry(one)),
        _names((*texts, *members(nodes))),
        tuple(names_in(nodes)),
    )


def constants_in(nodes: Iterable[Node]) -> dict[str, str]:
    """Return the texts and numbers of the names that are assigned one."""
    found: dict[str, str] = {}
    for node in nodes:
        if node.kind == "assign" and not node.name.startswith("+") and len(node.parts) > 1:
            target, value = node.parts[:2]
            several = target.kind == value.kind == "list"
            for name, one in zip(target.parts, value.parts, strict=False) if several else ((target, value),):
                if name.kind == "name" and (text := _text(one, found)):
                    found[name.name] = text
    return found


def _text(node: Node, constants: Mapping[str, str]) -> str:
    """Return the short text that an expression of constants is; '' for any other."""
    if node.kind == "name":
        return constants.get(node.name, "")
    if node.kind == "operation":
        return _computed(node.name, [_text(part, constants) for part in node.parts])
    if node.kind != "join":
        return node.name if node.kind == "text" or (node.kind == "constant" and node.name.isdigit()) else ""
    parts = [_text(part, constants) for part in node.parts]
    whole = "".join(parts)
    return whole if all(parts) and len(whole) <= _LONGEST else ""


def _computed(operator: str, sides: Sequence[str]) -> str:
    """Return a product as a text (`128 * 1024`, `1 << 20`, `2 ** 10`), which may be a size; '' for any other."""
    match [int(one) for one in sides if one.isdigit() and len(one) <= _DIGITS]:
        case [first, second] if operator == "*":
            return str(first * second)
        case [first, second] if operator == "<<" and second <= _MOST_BITS:
            return str(first << second)
        case [first, second] if operator == "**" and first.bit_length() * second <= _MOST_BITS:
            return str(first**second)
    return ""


def texts_in(node: Node) -> Iterator[str]:
    """Yield short texts, patterns and numbers below a node; no text that is a statement, as documentation is."""
    ahead = [node]
    while ahead:
        one = ahead.pop()
        if one.kind in {"import", "as"} or (one.kind == "expression" and one.parts and one.parts[0].kind == "text"):
            continue
        number = one.kind == "constant" and one.name.isdigit() and len(one.name) <= _DIGITS
        if (number or one.kind in {"text", "key", "regex"}) and 0 < len(one.name) <= _LONGEST:
            yield one.name
        ahead.extend(reversed(one.parts))


def members(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield the attributes that are read, and keys of tables and parameters: no method, and nothing of a module."""
    modules = {one.name for node in nodes if node.kind == "import" for one in node.parts}
    methods = {id(node.parts[0]) for node in nodes if node.kind == "call"}
    for node in nodes:
        reads = node.kind == "attribute" and id(node) not in methods and _root(node) not in modules
        if reads or node.kind == "pair":
            yield node.name
        elif node.kind == "parameter":
            yield from (one.parts[0].name for one in node.parts if one.kind == "as")


def _root(node: Node) -> str:
    while node.kind == "attribute":
        node = node.parts[0]
    return node.name


def _decides(node: Node) -> bool:
    """Return whether texts below a node decide something: they are compared, or looked for in another."""
    asks = node.kind == "call" and node.parts[0].kind == "attribute" and node.parts[0].name in ASKING
    return asks or node.kind == "regex" or (node.kind == "compare" and node.name not in _ORDERS)


def _is_entry(node: Node) -> bool:
    """Return whether a node is an entry of a table whose key is a plain name."""
    return node.kind == "pair" and len(node.parts) == 1 and node.parts[0].name != node.name


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in found if _NAME.match(name) and not name.startswith("__")))
