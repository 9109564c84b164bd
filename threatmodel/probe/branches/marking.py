"""Marks the points of a Python source in its tree: the code records them, and the source and its lines stay.

A condition, a return value and what begins a block are handed through `MARK(number, value)`, whose numbers are those of
the ways: of each point one for what is true or entered, and the next for what is false, or was only begun.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

CONDITION, SEEN = "__probe_condition__", "__probe_seen__"
"""What the code calls: one takes a number and a value, one a number and what is passed through."""
Place = tuple[int, int, str]
WHOLE: Place = (0, 0, "file")
"""The place of what records that a file was loaded, at its end."""


def mark(tree: ast.Module, numbers: Mapping[Place, int]) -> set[Place]:
    """Mark the places that have a number, and return those that could be."""
    found: dict[Place, Callable[[int], None]] = {}
    for place, change in _changes(tree):
        if place in numbers and place not in found:
            found[place] = change
    for place, change in found.items():
        change(2 * numbers[place])
    if WHOLE in numbers and tree.body:
        found[WHOLE] = lambda _: None
        tree.body.append(_seen(tree.body[-1], 2 * numbers[WHOLE]))
    ast.fix_missing_locations(tree)
    return set(found)


def _changes(tree: ast.Module) -> Iterator[tuple[Place, Callable[[int], None]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.comprehension):
            yield from _in_expression(node)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                yield _place(case.pattern, "case"), functools.partial(_entered, case.body, node.subject)
        elif isinstance(node, ast.stmt):
            yield from _in_statement(node)


def _in_statement(node: ast.stmt) -> Iterator[tuple[Place, Callable[[int], None]]]:
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test):
            yield from _tested(test)
        case ast.Return(value=value):
            yield _place(node, "return"), functools.partial(_returned, node)
            if isinstance(value, ast.BoolOp | ast.UnaryOp):
                yield from _tested(value)
        case ast.For() | ast.AsyncFor():
            yield _place(node, "loop"), functools.partial(_entered, node.body, node.iter)
        case ast.Try(handlers=handlers) | ast.TryStar(handlers=handlers):
            for one in handlers:
                yield _place(one, "handler"), functools.partial(_entered, one.body, node.body)


def _in_expression(node: ast.expr | ast.comprehension) -> Iterator[tuple[Place, Callable[[int], None]]]:
    match node:
        case ast.IfExp(test=test):
            yield from _tested(test)
        case ast.Lambda(body=body):
            yield from _tested(body)
            yield _place(body, "return"), functools.partial(_call, body, SEEN)
        case ast.BoolOp(values=values):
            for value in values[:-1]:
                yield from _tested(value)
        case ast.comprehension(ifs=tests):
            for test in tests:
                yield from _tested(test)
        case ast.Call(func=ast.Name(id="any" | "all"), args=[ast.GeneratorExp(elt=elt) | ast.ListComp(elt=elt)]):
            yield from _tested(elt)


def _place(node: Any, kind: str) -> Place:
    return node.lineno, node.col_offset + 1, kind


def _tested(test: ast.expr) -> Iterator[tuple[Place, Callable[[int], None]]]:
    match test:
        case ast.BoolOp(values=values):
            for value in values:
                yield from _tested(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _tested(operand)
        case ast.Constant() | ast.IfExp():
            return
        case _:
            yield _place(test, "condition"), functools.partial(_call, test, CONDITION)


def _call(node: ast.expr, name: str, number: int) -> None:
    """Put a call around an expression, which keeps its place."""
    inner = copy.copy(node)
    call = ast.Call(ast.Name(name, ast.Load()), [ast.Constant(number), inner], [])
    node.__class__ = ast.Call  # its parent has this very node
    vars(node).clear()
    vars(node).update(vars(ast.copy_location(call, inner)))


def _returned(node: ast.Return, number: int) -> None:
    if node.value is None:
        node.value = ast.copy_location(ast.Constant(None), node)
    _call(node.value, SEEN, number)


def _entered(body: list[ast.stmt], begun: ast.expr | list[ast.stmt], number: int) -> None:
    """Record that a block is entered, and before it that it could be."""
    body.insert(0, _seen(body[0], number))
    if isinstance(begun, list):
        begun.insert(0, _seen(begun[0], number + 1))
    else:
        _call(begun, SEEN, number + 1)


def _seen(at: ast.stmt, number: int) -> ast.Expr:
    call = ast.Call(ast.Name(SEEN, ast.Load()), [ast.Constant(number), ast.Constant(None)], [])
    return ast.copy_location(ast.Expr(call), at)


class Record:
    """The ways that were taken since this was last asked."""

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._known: dict[frozenset[int], int] = {}

    def members(self) -> Mapping[str, Callable[[int, Any], Any]]:
        """Return what marked code calls, by name."""
        add = self._taken.add

        def condition(number: int, value: Any) -> Any:
            add(number if value else number + 1)
            return value

        def seen(number: int, value: Any) -> Any:
            add(number)
            return value

        return {CONDITION: condition, SEEN: seen}

    def news(self) -> Mapping[str, Any]:
        """Return the ways, or the number of an earlier message that had the same."""
        taken = frozenset(self._taken)
        self._taken.clear()
        if (number := self._known.get(taken)) is not None:
            return {"as": number}
        self._known[taken] = len(self._known)
        return {"taken": sorted(taken)}
