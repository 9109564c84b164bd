"""Trees of tree-sitter: their texts and children, and the nodes that are made of each type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import tree_sitter

from threatmodel.beside.code.syntax import Node
from threatmodel.reading.values import new_tuple

Tree = tree_sitter.Node

EXPRESSIONS: dict[str, Callable[[Tree], Node]] = {}
"""What makes a node of an expression, by its type; filled where all are known, since each makes others."""
STATEMENTS: dict[str, Callable[[Tree], list[Node]]] = {}
"""What makes the nodes of a statement, by its type."""

TYPES_ONLY = frozenset(
    {"comment", "interface_declaration", "type_alias_declaration", "ambient_declaration", "function_signature"}
    | {"type_annotation", "type_arguments", "type_parameters", "empty_statement", "hash_bang_line", "import_type"}
    | {"method_signature", "abstract_method_signature", "property_signature", "accessibility_modifier"}
)
_BLOCKS = frozenset({"program", "statement_block", "class_body", "switch_body"})
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))\Z", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}


def node(kind: str, name: str, parts: Iterable[Node], at: Tree) -> Node:
    """Return a node at the place of a tree."""
    row, column = at.start_point
    return new_tuple(Node, (kind, name, tuple(parts), row + 1, column + 1))


def text(at: Tree | None) -> str:
    """Return the text of a tree; '' for none."""
    return (at.text or b"").decode("utf-8", "replace") if at is not None else ""


def string(at: Tree) -> str:
    """Return what a string says."""
    return said(at.named_children)


def said(pieces: Iterable[Tree]) -> str:
    """Return what pieces of a string say, with its escapes resolved."""
    found = "".join(_unescaped(text(one)) if one.type == "escape_sequence" else text(one) for one in pieces)
    if found.isascii():
        return found
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # two escapes may be one character


def children(at: Tree) -> list[Tree]:
    """Return the parts of a tree that run."""
    return [one for one in at.named_children if one.type not in TYPES_ONLY]


def first(at: Tree, kind: str) -> Tree | None:
    """Return the first part of a type."""
    return next((one for one in at.named_children if one.type == kind), None)


def expression(at: Tree) -> Node:
    """Return the node of an expression."""
    make = EXPRESSIONS.get(at.type)
    return make(at) if make is not None else node("operation", "", every(children(at)), at)


def every(found: Iterable[Tree | None]) -> list[Node]:
    """Return the nodes of expressions, as far as they are there."""
    return [expression(one) for one in found if one is not None and one.type not in TYPES_ONLY]


def fields(at: Tree, *names: str) -> list[Node]:
    """Return the expressions of some fields, as far as they are there."""
    return every([at.child_by_field_name(name) for name in names])


def statement(at: Tree) -> list[Node]:
    """Return the nodes of a statement."""
    make = STATEMENTS.get(at.type)
    return make(at) if make is not None else [node("expression", "", [expression(at)], at)]


def block(at: Tree | None, whole: Tree) -> Node:
    """Return the block of a tree, or an empty one at the place of the whole."""
    if at is None:
        return node("block", "", (), whole)
    inside = children(at) if at.type in _BLOCKS else [at]
    return node("block", "", [one for inner in inside for one in statement(inner)], at)


def _unescaped(escape: str) -> str:
    found = _ESCAPE.match(escape)
    if found is None:
        return escape
    code = found[1] or found[2] or found[3]
    if code:
        return chr(min(int(code, 16), 0x10FFFF))
    return _ESCAPED.get(found[4], found[4])
