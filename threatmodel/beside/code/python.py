"""Python to nodes, by the parser of the Python that runs this."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from threatmodel.beside.code.syntax import Node, ParseError
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
_FORMATS = ("format", "format_map")


def parse(text: str) -> Node:
    """Return a module as a block.  Raises ParseError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in the text, which is not this program's
            tree = ast.parse(text)
        return _Reading().block(tree.body, tree)
    except SyntaxError as error:
        raise ParseError(error.lineno or 1, f"no Python of this version: {error.msg}") from None
    except ValueError as error:
        raise ParseError(1, f"no Python: {error}") from None
    except (RecursionError, MemoryError):
        raise ParseError(1, "it is nested too deeply to be parsed") from None


class _Reading:
    """Turns nodes of `ast` into nodes, by the name of their class."""

    def __init__(self) -> None:
        self.line, self.column = 1, 1

    def node(self, kind: str, name: str, parts: Iterable[Node], at: ast.AST) -> Node:
        line, column = getattr(at, "lineno", self.line), getattr(at, "col_offset", self.column - 1) + 1
        return new_tuple(Node, (kind, name, tuple(parts), line, column))

    def block(self, body: Iterable[ast.stmt], at: ast.AST) -> Node:
        return self.node("block", "", [one for statement in body for one in self.statement(statement)], at)

    def all(self, found: Iterable[ast.expr | None]) -> list[Node]:
        return [self.expression(one) for one in found if one is not None]

    # --- statements

    def statement(self, at: ast.stmt) -> list[Node]:
        self.line, self.column = at.lineno, at.col_offset + 1
        make = _STATEMENTS.get(type(at))
        return make(self, at) if make is not None else []

    def defined(self, at: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Node]:
        return [self.function(at.name, at.args, self.block(at.body, at), at, at.decorator_list)]

    def classed(self, at: ast.ClassDef) -> list[Node]:
        bases = self.all([*at.bases, *(one.value for one in at.keywords), *at.decorator_list])
        return [self.node("class", at.name, [self.block(at.body, at), *bases], at)]

    def asserted(self, at: ast.Assert) -> list[Node]:
        refused = self.node("block", "", [self.node("raise", "", self.all([at.msg]), at)], at)
        test = self.node("not", "", [self.expression(at.test)], at)
        return [self.node("if", "", [test, refused, self.node("block", "", [], at)], at)]

    def branched(self, at: ast.If) -> list[Node]:
        blocks = [self.block(at.body, at), self.block(at.orelse, at)]
        return [self.node("if", "", [self.expression(at.test), *blocks], at)]

    def each(self, at: ast.For | ast.AsyncFor) -> list[Node]:
        item = self.node("assign", "", [self.expression(at.target), self.expression(at.iter)], at)
        body = self.node("block", "", [item, *self.block(at.body, at).parts], at)
        return [self.node("loop", "", [body], at), self.block(at.orelse, at)]

    def repeated(self, at: ast.While) -> list[Node]:
        loop = self.node("loop", "", [self.block(at.body, at), self.expression(at.test)], at)
        return [loop, self.block(at.orelse, at)]

    def matched(self, at: ast.Match) -> list[Node]:
        """Return a test for each case; one of all others is always true."""
        subject, nothing = self.expression(at.subject), self.node("block", "", [], at)
        found = []
        for one in at.cases:
            tests = [*self.pattern(one.pattern, subject), *self.all([one.guard])]
            always = isinstance(one.pattern, ast.MatchAs) and one.pattern.pattern is None and one.guard is None
            test = (
                self.node("constant", "true", (), one.pattern) if always else self.node("and", "", tests, one.pattern)
            )
            body = self.node("block", "", [*(tests if always else ()), *self.block(one.body, at).parts], at)
            found.append(self.node("if", "", [test, body, nothing], one.pattern))
        return found

    def pattern(self, at: ast.pattern, subject: Node) -> list[Node]:
        """Return what a pattern compares the subject and its parts with, and what it binds to them."""
        inner: list[tuple[ast.pattern, Node]] = []
        match at:
            case ast.MatchValue(value=value):
                return [self.node("compare", "==", [subject, self.expression(value)], at)]
            case ast.MatchSingleton(value=value):
                return [self.node("compare", "is", [subject, self.constant(ast.Constant(value))], at)]
            case ast.MatchAs(pattern=pattern, name=name):
                bound = [self.node("assign", "", [self.node("name", name, (), at), subject], at)] if name else []
                return [*(self.pattern(pattern, subject) if pattern is not None else ()), *bound]
            case ast.MatchOr(patterns=patterns):
                ways = [self.node("and", "", self.pattern(one, subject), one) for one in patterns]
                return [self.node("or", "", ways, at)]
            case ast.MatchMapping(keys=keys, patterns=patterns):
                inner = [(one, self.subscript_of(subject, key, at)) for key, one in zip(keys, patterns, strict=True)]
            case ast.MatchSequence(patterns=patterns):
                inner = [(one, self.node("item", "", [subject], at)) for one in patterns]
            case ast.MatchClass(patterns=patterns, kwd_attrs=names, kwd_patterns=named):
                inner = [(one, subject) for one in patterns]
                inner += [
                    (one, self.node("attribute", name, [subject], at)) for name, one in zip(names, named, strict=True)
                ]
        return [test for one, value in inner for test in self.pattern(one, value)] or [subject]

    def declared(self, at: ast.Global | ast.Nonlocal) -> list[Node]:
        names = [self.node("name", name, (), at) for name in at.names]
        return [self.node("declare", "global" if isinstance(at, ast.Global) else "nonlocal", names, at)]

    def entered(self, item: ast.withitem, at: ast.AST) -> Node:
        value = self.expression(item.context_expr)
        if item.optional_vars is None:
            return self.node("expression", "", [value], at)
        return self.node("assign", "", [self.expression(item.optional_vars), value], at)

    def tried(self, at: ast.Try | ast.TryStar) -> Node:
        handlers = [
            self.node("handler", one.name or "", [self.block(one.body, one), *self.all([one.type])], one)
            for one in at.handlers
        ]
        body = self.node("block", "", [*self.block(at.body, at).parts, *self.block(at.orelse, at).parts], at)
        return self.node("try", "", [body, *handlers, self.block(at.finalbody, at)], at)

    def imported(self, at: ast.Import | ast.ImportFrom) -> list[Node]:
        if isinstance(at, ast.ImportFrom):
            names = [self.bound(one.asname or one.name, one.name, at) for one in at.names]
            return [self.node("import", "." * at.level + (at.module or ""), names, at)]
        return [node for one in at.names for node in self.module(one, at)]

    def module(self, one: ast.alias, at: ast.Import) -> Iterator[Node]:
        """Yield the import of a module: without another name for it, its name is that of the package it is in."""
        package, inner, _ = one.name.partition(".")
        yield self.node(
            "import", one.name, [] if inner and not one.asname else [self.bound(one.asname or package, "*", at)], at
        )
        if inner and not one.asname:
            yield self.node("import", package, [self.bound(package, "*", at)], at)

    def bound(self, local: str, name: str, at: ast.AST) -> Node:
        return self.node("as", local, [self.node("text", name, (), at)], at)

    # --- expressions

    def function(
        self, name: str, given: ast.arguments, body: Node, at: ast.AST, decorators: Iterable[ast.expr] = ()
    ) -> Node:
        every = [*given.posonlyargs, *given.args]
        defaults = [None] * (len(every) - len(given.defaults)) + [*given.defaults, *given.kw_defaults]
        named = [
            self.node("parameter", one.arg, self.all([default]), one)
            for one, default in zip([*every, *given.kwonlyargs], defaults, strict=True)
        ]
        named += [self.node("parameter", one.arg, (), one) for one in (given.vararg, given.kwarg) if one is not None]
        parameters = self.node("list", "async" if isinstance(at, ast.AsyncFunctionDef) else "", named, at)
        return self.node("function", name, [parameters, body, *self.all(decorators)], at)

    def expression(self, at: ast.expr) -> Node:
        make = _EXPRESSIONS.get(type(at))
        return make(self, at) if make is not None else self.node("operation", "", self.below(at), at)

    def lambda_(self, at: ast.Lambda) -> Node:
        body = self.node("block", "", [self.node("return", "", [self.expression(at.body)], at)], at)
        return self.function("", at.args, body, at)

    def awaited(self, at: ast.Await) -> Node:
        value = self.expression(at.value)
        return value._replace(name="await") if value[:2] == ("call", "") else value

    def unary(self, at: ast.UnaryOp) -> Node:
        kind = "not" if isinstance(at.op, ast.Not) else "operation"
        return self.node(kind, "", [self.expression(at.operand)], at)

    def below(self, at: ast.AST) -> list[Node]:
        """Return the expressions directly below a node that needs no separate kind."""
        return self.all(one for one in ast.iter_child_nodes(at) if isinstance(one, ast.expr))

    def constant(self, at: ast.Constant) -> Node:
        match at.value:
            case str() as text:
                return self.node("text", text, (), at)
            case bytes() as raw:
                return self.node("text", raw.decode("latin-1"), (), at)
            case None:
                return self.node("constant", "none", (), at)
            case other:
                return self.node("constant", str(other).lower(), (), at)

    def subscript(self, at: ast.Subscript) -> Node:
        return self.subscript_of(self.expression(at.value), at.slice, at)

    def subscript_of(self, value: Node, key: ast.expr, at: ast.AST) -> Node:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return self.node("attribute", key.value, [value, self.node("key", key.value, (), key)], at)
        return self.node("item", "", [value, self.expression(key)], at)

    def call(self, at: ast.Call) -> Node:
        called = self.expression(at.func)
        arguments = [
            *(self.expression(one) for one in at.args),
            *(self.node("keyword", one.arg or "", [self.expression(one.value)], one.value) for one in at.keywords),
        ]
        if called.kind == "attribute" and called.name in _FORMATS and called.parts[0].kind == "text":
            return self.node("join", "", [called.parts[0], *arguments], at)
        return self.node("call", "", [called, *arguments], at)

    def compared(self, at: ast.Compare) -> Node:
        sides = self.all([at.left, *at.comparators])
        found = [
            self.node("compare", _OPERATORS[type(operator)], pair, at)
            for operator, *pair in zip(at.ops, sides, sides[1:], strict=False)
        ]
        return found[0] if len(found) == 1 else self.node("and", "", found, at)

    def mapping(self, at: ast.Dict) -> Node:
        pairs = []
        for key, value in zip(at.keys, at.values, strict=True):
            if key is None:
                pairs.append(self.node("spread", "", [self.expression(value)], value))
                continue
            written = self.expression(key)
            name = written.name if written.kind == "text" else ""
            written = written._replace(kind="key") if written.kind == "text" else written
            pairs.append(self.node("pair", name, [self.expression(value), written], key))
        return self.node("dict", "", pairs, at)

    def comprehension(self, at: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Node:
        made = [at.key, at.value] if isinstance(at, ast.DictComp) else [at.elt]
        loops = [self.node("assign", "", self.all([one.target, one.iter]), one.target) for one in at.generators]
        tests = self.all(test for one in at.generators for test in one.ifs)
        return self.node("list", "", [*loops, *tests, *self.all(made)], at)

    def operated(self, at: ast.BinOp) -> Node:
        kind = "join" if isinstance(at.op, ast.Add | ast.Mod) else "operation"
        return self.node(kind, "", self.all([at.left, at.right]), at)


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Return what an assignment assigns to what: one by one where both sides are lists of as many."""
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        sides = [*target.elts, *value.elts]
        if len(target.elts) == len(value.elts) and not any(isinstance(one, ast.Starred) for one in sides):
            return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


_STATEMENTS: Mapping[type[ast.stmt], Callable[[_Reading, Any], list[Node]]] = {
    ast.FunctionDef: _Reading.defined,
    ast.AsyncFunctionDef: _Reading.defined,
    ast.ClassDef: _Reading.classed,
    ast.Return: lambda reading, at: [reading.node("return", "", reading.all([at.value]), at)],
    ast.Expr: lambda reading, at: [reading.node("expression", "", reading.all([at.value]), at)],
    ast.Delete: lambda reading, at: [reading.node("expression", "", reading.all(at.targets), at)],
    ast.Raise: lambda reading, at: [reading.node("raise", "", reading.all([at.exc, at.cause]), at)],
    ast.Assert: _Reading.asserted,
    ast.Assign: lambda reading, at: [
        reading.node("assign", "", reading.all(pair), at) for target in at.targets for pair in _pairs(target, at.value)
    ],
    ast.AnnAssign: lambda reading, at: (
        [reading.node("assign", "", reading.all([at.target, at.value]), at)] if at.value is not None else []
    ),
    ast.AugAssign: lambda reading, at: [reading.node("assign", "+", reading.all([at.target, at.value]), at)],
    ast.If: _Reading.branched,
    ast.For: _Reading.each,
    ast.AsyncFor: _Reading.each,
    ast.While: _Reading.repeated,
    ast.With: lambda reading, at: [
        *(reading.entered(one, at) for one in at.items),
        *reading.block(at.body, at).parts,
    ],
    ast.AsyncWith: lambda reading, at: [
        *(reading.entered(one, at) for one in at.items),
        *reading.block(at.body, at).parts,
    ],
    ast.Try: lambda reading, at: [reading.tried(at)],
    ast.TryStar: lambda reading, at: [reading.tried(at)],
    ast.Import: _Reading.imported,
    ast.ImportFrom: _Reading.imported,
    ast.Global: _Reading.declared,
    ast.Nonlocal: _Reading.declared,
    ast.Match: _Reading.matched,
}
_EXPRESSIONS: Mapping[type[ast.expr], Callable[[_Reading, Any], Node]] = {
    ast.Name: lambda reading, at: reading.node("name", at.id, (), at),
    ast.Attribute: lambda reading, at: reading.node("attribute", at.attr, [reading.expression(at.value)], at),
    ast.Call: _Reading.call,
    ast.Constant: _Reading.constant,
    ast.Subscript: _Reading.subscript,
    ast.Compare: _Reading.compared,
    ast.Dict: _Reading.mapping,
    ast.BinOp: _Reading.operated,
    ast.UnaryOp: _Reading.unary,
    ast.JoinedStr: lambda reading, at: reading.node("join", "", reading.all(at.values), at),
    ast.FormattedValue: lambda reading, at: reading.expression(at.value),
    ast.Await: _Reading.awaited,
    ast.YieldFrom: lambda reading, at: reading.expression(at.value),
    ast.BoolOp: lambda reading, at: reading.node(
        "and" if isinstance(at.op, ast.And) else "or", "", reading.all(at.values), at
    ),
    ast.IfExp: lambda reading, at: reading.node("choice", "", reading.all([at.test, at.body, at.orelse]), at),
    ast.List: lambda reading, at: reading.node("list", "", reading.all(at.elts), at),
    ast.Tuple: lambda reading, at: reading.node("list", "", reading.all(at.elts), at),
    ast.Set: lambda reading, at: reading.node("list", "", reading.all(at.elts), at),
    ast.Starred: lambda reading, at: reading.node("spread", "", [reading.expression(at.value)], at),
    ast.NamedExpr: lambda reading, at: reading.node("assign", "", reading.all([at.target, at.value]), at),
    ast.Lambda: _Reading.lambda_,
    ast.ListComp: _Reading.comprehension,
    ast.SetComp: _Reading.comprehension,
    ast.GeneratorExp: _Reading.comprehension,
    ast.DictComp: _Reading.comprehension,
}
