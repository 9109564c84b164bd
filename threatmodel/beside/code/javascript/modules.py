"""What a module of JavaScript imports and exports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from threatmodel.beside.code.javascript.patterns import named
from threatmodel.beside.code.javascript.tree import Tree, children, expression, first, node, statement, string, text
from threatmodel.beside.code.syntax import Node


def _imported(at: Tree) -> list[Node]:
    if any(one.type == "type" for one in at.children):
        return []
    source = at.child_by_field_name("source")
    required = first(at, "import_require_clause")
    clause = first(at, "import_clause")
    names = list(_clause(clause)) if clause is not None else []
    if required is not None:
        source = required.child_by_field_name("source")
        names = [named(text(one), "*", one) for one in required.named_children if one.type == "identifier"]
    return [node("import", string(source), names, at)] if source is not None else []


def _clause(clause: Tree) -> Iterator[Node]:
    for one in children(clause):
        match one.type:
            case "identifier":
                yield named(text(one), "default", one)
            case "namespace_import":
                yield from (named(text(inner), "*", inner) for inner in children(one)[:1])
            case _:
                yield from _listed(one)


def _listed(names: Tree | None) -> Iterator[Node]:
    """Yield the names in braces, each with the one that it has in the other module."""
    for item in children(names) if names is not None else ():
        name, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
        if name is not None:
            yield named(text(alias or name), text(name), item)


def _exported(at: Tree) -> list[Node]:
    source, declared = at.child_by_field_name("source"), at.child_by_field_name("declaration")
    if source is not None:
        names = list(_listed(first(at, "export_clause")))
        return [node("import", string(source), names or [named("*", "*", at)], at)]
    if declared is not None:
        return statement(declared)
    value = at.child_by_field_name("value")
    if value is None:
        return []
    made = expression(value)
    if made.kind in {"function", "class"} and made.name:
        return [made]
    return [node("assign", "", [node("name", "default", (), at), made], at)]


MADE: Mapping[str, Callable[[Tree], list[Node]]] = {"import_statement": _imported, "export_statement": _exported}
