"""Python to nodes, by the parser of the Python that runs this."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from threatmodel.beside.code.syntax import Node, ParseError, later, too_deep
from threatmodel.reading.values import new_tuple

_OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_ARITHMETIC: Mapping[type[ast.AST], str] = {
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Pow: "**",
    ast.LShift: "<<",
}
_Placed = ast.stmt | ast.expr | ast.pattern | ast.arg | ast.excepthandler | ast.alias
_FORMATS = ("format", "format_map")


def parse(text: str) -> Node:
    """Return a module as a block.  Raises ParseError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in the text, which is not this program's
            tree = ast.parse(text)
        _note_sources(tree, text)
        return Node("block", "", tuple(_statements(tree.body)), 1, 1)
    except SyntaxError as error:
        raise ParseError(error.lineno or 1, f"no Python of this version: {error.msg}") from None
    except ValueError as error:
        raise ParseError(1, f"no Python: {error}") from None
    except (RecursionError, MemoryError):
        raise too_deep() from None


_NEEDED = re.compile(r"(?:def|class)\s|lambda|import|exec(?:file)?\b")
"""What a function has that is made at once: what names other code, or defines it."""


def _note_sources(tree: ast.Module, text: str) -> None:
    """Give functions outside others their `source` if their statements can be made later."""
    starts = [0, *(found.end() for found in re.finditer(r"\n|\r\n?", text))]
    ahead: list[ast.AST] = [tree]
    for one in ahead:  # it grows on the way
        for inner in one.body:  # type: ignore[attr-defined]
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                first, last = inner.body[0], inner.body[-1]
                end = starts[(last.end_lineno or 1) - 1] + (last.end_col_offset or 0)
                source = text[starts[first.lineno - 1] : end]
                inner.source = "" if _NEEDED.search(source) else source  # type: ignore[union-attr]
            elif isinstance(inner, ast.ClassDef | ast.If | ast.Try):
                ahead.append(inner)


def _node(kind: str, name: str, parts: Iterable[Node], at: _Placed) -> Node:
    return new_tuple(Node, (kind, name, tuple(parts), at.lineno, at.col_offset + 1))


def _statements(body: Iterable[ast.stmt]) -> list[Node]:
    return [one for statement in body for one in _statement(statement)]


def _block(body: Iterable[ast.stmt], at: _Placed) -> Node:
    return _node("block", "", _statements(body), at)


def _every(found: Iterable[ast.expr | None]) -> list[Node]:
    return [make(one) if (make := _EXPRESSIONS.get(type(one))) else _other(one) for one in found if one is not None]


# --- statements


def _statement(at: ast.stmt) -> list[Node]:
    make = _STATEMENTS.get(type(at))
    return make(at) if make is not None else []


def _defined(at: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Node]:
    source = getattr(at, "source", "")
    body = later(source, at.lineno, at.col_offset + 1, lambda: _statements(at.body)) if source else None
    return [_function(at.name, at.args, body or _block(at.body, at), at, at.decorator_list)]


def _classed(at: ast.ClassDef) -> list[Node]:
    bases = _every([*at.bases, *(one.value for one in at.keywords), *at.decorator_list])
    return [_node("class", at.name, [_block(at.body, at), *bases], at)]


def _asserted(at: ast.Assert) -> list[Node]:
    refused = _node("block", "", [_node("raise", "AssertionError", _every([at.msg]), at)], at)
    test = _node("not", "", [_expression(at.test)], at)
    return [_node("if", "assert", [test, refused, _node("block", "", [], at)], at)]


def _branched(at: ast.If) -> list[Node]:
    blocks = [_block(at.body, at), _block(at.orelse, at)]
    return [_node("if", "", [_expression(at.test), *blocks], at)]


def _each(at: ast.For | ast.AsyncFor) -> list[Node]:
    item = _node("assign", "", [_expression(at.target), _expression(at.iter)], at)
    body = _node("block", "", [item, *_block(at.body, at).parts], at)
    return [_node("loop", "", [body], at), *_unbroken(at)]


def _repeated(at: ast.While) -> list[Node]:
    loop = _node("loop", "", [_block(at.body, at), _expression(at.test)], at)
    return [loop, *_unbroken(at)]


def _unbroken(at: ast.For | ast.AsyncFor | ast.While) -> list[Node]:
    """Return what runs after a loop that no break has left."""
    always = _node("constant", "true", (), at)
    return [_node("if", "else", [always, _block(at.orelse, at), _node("block", "", (), at)], at)] if at.orelse else []


def _matched(at: ast.Match) -> list[Node]:
    """Return the test of the first case, with those behind it where it is false; one of all others is always true."""
    subject, rest = _expression(at.subject), list[Node]()
    for one in reversed(at.cases):
        tests = [*_pattern(one.pattern, subject), *_every([one.guard])]
        always = isinstance(one.pattern, ast.MatchAs) and one.pattern.pattern is None and one.guard is None
        test = _node("constant", "true", (), one.pattern) if always else _node("and", "", tests, one.pattern)
        body = _node("block", "", [*(tests if always else ()), *_block(one.body, at).parts], at)
        rest = [_node("if", "", [test, body, _node("block", "", rest, at)], one.pattern)]
    return rest


def _pattern(at: ast.pattern, subject: Node) -> list[Node]:
    """Return what a pattern compares the subject and its parts with, and what it binds to them."""
    inner: list[tuple[ast.pattern, Node]] = []
    tests: list[Node] = []
    match at:
        case ast.MatchValue(value=value):
            return [_node("compare", "==", [subject, _expression(value)], at)]
        case ast.MatchSingleton(value=value):
            constant = _node("constant", "none" if value is None else str(value).lower(), (), at)
            return [_node("compare", "is", [subject, constant], at)]
        case ast.MatchAs(pattern=pattern, name=name):
            inside = _pattern(pattern, subject) if pattern is not None else []
            return [*inside, *_bound_by(name, subject, at)]
        case ast.MatchStar(name=name):
            return _bound_by(name, subject, at)
        case ast.MatchOr(patterns=patterns):
            ways = [_node("and", "", _pattern(one, subject), one) for one in patterns]
            return [_node("or", "", ways, at)]
        case ast.MatchMapping(keys=keys, patterns=patterns):
            inner = [(one, _subscript_of(subject, key, at)) for key, one in zip(keys, patterns, strict=True)]
            tests = _bound_by(at.rest, subject, at)
        case ast.MatchSequence(patterns=patterns):
            inner = [(one, _node("item", "", [subject], at)) for one in patterns]
        case ast.MatchClass(patterns=patterns, kwd_attrs=names, kwd_patterns=named):
            inner = [(one, subject) for one in patterns]
            inner += [(one, _node("attribute", name, [subject], at)) for name, one in zip(names, named, strict=True)]
    return [*tests, *(test for one, value in inner for test in _pattern(one, value))] or [subject]


def _bound_by(name: str | None, value: Node, at: _Placed) -> list[Node]:
    return [_node("assign", "", [_node("name", name, (), at), value], at)] if name else []


def _with(at: ast.With | ast.AsyncWith) -> list[Node]:
    """Return what is entered and the body; a body whose exceptions are suppressed is that of a try."""
    entered = [_entered(one, at) for one in at.items]
    body = _block(at.body, at)
    suppressed = [
        one.parts[0] for one in entered if one.parts[0].parts[:1] and one.parts[0].parts[0].name == "suppress"
    ]
    if not suppressed:
        return [*entered, *body.parts]
    nothing = _node("block", "", [], at)
    handlers = [_node("handler", "", [nothing, _node("list", "", one.parts[1:], at)], at) for one in suppressed]
    return [*entered, _node("try", "", [body, *handlers, nothing], at)]


def _declared(at: ast.Global | ast.Nonlocal) -> list[Node]:
    names = [_node("name", name, (), at) for name in at.names]
    return [_node("declare", "global" if isinstance(at, ast.Global) else "nonlocal", names, at)]


def _entered(item: ast.withitem, at: _Placed) -> Node:
    value = _expression(item.context_expr)
    if item.optional_vars is None:
        return _node("expression", "with", [value], at)
    return _node("assign", "with", [_expression(item.optional_vars), value], at)


def _tried(at: ast.Try | ast.TryStar) -> Node:
    handlers = [
        _node("handler", one.name or "", [_block(one.body, one), *_every([one.type])], one) for one in at.handlers
    ]
    body = _node("block", "", [*_block(at.body, at).parts, *_block(at.orelse, at).parts], at)
    return _node("try", "", [body, *handlers, _block(at.finalbody, at)], at)


def _imported(at: ast.Import | ast.ImportFrom) -> list[Node]:
    if isinstance(at, ast.ImportFrom):
        names = [_bound(one.asname or one.name, one.name, at) for one in at.names]
        return [_node("import", "." * at.level + (at.module or ""), names, at)]
    return [node for one in at.names for node in _module(one, at)]


def _module(one: ast.alias, at: ast.Import) -> Iterator[Node]:
    """Yield the import of a module: without another name for it, its name is that of the package it is in."""
    package, inner, _ = one.name.partition(".")
    yield _node("import", one.name, [] if inner and not one.asname else [_bound(one.asname or package, "*", at)], at)
    if inner and not one.asname:
        yield _node("import", package, [_bound(package, "*", at)], at)


def _bound(local: str, name: str, at: _Placed) -> Node:
    return _node("as", local, [_node("text", name, (), at)], at)


# --- expressions


def _function(name: str, given: ast.arguments, body: Node, at: _Placed, decorators: Iterable[ast.expr] = ()) -> Node:
    every = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(every) - len(given.defaults)) + [*given.defaults, *given.kw_defaults]
    named = [
        _node("parameter", one.arg, _every([default]), one)
        for one, default in zip([*every, *given.kwonlyargs], defaults, strict=True)
    ]
    named += [_node("parameter", one.arg, (), one) for one in (given.vararg, given.kwarg) if one is not None]
    parameters = _node("list", "async" if isinstance(at, ast.AsyncFunctionDef) else "", named, at)
    return _node("function", name, [parameters, body, *_every(decorators)], at)


def _expression(at: ast.expr) -> Node:
    make = _EXPRESSIONS.get(type(at))
    return make(at) if make is not None else _other(at)


def _other(at: ast.expr) -> Node:
    """Return a node of what is directly below an expression that needs no separate kind."""
    return _node("operation", "", _every(one for one in ast.iter_child_nodes(at) if isinstance(one, ast.expr)), at)


def _lambda(at: ast.Lambda) -> Node:
    body = _node("block", "", [_node("return", "", [_expression(at.body)], at)], at)
    return _function("", at.args, body, at)


def _awaited(at: ast.Await) -> Node:
    value = _expression(at.value)
    return value._replace(name="await") if value[:2] == ("call", "") else _node("operation", "await", [value], at)


def _unary(at: ast.UnaryOp) -> Node:
    kind = "not" if isinstance(at.op, ast.Not) else "operation"
    return _node(kind, "-" if isinstance(at.op, ast.USub) else "", [_expression(at.operand)], at)


def _constant(at: ast.Constant) -> Node:
    value = at.value
    if isinstance(value, str):
        return _node("text", value, (), at)
    if isinstance(value, bytes):
        return _node("text", value.decode("latin-1"), (), at)
    return _node("constant", "none" if value is None else str(value).lower(), (), at)


def _slice(at: ast.Slice) -> Node:
    nothing = _node("constant", "none", (), at)
    ends = [_expression(one) if one is not None else nothing for one in (at.lower, at.upper)]
    return _node("operation", "slice", [*ends, *_every([at.step])], at)


def _subscript(at: ast.Subscript) -> Node:
    return _subscript_of(_expression(at.value), at.slice, at)


def _subscript_of(value: Node, key: ast.expr, at: _Placed) -> Node:
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return _node("attribute", key.value, (value, _node("key", key.value, (), key)), at)
    return _node("item", "", (value, _expression(key)), at)


def _call(at: ast.Call) -> Node:
    called = _expression(at.func)
    arguments = _every(at.args)
    for one in at.keywords:
        arguments.append(_node("keyword", one.arg or "", (_expression(one.value),), one.value))
    if called.kind == "attribute" and called.name in _FORMATS and called.parts[0].kind == "text":
        return _node("join", "", [called.parts[0], *arguments], at)
    return _node("call", "", [called, *arguments], at)


def _compared(at: ast.Compare) -> Node:
    sides = _every([at.left, *at.comparators])
    found = [
        _node("compare", _OPERATORS[type(operator)], pair, at)
        for operator, *pair in zip(at.ops, sides, sides[1:], strict=False)
    ]
    return found[0] if len(found) == 1 else _node("and", "", found, at)


def _mapping(at: ast.Dict) -> Node:
    pairs = []
    for key, value in zip(at.keys, at.values, strict=True):
        if key is None:
            pairs.append(_node("spread", "", (_expression(value),), value))
            continue
        text = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
        written = _expression(key) if text is None else _node("key", text, (), key)
        pairs.append(_node("pair", text or "", (_expression(value), written), key))
    return _node("dict", "", pairs, at)


def _comprehension(at: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Node:
    made = [at.key, at.value] if isinstance(at, ast.DictComp) else [at.elt]
    loops = [_node("assign", "", _every([one.target, one.iter]), one.target) for one in at.generators]
    tests = _every(test for one in at.generators for test in one.ifs)
    return _node("list", "", [*loops, *tests, *_every(made)], at)


def _operated(at: ast.BinOp) -> Node:
    sides = (_expression(at.left), _expression(at.right))
    if isinstance(at.op, ast.Add | ast.Mod):
        return _node("join", "", sides, at)
    return _node("operation", _ARITHMETIC.get(type(at.op), ""), sides, at)


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Return what an assignment assigns to what: one by one where both sides are lists of as many."""
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        sides = [*target.elts, *value.elts]
        if len(target.elts) == len(value.elts) and not any(isinstance(one, ast.Starred) for one in sides):
            return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


_STATEMENTS: Mapping[type[ast.stmt], Callable[[Any], list[Node]]] = {
    ast.FunctionDef: _defined,
    ast.AsyncFunctionDef: _defined,
    ast.ClassDef: _classed,
    ast.Return: lambda at: [_node("return", "", _every([at.value]), at)],
    ast.Expr: lambda at: [_node("expression", "", _every([at.value]), at)],
    ast.Delete: lambda at: [_node("expression", "", _every(at.targets), at)],
    ast.Raise: lambda at: [_node("raise", "", _every([at.exc, at.cause]), at)],
    ast.Assert: _asserted,
    ast.Assign: lambda at: [
        _node("assign", "", _every(pair), at) for target in at.targets for pair in _pairs(target, at.value)
    ],
    ast.AnnAssign: lambda at: [
        _node("assign" if at.value is not None else "declare", "", _every([at.target, at.value]), at)
    ],
    ast.AugAssign: lambda at: [_node("assign", "+", _every([at.target, at.value]), at)],
    ast.If: _branched,
    ast.For: _each,
    ast.AsyncFor: _each,
    ast.While: _repeated,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Break: lambda at: [_node("leave", "break", (), at)],
    ast.Continue: lambda at: [_node("leave", "continue", (), at)],
    ast.Try: lambda at: [_tried(at)],
    ast.TryStar: lambda at: [_tried(at)],
    ast.Import: _imported,
    ast.ImportFrom: _imported,
    ast.Global: _declared,
    ast.Nonlocal: _declared,
    ast.Match: _matched,
}
_EXPRESSIONS: Mapping[type[ast.expr], Callable[[Any], Node]] = {
    ast.Name: lambda at: _node("name", at.id, (), at),
    ast.Attribute: lambda at: _node("attribute", at.attr, (_expression(at.value),), at),
    ast.Call: _call,
    ast.Constant: _constant,
    ast.Subscript: _subscript,
    ast.Compare: _compared,
    ast.Dict: _mapping,
    ast.BinOp: _operated,
    ast.UnaryOp: _unary,
    ast.JoinedStr: lambda at: _node("join", "", _every(at.values), at),
    ast.FormattedValue: lambda at: _expression(at.value),
    ast.Await: _awaited,
    ast.Yield: lambda at: _node("operation", "yield", _every([at.value]), at),
    ast.YieldFrom: lambda at: _node("operation", "yield", [_node("spread", "", [_expression(at.value)], at)], at),
    ast.Slice: _slice,
    ast.BoolOp: lambda at: _node("and" if isinstance(at.op, ast.And) else "or", "", _every(at.values), at),
    ast.IfExp: lambda at: _node("choice", "", _every([at.test, at.body, at.orelse]), at),
    ast.List: lambda at: _node("list", "", _every(at.elts), at),
    ast.Tuple: lambda at: _node("list", "", _every(at.elts), at),
    ast.Set: lambda at: _node("list", "", _every(at.elts), at),
    ast.Starred: lambda at: _node("spread", "", [_expression(at.value)], at),
    ast.NamedExpr: lambda at: _node("assign", "", _every([at.target, at.value]), at),
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
}
