"""Statements of JavaScript to nodes: definitions, imports and exports, and what runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from threatmodel.beside.code.javascript.expressions import key_name
from threatmodel.beside.code.javascript.patterns import bound, named, parameter
from threatmodel.beside.code.javascript.tree import (
    Tree,
    block,
    children,
    every,
    expression,
    fields,
    first,
    node,
    statement,
    string,
    text,
)
from threatmodel.beside.code.syntax import Node, ParseError, later

_FUNCTIONS = (
    *("function_declaration", "generator_function_declaration", "function_expression", "generator_function"),
    *("arrow_function", "method_definition"),
)
_CLASSES = ("class_declaration", "abstract_class_declaration")


def _function(at: Tree) -> Node:
    name, body = at.child_by_field_name("name"), at.child_by_field_name("body")
    given = at.child_by_field_name("parameters") or at.child_by_field_name("parameter")
    if body is not None and body.type != "statement_block":
        inside = node("block", "", [node("return", "", [expression(body)], body)], body)
    else:
        inside = (_later(body) if body is not None else None) or block(body, at)
    every = [] if given is None else [given] if given.type == "identifier" else children(given)
    words = {one.type for one in at.children}
    parameters = node("list", "async" if "async" in words else "", [parameter(one) for one in every], at)
    getter = [node("name", "property", (), at)] if "get" in words else []
    return node("function", key_name(name) if name is not None else "", [parameters, inside, *getter], at)


_NEEDED = ("import", "require", "_function", "function_", "method_definition", "(class")
"""What a function has that is made at once, in its text or its tree: what names other code, or defines it."""


def _later(body: Tree) -> Node | None:
    """Return a block whose statements are made when one looks at them; None where they are needed."""
    source = text(body)
    whole = source + str(body)
    if any(one in whole for one in _NEEDED):
        return None
    row, column = body.start_point
    return later(source, row + 1, column + 1, lambda: block(body, body).parts)


def _class(at: Tree) -> Node:
    bases = [expression(one) for one in children(at) if one.type == "class_heritage"]
    return node("class", text(at.child_by_field_name("name")), [block(at.child_by_field_name("body"), at), *bases], at)


DEFINED: Mapping[str, Callable[[Tree], Node]] = {
    **dict.fromkeys(_FUNCTIONS, _function),
    **dict.fromkeys((*_CLASSES, "class"), _class),
}
"""What is made of functions and classes, which are expressions too."""


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


def _left(at: Tree) -> list[Node]:
    """Return the statement of a return or throw."""
    return [node("return" if at.type == "return_statement" else "raise", "", every(children(at)), at)]


def _if(at: Tree) -> list[Node]:
    other = at.child_by_field_name("alternative")
    last = children(other)[:1] if other is not None else []
    blocks = [block(at.child_by_field_name("consequence"), at), block(last[0] if last else None, at)]
    return [node("if", "", [*fields(at, "condition"), *blocks], at)]


def _loop(at: Tree) -> list[Node]:
    begin = at.child_by_field_name("initializer")
    head = statement(begin) if begin is not None else []
    body = block(at.child_by_field_name("body"), at)
    return [*head, node("loop", "", [body, *fields(at, "condition", "increment")], at)]


def _each(at: Tree) -> list[Node]:
    assigned = bound(at.child_by_field_name("left"), at.child_by_field_name("right"), at)
    body = block(at.child_by_field_name("body"), at)
    return [node("loop", "", [body._replace(parts=(*assigned, *body.parts))], at)]


def _held(at: Tree) -> list[Node]:
    """Return the value of a field of a class."""
    name = at.child_by_field_name("name") or at.child_by_field_name("property")
    value = at.child_by_field_name("value")
    if value is None or name is None:
        return []
    return [node("assign", "", [node("name", text(name), (), name), expression(value)], at)]


def _alone(at: Tree) -> list[Node]:
    inner = children(at)
    return _evaluated(inner[0]) if inner else []


def _evaluated(at: Tree) -> list[Node]:
    """Return an expression as statements: what it assigns, or what it does."""
    if at.type == "assignment_expression":
        return bound(at.child_by_field_name("left"), at.child_by_field_name("right"), at)
    if at.type == "sequence_expression":
        return [made for one in children(at) for made in _evaluated(one)]
    return [node("expression", "", [expression(at)], at)]


def _declared(at: Tree) -> list[Node]:
    value, name = at.child_by_field_name("value"), at.child_by_field_name("name")
    if value is None and name is not None:
        return [node("assign", "declare", [expression(name), node("constant", "none", (), at)], at)]
    return [one._replace(name="declare") for one in bound(name, value, at)]


def _tried(at: Tree) -> list[Node]:
    caught, last = at.child_by_field_name("handler"), at.child_by_field_name("finalizer")
    handlers = []
    if caught is not None:
        body = block(caught.child_by_field_name("body"), caught)
        handlers.append(node("handler", text(caught.child_by_field_name("parameter")), [body], caught))
    final = block(last.child_by_field_name("body") if last is not None else None, at)
    return [node("try", "", [block(at.child_by_field_name("body"), at), *handlers, final], at)]


def _switched(at: Tree) -> list[Node]:
    """Return a test for each case; that of all others is always true, unless a case goes on after the switch.

    A case without statements is one of the values of the next, and one that does not end goes on with the next.
    """
    value, body = fields(at, "value"), at.child_by_field_name("body")
    cases = list(_cases(children(body) if body is not None else [], value))
    named = [one for _, tests in cases for one in tests if one.kind == "compare"]
    found: list[Node] = []
    following: list[Node] = []
    goes_on = False
    for case, tests in reversed(cases):
        tested = case.child_by_field_name("value")
        inside = [one for one in children(case) if tested is None or one.id != tested.id]
        own = [made for one in inside for made in statement(one)]
        if own[-1:] and own[-1].kind in {"return", "raise", "leave"}:
            breaks = own[-1][:2] == ("leave", "break")
            goes_on |= breaks
            following = own[:-1] if breaks else own
        else:
            following = [*own, *following]
        if len(following) > _MOST:
            raise ParseError(case.start_point.row + 1, "a case of a switch goes on with too many others")
        test = tests[0] if len(tests) == 1 else node("or", "", tests, case)
        found.append(node("if", "", [test, node("block", "", following, case), block(None, case)], case))
    if goes_on and named:
        none = node("not", "", [node("or", "", named, at)], at)
        found = [
            one._replace(parts=(none, *one.parts[1:])) if one.parts[0].kind == "constant" else one for one in found
        ]
    return found[::-1]


_MOST = 2_000
"""Statements of a case with those of the cases that it goes on with."""


def _cases(cases: Iterable[Tree], value: list[Node]) -> Iterator[tuple[Tree, list[Node]]]:
    """Yield the cases that have statements, each with its test and those of the cases directly before it."""
    tests: list[Node] = []
    for case in cases:
        tested = case.child_by_field_name("value")
        always = node("constant", "true", (), case)
        tests.append(node("compare", "==", [*value, *every([tested])], case) if tested is not None else always)
        if len(children(case)) > (tested is not None):
            yield case, tests
            tests = []


def _enumerated(at: Tree) -> list[Node]:
    """Return the object that an enumeration of TypeScript is; a member without a value is none of the others."""
    name, body, pairs = at.child_by_field_name("name"), at.child_by_field_name("body"), list[Node]()
    for one in children(body) if body is not None else ():
        value, key = one.child_by_field_name("value"), text(one.child_by_field_name("name") or one)
        pairs.append(node("pair", key, [expression(value) if value else node("text", key, (), one)], one))
    return [node("assign", "declare", [node("name", text(name), (), at), node("dict", "", pairs, at)], at)]


MADE: Mapping[str, Callable[[Tree], list[Node]]] = {
    **dict.fromkeys(
        ("lexical_declaration", "variable_declaration"),
        lambda at: [made for one in children(at) for made in _declared(one)],
    ),
    **dict.fromkeys(("return_statement", "throw_statement"), _left),
    **dict.fromkeys(("for_statement", "while_statement", "do_statement"), _loop),
    **dict.fromkeys(("field_definition", "public_field_definition"), _held),
    "debugger_statement": lambda _: [],
    "enum_declaration": _enumerated,
    **dict.fromkeys(
        ("break_statement", "continue_statement"), lambda at: [node("leave", at.type.partition("_")[0], (), at)]
    ),
    **dict.fromkeys(
        ("labeled_statement", "internal_module", "module"),
        lambda at: [*block(at.child_by_field_name("body"), at).parts],
    ),
    **dict.fromkeys((*_FUNCTIONS, *_CLASSES), lambda at: [DEFINED[at.type](at)]),
    "import_statement": _imported,
    "export_statement": _exported,
    "if_statement": _if,
    "for_in_statement": _each,
    "try_statement": _tried,
    "switch_statement": _switched,
    "statement_block": lambda at: [*block(at, at).parts],
    "expression_statement": _alone,
}
