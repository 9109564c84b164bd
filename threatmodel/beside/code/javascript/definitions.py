"""Functions and classes of JavaScript to nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from threatmodel.beside.code.javascript.expressions import key_name
from threatmodel.beside.code.javascript.patterns import parameter
from threatmodel.beside.code.javascript.tree import Tree, block, children, expression, node, text
from threatmodel.beside.code.syntax import Node

_FUNCTIONS = (
    *("function_declaration", "generator_function_declaration", "function_expression", "generator_function"),
    *("arrow_function", "method_definition"),
)
_CLASSES = ("class_declaration", "abstract_class_declaration")
STATEMENTS = (*_FUNCTIONS, *_CLASSES)
"""What may be a statement by itself."""


def _function(at: Tree) -> Node:
    name, body = at.child_by_field_name("name"), at.child_by_field_name("body")
    given = at.child_by_field_name("parameters") or at.child_by_field_name("parameter")
    if body is not None and body.type != "statement_block":
        inside = node("block", "", [node("return", "", [expression(body)], body)], body)
    else:
        inside = block(body, at)
    every = [] if given is None else [given] if given.type == "identifier" else children(given)
    waits = "async" if any(one.type == "async" for one in at.children) else ""
    parameters = node("list", waits, [parameter(one) for one in every], at)
    getter = [node("name", "property", (), at)] if any(one.type == "get" for one in at.children) else []
    return node("function", key_name(name) if name is not None else "", [parameters, inside, *getter], at)


def _class(at: Tree) -> Node:
    bases = [expression(one) for one in children(at) if one.type == "class_heritage"]
    return node("class", text(at.child_by_field_name("name")), [block(at.child_by_field_name("body"), at), *bases], at)


MADE: Mapping[str, Callable[[Tree], Node]] = {
    **dict.fromkeys(_FUNCTIONS, _function),
    **dict.fromkeys((*_CLASSES, "class"), _class),
}
