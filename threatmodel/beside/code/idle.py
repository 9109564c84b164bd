"""Whether a check that fails changes nothing: it is only noted, or its exception is caught and ignored."""

from __future__ import annotations

from collections.abc import Iterable

from threatmodel.beside.code.effects import effect_in_block
from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.guards import path_to
from threatmodel.beside.code.observed import Reading
from threatmodel.beside.code.syntax import Node, walk

NOTES = frozenset({"print", "log", "debug", "info", "warning", "warn", "error", "exception", "critical"})
"""What is called to write a log."""
_CALLBACKS = frozenset({"callback", "cb", "done"})
"""Names of the parameter that ends an invocation, and not the function that calls it."""
_CHANGES = frozenset({"assign", "declare", "return", "raise"})
_EVERY = frozenset({"Exception", "BaseException"})


def only_notes(function: Function, branches: Iterable[Node]) -> bool:
    """Return whether some blocks only write a log, or call Lambda's callback: they leave and set nothing."""
    inside = [one for branch in branches for one in walk(branch)]
    called = (one.parts[0] for one in inside if one.kind == "call")
    plain = all(one.name in NOTES or (one.name in _CALLBACKS & function.bound and one.kind == "name") for one in called)
    return plain and not any(one.kind in _CHANGES for one in inside)


def is_idle(reading: Reading, function: Function, test: Node) -> bool:
    """Return whether a test of a check is only noted, and an effect surely follows whatever it says."""
    path = path_to(function.body, test)
    if not path or path[-1][0] is not test or not only_notes(function, test.parts[1:]):
        return False
    return _acts_after(reading, function, path[-1][1])


def is_swallowed(reading: Reading, function: Function, call: Node, check: Function) -> bool:
    """Return whether what a check raises is caught around the call and ignored, and an effect surely follows."""
    path = path_to(function.body, call)
    tries = [(one, rest) for one, rest in path if one.kind == "try"]
    if len(tries) != 1 or path[-1][1] or path[-1][0].parts != (call,):
        return False
    statement, rest = tries[0]
    handlers = [one for one in statement.parts if one.kind == "handler"]
    raised = {name for one in check.nodes if one.kind == "raise" for name in _class_names(one)}
    caught = {name for one in handlers for name in _class_names(one)} | (
        {*_EVERY} if any(map(_is_bare, handlers)) else set()
    )
    ignores = bool(handlers) and only_notes(function, (*(one.parts[0] for one in handlers), statement.parts[-1]))
    return ignores and (bool(caught & _EVERY) or raised <= caught) and _acts_after(reading, function, rest)


def _is_bare(handler: Node) -> bool:
    return len(handler.parts) == 1


def _class_names(node: Node) -> set[str]:
    """Return the names of the exceptions that a raise makes, or a handler names."""
    values = node.parts[1:] if node.kind == "handler" else node.parts[:1]
    values = tuple(part for one in values for part in (one.parts if one.kind == "list" else (one,)))
    return {one.parts[0].name if one.kind == "call" else one.name for one in values}


def _acts_after(reading: Reading, function: Function, rest: Iterable[Node]) -> bool:
    return effect_in_block(reading, Node("block", "", tuple(rest), 1, 1), function, 0) is not None
