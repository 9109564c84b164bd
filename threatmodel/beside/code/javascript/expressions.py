"""Expressions of JavaScript to nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from threatmodel.beside.code.javascript.tree import (
    Tree,
    children,
    every,
    expression,
    fields,
    node,
    said,
    string,
    text,
)
from threatmodel.beside.code.syntax import Node

_SAME = {"===": "==", "!==": "!="}
_COMPARED = frozenset({"==", "!=", "<", ">", "<=", ">=", "in", "instanceof"})
_BOTH: Mapping[str, str] = {"&&": "and", "||": "or", "??": "or", "+": "join"}
_NAMES = (
    *("identifier", "shorthand_property_identifier", "this", "super", "property_identifier"),
    *("shorthand_property_identifier_pattern", "private_property_identifier"),
)
_WRAPPED = (
    *("parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression", "type_assertion"),
    *("expression_statement", "template_substitution", "computed_property_name", "decorator"),
)
"""What is in brackets, or said to be of a type."""
_CONSTANTS: Mapping[str, str] = {"true": "true", "false": "false", "null": "none", "undefined": "none"}


def key_name(at: Tree) -> str:
    """Return a key of an object; '' for one that is computed."""
    if at.type == "computed_property_name":
        return ""
    return string(at) if at.type == "string" else text(at)


def _member(at: Tree) -> Node:
    return node("attribute", text(at.child_by_field_name("property")), fields(at, "object"), at)


def _subscript(at: Tree) -> Node:
    index = at.child_by_field_name("index")
    if index is not None and index.type == "string":
        name = string(index)
        return node("attribute", name, [*fields(at, "object"), node("key", name, (), index)], at)
    return node("item", "", fields(at, "object", "index"), at)


def _unary(at: Tree) -> Node:
    operator = text(at.child_by_field_name("operator"))
    kind = "not" if operator == "!" else "operation"
    return node(kind, operator if operator in {"-", "typeof"} else "", fields(at, "argument"), at)


def _inner(at: Tree) -> Node:
    inside = children(at)
    return expression(inside[0]) if inside else node("operation", "", (), at)


def _awaited(at: Tree) -> Node:
    inside = _inner(at)
    return inside._replace(name="await") if inside[:2] == ("call", "") else node("operation", "await", [inside], at)


def _call(at: Tree) -> Node:
    called = at.child_by_field_name("function") or at.child_by_field_name("constructor")
    given = at.child_by_field_name("arguments")
    arguments: list[Node] = []
    if given is not None:
        arguments = [expression(given)] if given.type == "template_string" else every(children(given))
    if called is not None and called.type == "import":
        return node("call", "", [node("name", "import", (), called), *arguments], at)
    return node("call", "new" if at.type == "new_expression" else "", [*every([called]), *arguments], at)


def _sequence(at: Tree) -> Node:
    """Return the value of a sequence: `(0, module.name)` is how bundlers write a name that they call."""
    *before, last = every(children(at))
    return last if all(one.kind == "constant" for one in before) else node("operation", "", [*before, last], at)


def _binary(at: Tree) -> Node:
    word = text(at.child_by_field_name("operator"))
    word = _SAME.get(word, word)
    sides = fields(at, "left", "right")
    if word in _COMPARED:
        return node("compare", word, sides, at)
    return node(_BOTH[word], "", sides, at) if word in _BOTH else node("operation", word, sides, at)


def _template(at: Tree) -> Node:
    """Return a text, or what it is put together of: fixed texts, and what is filled in between them."""
    parts: list[Node] = []
    fixed: list[Tree] = []
    for one in at.named_children:
        if one.type == "template_substitution":
            parts += [*_fixed(fixed), *every(children(one))]
            fixed = []
        elif one.type != "comment":
            fixed.append(one)
    if not parts:
        return node("text", said(fixed), (), at)
    return node("join", "", [*parts, *_fixed(fixed)], at)


def _fixed(pieces: list[Tree]) -> list[Node]:
    return [node("text", said(pieces), (), pieces[0])] if pieces else []


def _pair(at: Tree) -> Node:
    match at.type:
        case "pair":
            key = at.child_by_field_name("key")
            name = key_name(key) if key is not None else ""
            keys = every([key]) if key is not None and key.type == "computed_property_name" else []
            keys = [node("key", name, (), key)] if key is not None and key.type == "string" else keys
            return node("pair", name, [*fields(at, "value"), *keys], at)
        case "method_definition":
            made = expression(at)
            return node("pair", made.name, [made], at)
        case "spread_element":
            return expression(at)
        case _:
            return node("pair", text(at), [expression(at)], at)


MADE: Mapping[str, Callable[[Tree], Node]] = {
    **dict.fromkeys(_NAMES, lambda at: node("name", text(at), (), at)),
    **dict.fromkeys(_WRAPPED, _inner),
    **dict.fromkeys(_CONSTANTS, lambda at: node("constant", _CONSTANTS[at.type], (), at)),
    **dict.fromkeys(("call_expression", "new_expression"), _call),
    "await_expression": _awaited,
    "yield_expression": lambda at: node("operation", "yield", every(children(at)), at),
    "member_expression": _member,
    "subscript_expression": _subscript,
    "string": lambda at: node("text", string(at), (), at),
    "template_string": _template,
    "number": lambda at: node("constant", text(at).replace("_", ""), (), at),
    "regex": lambda at: node("regex", text(at.child_by_field_name("pattern")), (), at),
    "binary_expression": _binary,
    "unary_expression": _unary,
    "ternary_expression": lambda at: node("choice", "", fields(at, "condition", "consequence", "alternative"), at),
    "object": lambda at: node("dict", "", [_pair(one) for one in children(at)], at),
    "array": lambda at: node("list", "", every(children(at)), at),
    "spread_element": lambda at: node("spread", "", every(children(at)), at),
    "sequence_expression": _sequence,
    "assignment_expression": lambda at: node("assign", "", fields(at, "left", "right"), at),
    "augmented_assignment_expression": lambda at: node("assign", "+", fields(at, "left", "right"), at),
}
