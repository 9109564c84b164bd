"""The changes that break Python code in one place each: a guard that is gone, a bound that is off by one."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


PARTS = (ast.stmt, ast.expr, ast.excepthandler)
WIDTH = 70
Holder = ast.AST | list[ast.AST]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One way to break a module: the text of the whole broken module, and what was changed where.

    `line` is its line in the module, `written` its line in the text that `unbroken` makes of the module.
    """

    line: int
    written: int
    what: str
    text: str
    in_function: bool


def unbroken(text: str) -> str:
    """Return the text of a module as changes have it: without comments, and with the lines that its tree has."""
    return ast.unparse(ast.parse(text))


def changes(text: str) -> Iterator[Change]:
    """Yield each change of a module, with the statements of a function after the function itself."""
    tree = ast.parse(text)
    inside = {id(inner) for node in ast.walk(tree) if isinstance(node, FUNCTIONS) for inner in body(node)}
    lines = [part.lineno for _, _, part in places(ast.parse(unbroken(text)))]
    for number, (holder, place, before) in enumerate(list(places(tree))):
        for after in broken(before):
            put(holder, place, after)
            yield Change(
                line=before.lineno,
                written=lines[number],
                what=described(before, after),
                text=ast.unparse(ast.fix_missing_locations(tree)),
                in_function=id(before) in inside,
            )
        put(holder, place, before)


def body(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[ast.AST]:
    """Yield what runs when a function is called: not its decorators and defaults, which run before."""
    parts = [function.body] if isinstance(function, ast.Lambda) else function.body
    for part in parts:
        yield from ast.walk(part)


def places(tree: ast.AST) -> Iterator[tuple[Holder, str | int, ast.stmt | ast.expr | ast.excepthandler]]:
    """Yield each part of a tree with the place that holds it, but for annotations and the text of messages."""
    types = [part for node in ast.walk(tree) for part in types_of(node)]
    passed_over = {id(inner) for part in types for inner in ast.walk(part)}
    for node in ast.walk(tree):
        if id(node) in passed_over or isinstance(node, ast.JoinedStr):
            continue
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                yield from ((value, n, part) for n, part in enumerate(value) if isinstance(part, PARTS))
            elif isinstance(value, PARTS) and id(value) not in passed_over:
                yield node, field, value


def types_of(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the types that a part of a tree is annotated with, which do nothing when the code runs."""
    for field in ("annotation", "returns"):
        part = getattr(node, field, None)
        if isinstance(part, ast.AST):
            yield part


def put(holder: Holder, place: str | int, part: ast.AST) -> None:
    """Put a part of a tree where another one was."""
    if isinstance(holder, list):
        holder[int(place)] = part
    else:
        setattr(holder, str(place), part)


def broken(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what can replace a part of a tree, each wrong in one way."""
    match node:
        case ast.If() | ast.IfExp():
            yield from (replaced(node, test=ast.Constant(value=value)) for value in (True, False))
        case ast.While():
            yield replaced(node, test=ast.Constant(value=False))
        case ast.Raise() | ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
            yield ast.Pass()
        case ast.ExceptHandler(type=ast.expr()):
            yield replaced(node, type=ast.Tuple(elts=[], ctx=ast.Load()))
        case ast.Constant(value=bool() | int() as value):
            yield ast.Constant(value=not value if isinstance(value, bool) else value + 1)
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp() | ast.BinOp():
            yield from miscalculated(node)
        case _:
            yield from shortened(node)


def miscalculated(node: ast.expr) -> Iterator[ast.AST]:
    """Yield an operation with another operator, or with one operand alone."""
    match node:
        case ast.Compare(ops=[operator]):
            yield replaced(node, ops=[OPPOSITE[type(operator)]()])
        case ast.BoolOp(op=operation, values=values):
            yield replaced(node, op=ast.Or() if isinstance(operation, ast.And) else ast.And())
            yield from without(node, "values", values, least=2)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd(), left=left, right=right):
            yield from (left, right)
        case ast.BinOp(op=ast.Add()):
            yield replaced(node, op=ast.Sub())
        case ast.BinOp(op=ast.Sub()):
            yield replaced(node, op=ast.Add())


def shortened(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a list, a call or a comprehension without one of its values, keywords or conditions."""
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts, ctx=ast.Load()) | ast.Set(elts=parts):
            yield from without(node, "elts", parts, least=2)
        case ast.Call(keywords=keywords):
            yield from without(node, "keywords", keywords, least=1)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for number, generator in enumerate(node.generators):
                for fewer in without(generator, "ifs", generator.ifs, least=1):
                    yield replaced(node, generators=[*node.generators[:number], fewer, *node.generators[number + 1 :]])


def replaced(node: ast.AST, **fields: object) -> ast.AST:
    """Return a copy of a part of a tree with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def without(node: ast.AST, field: str, parts: Sequence[ast.AST], *, least: int) -> Iterator[ast.AST]:
    """Yield copies of a part of a tree, each without one of the parts in a field that has enough of them."""
    if len(parts) >= least:
        for number in range(len(parts)):
            yield replaced(node, **{field: [*parts[:number], *parts[number + 1 :]]})


def described(before: ast.AST, after: ast.AST) -> str:
    """Return what a change does: what it leaves out of a list, or the code before and after."""
    for field in ("elts", "keywords", "values"):
        parts = getattr(before, field, [])
        fewer = getattr(after, field, parts) if type(before) is type(after) else parts
        if len(fewer) < len(parts):
            (gone,) = (part for part in parts if part not in fewer)
            return f"without {shown(gone)}"
    return f"{shown(before)} -> {shown(after)}"


def shown(node: ast.AST) -> str:
    """Return the first line of the code of a part of a tree, shortened."""
    line = ast.unparse(ast.fix_missing_locations(copy.copy(node))).strip().splitlines()[0]
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."
