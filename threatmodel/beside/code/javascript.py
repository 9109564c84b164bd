"""JavaScript and TypeScript to nodes, by the grammars of tree-sitter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

import tree_sitter
import tree_sitter_javascript
import tree_sitter_typescript

from threatmodel.beside.code.syntax import Node, ParseError
from threatmodel.reading.values import new_tuple

_LANGUAGES: Mapping[str, Callable[[], object]] = {
    ".ts": tree_sitter_typescript.language_typescript,
    ".mts": tree_sitter_typescript.language_typescript,
    ".cts": tree_sitter_typescript.language_typescript,
    ".tsx": tree_sitter_typescript.language_tsx,
}
_SAME = {"===": "==", "!==": "!="}
_COMPARED = frozenset({"==", "!=", "<", ">", "<=", ">=", "in", "instanceof"})
_BOTH: Mapping[str, str] = {"&&": "and", "||": "or", "??": "or", "+": "join"}
_TYPES_ONLY = frozenset(
    {"comment", "interface_declaration", "type_alias_declaration", "ambient_declaration", "function_signature"}
    | {"type_annotation", "type_arguments", "type_parameters", "empty_statement", "hash_bang_line", "import_type"}
    | {"method_signature", "abstract_method_signature", "property_signature", "accessibility_modifier"}
)
_WRAPPED = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression"}
    | {"type_assertion", "expression_statement", "template_substitution", "computed_property_name", "decorator"}
)
_FUNCTIONS = frozenset(
    {"function_declaration", "generator_function_declaration", "function_expression", "generator_function"}
    | {"arrow_function", "method_definition"}
)
_CONSTANTS: Mapping[str, str] = {"true": "true", "false": "false", "null": "none", "undefined": "none"}
_TARGETS = frozenset({"object_pattern", "array_pattern"})


@cache
def _parser(ending: str) -> tree_sitter.Parser:
    make = _LANGUAGES.get(ending, tree_sitter_javascript.language)
    return tree_sitter.Parser(tree_sitter.Language(make()))


def parse(text: str, ending: str) -> Node:
    """Return a script or module as a block.  Raises ParseError."""
    root = _parser(ending).parse(text.encode("utf-8", "surrogatepass")).root_node
    if root.has_error:
        raise ParseError(_first_error(root), f"no {'TypeScript' if ending in _LANGUAGES else 'JavaScript'} that parses")
    try:
        return _block(root)
    except RecursionError:
        raise ParseError(1, "it is nested too deeply to be parsed") from None


def _first_error(root: tree_sitter.Node) -> int:
    ahead = [root]
    while ahead:
        one = ahead.pop()
        if one.is_error or one.is_missing:
            return one.start_point.row + 1
        ahead.extend(reversed([child for child in one.children if child.has_error or child.is_missing]))
    return 1


def _node(kind: str, name: str, parts: Iterable[Node], at: tree_sitter.Node) -> Node:
    row, column = at.start_point
    return new_tuple(Node, (kind, name, tuple(parts), row + 1, column + 1))


def _text(at: tree_sitter.Node) -> str:
    return (at.text or b"").decode("utf-8", "replace")


def _children(at: tree_sitter.Node) -> list[tree_sitter.Node]:
    return [one for one in at.named_children if one.type not in _TYPES_ONLY]


def _all(found: Iterable[tree_sitter.Node | None]) -> list[Node]:
    return [_expression(one) for one in found if one is not None and one.type not in _TYPES_ONLY]


# --- statements


def _block(at: tree_sitter.Node | None, whole: tree_sitter.Node | None = None) -> Node:
    if at is None:
        return Node("block", "", (), 1, 1) if whole is None else _node("block", "", (), whole)
    inside = _children(at) if at.type in {"program", "statement_block", "class_body", "switch_body"} else [at]
    return _node("block", "", [one for statement in inside for one in _statement(statement)], at)


def _statement(at: tree_sitter.Node) -> list[Node]:
    make = _STATEMENTS.get(at.type)
    return make(at) if make is not None else [_node("expression", "", [_expression(at)], at)]


def _field(at: tree_sitter.Node, *names: str) -> list[Node]:
    """Return the expressions of some fields, as far as they are there."""
    return _all([at.child_by_field_name(name) for name in names])


def _left(at: tree_sitter.Node) -> list[Node]:
    """Return the statement of a return or throw."""
    return [_node("return" if at.type == "return_statement" else "raise", "", _all(_children(at)), at)]


def _if(at: tree_sitter.Node) -> list[Node]:
    other = at.child_by_field_name("alternative")
    last = _children(other)[:1] if other is not None else []
    blocks = [_block(at.child_by_field_name("consequence"), at), _block(last[0] if last else None, at)]
    return [_node("if", "", [*_field(at, "condition"), *blocks], at)]


def _loop(at: tree_sitter.Node) -> list[Node]:
    first = at.child_by_field_name("initializer")
    head = _statement(first) if first is not None else []
    body = _block(at.child_by_field_name("body"), at)
    return [*head, _node("loop", "", [body, *_field(at, "condition", "increment")], at)]


def _each(at: tree_sitter.Node) -> list[Node]:
    assigned = _bound(at.child_by_field_name("left"), at.child_by_field_name("right"), at)
    body = _block(at.child_by_field_name("body"), at)
    return [_node("loop", "", [body._replace(parts=(*assigned, *body.parts))], at)]


def _held(at: tree_sitter.Node) -> list[Node]:
    """Return the value of a field of a class."""
    value = at.child_by_field_name("value")
    name = at.child_by_field_name("name") or at.child_by_field_name("property")
    if value is None or name is None:
        return []
    return [_node("assign", "", [_node("name", _text(name), (), name), _expression(value)], at)]


def _alone(at: tree_sitter.Node) -> list[Node]:
    inner = _children(at)
    return _statement_of(inner[0]) if inner else []


def _statement_of(at: tree_sitter.Node) -> list[Node]:
    """Return an expression as statements: what it assigns, or what it does."""
    if at.type == "assignment_expression":
        return _bound(at.child_by_field_name("left"), at.child_by_field_name("right"), at)
    if at.type == "sequence_expression":
        return [node for one in _children(at) for node in _statement_of(one)]
    return [_node("expression", "", [_expression(at)], at)]


def _declared(at: tree_sitter.Node) -> list[Node]:
    value = at.child_by_field_name("value")
    name = at.child_by_field_name("name")
    if value is None and name is not None:
        return [_node("assign", "declare", [_expression(name), _node("constant", "none", (), at)], at)]
    return [one._replace(name="declare") for one in _bound(name, value, at)]


def _bound(left: tree_sitter.Node | None, right: tree_sitter.Node | None, at: tree_sitter.Node) -> list[Node]:
    """Return the assignments of a value to a target, which may be a pattern."""
    if left is None or right is None:
        return []
    return list(_unpacked(left, _expression(right), at))


def _unpacked(target: tree_sitter.Node, value: Node, at: tree_sitter.Node) -> Iterator[Node]:
    if target.type not in _TARGETS:
        yield _node("assign", "", [_expression(target), value], at)
        return
    for number, (key, inner) in enumerate(_members(target)):
        item = [value, _node("constant", str(number), (), inner)] if target.type == "array_pattern" else [value]
        found = _node("attribute", key, [value], at) if key else _node("item", "", item, at)
        yield from _unpacked(inner, found, at)


def _members(pattern: tree_sitter.Node) -> Iterator[tuple[str, tree_sitter.Node]]:
    """Yield the targets of a pattern, each with the key that it takes: '' for an item, ... for all other keys."""
    for one in _children(pattern):
        match one.type:
            case "shorthand_property_identifier_pattern":
                yield _text(one), one
            case "pair_pattern":
                key, value = one.child_by_field_name("key"), one.child_by_field_name("value")
                if key is not None and value is not None:
                    yield from ((_key(key), inner) for inner in [_target(value)])
            case "object_assignment_pattern" | "assignment_pattern":
                left = one.child_by_field_name("left")
                if left is not None:
                    yield (_text(left) if left.type.startswith("shorthand") else ""), _target(left)
            case "rest_pattern":
                rest = "..." if pattern.type == "object_pattern" else ""
                yield from ((rest, inner) for inner in _children(one)[:1])
            case _:
                yield "", one


def _target(at: tree_sitter.Node) -> tree_sitter.Node:
    left = at.child_by_field_name("left") if at.type == "assignment_pattern" else None
    return left if left is not None else at


def _tried(at: tree_sitter.Node) -> Node:
    caught, last = at.child_by_field_name("handler"), at.child_by_field_name("finalizer")
    handlers = []
    if caught is not None:
        name = caught.child_by_field_name("parameter")
        body = _block(caught.child_by_field_name("body"))
        handlers.append(_node("handler", _text(name) if name is not None else "", [body], caught))
    final = _block(last.child_by_field_name("body") if last is not None else None, at)
    return _node("try", "", [_block(at.child_by_field_name("body")), *handlers, final], at)


def _switched(at: tree_sitter.Node) -> list[Node]:
    value, body = _all([at.child_by_field_name("value")]), at.child_by_field_name("body")
    found: list[Node] = []
    for case in _children(body) if body is not None else ():
        tested = case.child_by_field_name("value")
        inside = [one for one in _children(case) if tested is None or one.id != tested.id]
        block = _node("block", "", [node for one in inside for node in _statement(one)], case)
        test = _node("compare", "==", [*value, *_all([tested])], case) if tested is not None else _always(case)
        found.append(_node("if", "", [test, block, _block(None, case)], case))
    return found


def _always(at: tree_sitter.Node) -> Node:
    return _node("constant", "true", (), at)


def _imported(at: tree_sitter.Node) -> list[Node]:
    source = at.child_by_field_name("source")
    if any(one.type == "type" for one in at.children):
        return []
    required = next((one for one in at.named_children if one.type == "import_require_clause"), None)
    if required is not None:
        source = required.child_by_field_name("source")
        names = [_as(_text(one), "*", one) for one in required.named_children if one.type == "identifier"]
        return [_node("import", _string(source), names, at)] if source is not None else []
    clause = next((one for one in at.named_children if one.type == "import_clause"), None)
    names = list(_clause(clause)) if clause is not None else []
    return [_node("import", _string(source), names, at)] if source is not None else []


def _clause(clause: tree_sitter.Node) -> Iterator[Node]:
    for one in _children(clause):
        match one.type:
            case "identifier":
                yield _as(_text(one), "default", one)
            case "namespace_import":
                yield from (_as(_text(inner), "*", inner) for inner in _children(one)[:1])
            case _:
                for item in _children(one):
                    name, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
                    if name is not None:
                        yield _as(_text(alias or name), _text(name), item)


def _as(local: str, name: str, at: tree_sitter.Node) -> Node:
    return _node("as", local, [_node("text", name, (), at)], at)


def _exported(at: tree_sitter.Node) -> list[Node]:
    source, declared = at.child_by_field_name("source"), at.child_by_field_name("declaration")
    if source is not None:
        clause = next((one for one in at.named_children if one.type == "export_clause"), None)
        names = []
        for item in _children(clause) if clause is not None else ():
            name, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
            if name is not None:
                names.append(_as(_text(alias or name), _text(name), item))
        return [_node("import", _string(source), names or [_as("*", "*", at)], at)]
    if declared is not None:
        return _statement(declared)
    value = at.child_by_field_name("value")
    if value is None:
        return []
    made = _expression(value)
    if made.kind in {"function", "class"} and made.name:
        return [made]
    return [_node("assign", "", [_node("name", "default", (), at), made], at)]


# --- expressions


def _expression(at: tree_sitter.Node) -> Node:
    make = _EXPRESSIONS.get(at.type)
    return make(at) if make is not None else _node("operation", "", _all(_children(at)), at)


def _name(at: tree_sitter.Node) -> Node:
    return _node("name", _text(at), (), at)


def _member(at: tree_sitter.Node) -> Node:
    name = at.child_by_field_name("property")
    return _node("attribute", _text(name) if name is not None else "", _field(at, "object"), at)


def _subscript(at: tree_sitter.Node) -> Node:
    index = at.child_by_field_name("index")
    if index is not None and index.type == "string":
        return _node("attribute", _string(index), _field(at, "object"), at)
    return _node("item", "", _field(at, "object", "index"), at)


def _unary(at: tree_sitter.Node) -> Node:
    operator = at.child_by_field_name("operator")
    kind = "not" if operator is not None and _text(operator) == "!" else "operation"
    return _node(kind, "", _field(at, "argument"), at)


def _inner(at: tree_sitter.Node) -> Node:
    """Return what is in brackets, awaited, or said to be of a type."""
    inside = _children(at)
    return _expression(inside[0]) if inside else _node("operation", "", (), at)


def _awaited(at: tree_sitter.Node) -> Node:
    inside = _inner(at)
    return inside._replace(name="await") if inside[:2] == ("call", "") else inside


def _call(at: tree_sitter.Node) -> Node:
    called = at.child_by_field_name("function") or at.child_by_field_name("constructor")
    given = at.child_by_field_name("arguments")
    arguments: list[Node] = []
    if given is not None:
        arguments = [_expression(given)] if given.type == "template_string" else _all(_children(given))
    if called is not None and called.type == "import":
        return _node("call", "", [_node("name", "import", (), called), *arguments], at)
    return _node("call", "new" if at.type == "new_expression" else "", [*_all([called]), *arguments], at)


def _binary(at: tree_sitter.Node) -> Node:
    operator = at.child_by_field_name("operator")
    word = _text(operator) if operator is not None else ""
    word = _SAME.get(word, word)
    sides = _all([at.child_by_field_name("left"), at.child_by_field_name("right")])
    if word in _COMPARED:
        return _node("compare", word, sides, at)
    return _node(_BOTH.get(word, "operation"), "", sides, at)


def _template(at: tree_sitter.Node) -> Node:
    parts = []
    for one in at.named_children:
        if one.type == "template_substitution":
            parts += _all(_children(one))
        elif one.type != "comment":
            parts.append(_node("text", _text(one), (), one))
    if all(one.kind == "text" for one in parts):
        return _node("text", "".join(one.name for one in parts), (), at)
    return _node("join", "", parts, at)


def _pair(at: tree_sitter.Node) -> Node:
    match at.type:
        case "pair":
            key, value = at.child_by_field_name("key"), at.child_by_field_name("value")
            computed = _all([key]) if key is not None and key.type == "computed_property_name" else []
            return _node("pair", _key(key) if key is not None else "", [*_all([value]), *computed], at)
        case "method_definition":
            made = _function(at)
            return _node("pair", made.name, [made], at)
        case "spread_element":
            return _node("spread", "", _all(_children(at)), at)
        case _:
            return _node("pair", _text(at), [_expression(at)], at)


def _key(at: tree_sitter.Node) -> str:
    match at.type:
        case "string":
            return _string(at)
        case "computed_property_name":
            return ""
        case _:
            return _text(at)


def _string(at: tree_sitter.Node) -> str:
    return "".join(_text(one) for one in at.named_children)


def _class(at: tree_sitter.Node) -> Node:
    name, body = at.child_by_field_name("name"), at.child_by_field_name("body")
    bases = [_expression(one) for one in _children(at) if one.type == "class_heritage"]
    return _node("class", _text(name) if name is not None else "", [_block(body, at), *bases], at)


def _function(at: tree_sitter.Node) -> Node:
    name, body = at.child_by_field_name("name"), at.child_by_field_name("body")
    given = at.child_by_field_name("parameters") or at.child_by_field_name("parameter")
    block = _block(body, at)
    if body is not None and body.type != "statement_block":
        block = _node("block", "", [_node("return", "", [_expression(body)], body)], body)
    every = [] if given is None else [given] if given.type == "identifier" else _children(given)
    waits = "async" if any(one.type == "async" for one in at.children) else ""
    parameters = _node("list", waits, [_parameter(one) for one in every], at)
    return _node("function", _key(name) if name is not None else "", [parameters, block], at)


def _parameter(at: tree_sitter.Node) -> Node:
    """Return a parameter; one that is a pattern has the names that it binds, each with its key."""
    pattern = at.child_by_field_name("pattern") or at.child_by_field_name("left") or at
    if pattern.type == "rest_pattern":
        pattern = (_children(pattern) or [pattern])[0]
    if pattern.type in _TARGETS:
        return _node("parameter", "", [_as(_text(one), key, one) for key, one in _members(pattern)], at)
    default = at.child_by_field_name("value") or at.child_by_field_name("right")
    return _node("parameter", _text(pattern), _all([default]), at)


_STATEMENTS: Mapping[str, Callable[[tree_sitter.Node], list[Node]]] = {
    **dict.fromkeys(_FUNCTIONS, lambda at: [_function(at)]),
    **dict.fromkeys(("class_declaration", "abstract_class_declaration"), lambda at: [_class(at)]),
    **dict.fromkeys(
        ("lexical_declaration", "variable_declaration"),
        lambda at: [node for one in _children(at) for node in _declared(one)],
    ),
    **dict.fromkeys(("return_statement", "throw_statement"), _left),
    **dict.fromkeys(("for_statement", "while_statement", "do_statement"), _loop),
    **dict.fromkeys(("field_definition", "public_field_definition"), _held),
    **dict.fromkeys(("break_statement", "continue_statement", "debugger_statement", "enum_declaration"), lambda _: []),
    **dict.fromkeys(
        ("labeled_statement", "internal_module", "module"),
        lambda at: [*_block(at.child_by_field_name("body"), at).parts],
    ),
    "if_statement": _if,
    "for_in_statement": _each,
    "try_statement": lambda at: [_tried(at)],
    "switch_statement": _switched,
    "statement_block": lambda at: [*_block(at).parts],
    "import_statement": _imported,
    "export_statement": _exported,
    "expression_statement": _alone,
}
_EXPRESSIONS: Mapping[str, Callable[[tree_sitter.Node], Node]] = {
    **dict.fromkeys(
        (
            *("identifier", "shorthand_property_identifier", "this", "super", "property_identifier"),
            *("shorthand_property_identifier_pattern", "private_property_identifier"),
        ),
        _name,
    ),
    **dict.fromkeys(_FUNCTIONS, _function),
    **dict.fromkeys(_WRAPPED, _inner),
    "await_expression": _awaited,
    **dict.fromkeys(_CONSTANTS, lambda at: _node("constant", _CONSTANTS[at.type], (), at)),
    **dict.fromkeys(("call_expression", "new_expression"), _call),
    "class": _class,
    "member_expression": _member,
    "subscript_expression": _subscript,
    "string": lambda at: _node("text", _string(at), (), at),
    "template_string": _template,
    "number": lambda at: _node("constant", _text(at).replace("_", ""), (), at),
    "binary_expression": _binary,
    "unary_expression": _unary,
    "ternary_expression": lambda at: _node("choice", "", _field(at, "condition", "consequence", "alternative"), at),
    "object": lambda at: _node("dict", "", [_pair(one) for one in _children(at)], at),
    "array": lambda at: _node("list", "", _all(_children(at)), at),
    "spread_element": lambda at: _node("spread", "", _all(_children(at)), at),
    "assignment_expression": lambda at: _node("assign", "", _field(at, "left", "right"), at),
    "augmented_assignment_expression": lambda at: _node("assign", "+", _field(at, "left", "right"), at),
}
