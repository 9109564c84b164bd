"""Under which tests a part of a program runs, and whether these are about the request or about something else."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.beside.code.functions import Function, ends
from threatmodel.beside.code.observed import Reading
from threatmodel.beside.code.syntax import Node, walk

_DEEPEST = 6


def runs_for_requests(reading: Reading, function: Function, node: Node, depth: int = 0) -> bool:
    """Return whether only tests of the request decide whether a node runs, and not those of a setting, by any way."""
    if depth > _DEEPEST or not all(_is_of_request(reading, one, function) for one in tests_around(function.body, node)):
        return False
    calls = [
        (caller, call)
        for caller, call, _ in reading.program.sure_calls
        if reading.program.called(call, caller) is function and caller is not function
    ]
    if not calls or reading.program.is_entry(function):
        return True
    return any(runs_for_requests(reading, caller, call, depth + 1) for caller, call in calls)


def tests_around(block: Node, node: Node) -> list[Node]:
    """Return the tests that decide whether a node below a block runs: around it, and of those who leave before it."""
    found: list[Node] = []
    for statement in block.parts:
        if any(one is node for one in walk(statement)):
            return [*found, *_within(statement, node)]
        if statement.kind == "if" and any(map(ends, statement.parts[1:])):
            found.append(statement.parts[0])
    return found


def _within(statement: Node, node: Node) -> Iterator[Node]:
    """Yield the tests between a statement and a node below it."""
    if statement is node:
        return
    below = next((one for one in statement.parts if any(inner is node for inner in walk(one))), None)
    if below is None:
        return
    if statement.kind in {"if", "choice", "and", "or"} and below is not statement.parts[0]:
        yield statement.parts[0]
    yield from tests_around(below, node) if below.kind == "block" else _within(below, node)


def _is_of_request(reading: Reading, test: Node, function: Function, depth: int = 0) -> bool:
    """Return whether each part of a test is about the request, by the variables that it names too."""
    if test.kind in {"and", "or", "not"}:
        return all(_is_of_request(reading, one, function, depth) for one in test.parts)
    for one in walk(test):
        if reading.flows.of(one, function):
            return True
        if one.kind == "name" and depth < _DEEPEST:
            values = function.assigned.get(one.name, ())
            if any(_is_of_request(reading, value, function, depth + 1) for value in values):
                return True
    return False
