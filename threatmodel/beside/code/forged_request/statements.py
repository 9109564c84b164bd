"""Statements, followed: each returns whether what comes after it is reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from threatmodel.beside.code.forged_request.assignments import assign, assigned, declared, tested, when
from threatmodel.beside.code.forged_request.parts import item_of
from threatmodel.beside.code.forged_request.values import (
    BODY,
    NOTHING,
    OUTSIDE,
    UNKNOWN,
    VERDICT,
    Closure,
    External,
    Frame,
    Items,
    Made,
    Native,
    Path,
    Raised,
    Thing,
    Value,
    come,
)
from threatmodel.beside.code.syntax import Node, walk

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine

_EVERY = frozenset({"Exception", "BaseException"})


def define(machine: Machine, node: Node, frame: Frame) -> None:
    """Follow the definition of a function, with its decorators of the folder."""
    value = Value(truth=True, shape=Closure(node, frame))
    for one in reversed(node.parts[2:]):
        if one.kind == "call" and isinstance(machine.value(one.parts[0], frame).shape, External):
            continue
        made = machine.value(one, frame)
        if isinstance(made.shape, Closure | Made | Native):
            value = machine.call(made, [value], {}) or value
    frame.variables[node.name] = value


def _decorated(machine: Machine, node: Node, frame: Frame) -> bool:
    """Follow the definition of a function that is decorated, in its place; others are defined first."""
    if node.name and node.parts[2:]:
        define(machine, node, frame)
    return True


def _class(_: Machine, node: Node, frame: Frame) -> bool:
    frame.variables[node.name] = Value(truth=True, shape=Made(node, frame))
    return True


def _expression(machine: Machine, node: Node, frame: Frame) -> bool:
    for one in node.parts:
        before = len(machine.checks)
        value = machine.value(one, frame)
        if node.name == "with":
            come(value)
        if VERDICT in value.of and machine.serving:
            machine.dropped.append((frame.function, one))
        elif len(machine.checks) > before and one.kind == "call":
            machine.ignored.append((frame.function, one))
    return True


def _return(machine: Machine, node: Node, frame: Frame) -> bool:
    value = machine.value(node.parts[0], frame) if node.parts else NOTHING
    if machine.depth == 1 and machine.serving:
        machine.answers[id(node)] = not machine.path.doubt
    frame.ways.append((value, machine.path))
    return False


def _raise(machine: Machine, node: Node, frame: Frame) -> bool:
    names = frozenset({node.name})
    if not node.name and node.parts:
        value = machine.value(node.parts[0], frame)
        names = _classes(machine, node.parts[0], value)
    machine.raised.append(Raised(names, machine.path))
    return False


def _classes(machine: Machine, node: Node, value: Value) -> frozenset[str]:
    """Return the class that an exception is of, and those that it extends."""
    made = value.shape.made if isinstance(value.shape, Thing) else value.shape
    found = {node.parts[0].name if node.kind == "call" else node.name}
    while isinstance(made, Made):
        found.add(made.node.name)
        bases = [(one, machine.value(one, made.frame).shape) for one in made.node.parts[1:]]
        found |= {one.name for one, _ in bases}
        made = next((shape for _, shape in bases if isinstance(shape, Made)), None)
    return frozenset(found)


def _if(machine: Machine, node: Node, frame: Frame) -> bool:
    test, then, other = node.parts
    if test.kind == "compare" and any(one.name in {"__name__", "require.main"} for one in test.parts):
        return machine.block(other.parts, frame)
    if node.name == "assert":  # an option of Python removes it
        return machine.fork(frame, UNKNOWN, lambda: machine.statement(node._replace(name=""), frame), lambda: True)
    if node.name == "else" and frame.broken:  # of a loop
        return machine.fork(frame, UNKNOWN, lambda: machine.block(then.parts, frame), lambda: True)
    value = tested(machine, test, frame)
    if value.truth is not None:
        return machine.decide(value, lambda: machine.block((then if value.truth else other).parts, frame))
    ways = (
        lambda: _branch(machine, test, then, frame, truth=True),
        lambda: _branch(machine, test, other, frame, truth=False),
    )
    return machine.fork(frame, value, *ways)


def _branch(machine: Machine, test: Node, block: Node, frame: Frame, *, truth: bool) -> bool:
    when(machine, test, frame, truth=truth)
    return machine.block(block.parts, frame)


def _loop(machine: Machine, node: Node, frame: Frame) -> bool:
    body, *tests = node.parts
    first = body.parts[0] if body.parts else None
    frame.broken = False
    if tests or first is None or first.kind != "assign":
        again = [machine.value(one, frame) for one in tests][:1] or [UNKNOWN]
        _repeat(machine, frame, UNKNOWN, lambda: machine.block(body.parts, frame))
        return again[0].truth is not True or frame.broken
    target, rest = first.parts[0], body.parts[1:]
    every = come(machine.value(first.parts[1], frame))
    if isinstance(every.shape, Items) and every.shape.whole and not any(one.kind == "leave" for one in walk(body)):
        return all(_each(machine, target, one, rest, frame) for one in every.shape.items)
    _repeat(machine, frame, every, lambda: _each(machine, target, item_of(every), rest, frame))
    return True


def _each(machine: Machine, target: Node, item: Value, rest: Sequence[Node], frame: Frame) -> bool:
    assign(machine, target, item, frame)
    return machine.block(rest, frame)


def _repeat(machine: Machine, frame: Frame, test: Value, body: Callable[[], bool]) -> None:
    """Follow a loop that runs an unknown number of times: what it assigns may be assigned or not."""
    before, path, ways = dict(frame.variables), machine.path, len(frame.ways)
    machine.path = path.under(test)
    outer, frame.left, lives = frame.left, [], True
    machine.level += 1
    for _ in range(2):
        start = dict(frame.variables)
        live = body()
        lives = lives and live
        machine.meet(frame, [(start, path), (frame.variables, machine.path if live else path), *frame.left])
    machine.meet(frame, [(before, path), (frame.variables, machine.path)])
    machine.level -= 1
    passes = lives and len(frame.ways) == ways  # no way through it leaves the function
    machine.path = path if passes else path._replace(doubt=True)
    frame.broken, frame.left = bool(frame.left), outer


def _leave(machine: Machine, _: Node, frame: Frame) -> bool:
    frame.left.append((frame.variables, machine.path))
    return False


def _try(machine: Machine, node: Node, frame: Frame) -> bool:
    body, *handlers, last = node.parts
    outer, machine.raised = machine.raised, []
    before, path, returned = dict(frame.variables), machine.path, len(frame.ways)
    live = machine.block(body.parts, frame)
    within = dict(frame.variables)
    ends = [(within, machine.path)] if live else []
    raised, machine.raised = machine.raised, outer
    calls = path if any(one.kind in {"call", "attribute", "item"} for one in walk(body)) else None
    for handler in handlers:
        caught, raised = _caught(machine, handler, raised, frame, calls)
        if caught is not None:
            machine.meet(frame, [(before, caught), (within, caught)])
            if handler.name:
                frame.variables[handler.name] = Value(frozenset({OUTSIDE, BODY}), truth=True)
            if machine.block(handler.parts[0].parts, frame):
                ends.append((frame.variables, machine.path))
    machine.raised += raised
    ways = ends or [(within, one.path) for one in raised] or [(within, way) for _, way in frame.ways[returned:]]
    machine.meet(frame, ways or [(within, path)])
    return machine.block(last.parts, frame) and bool(ends)


def _caught(
    machine: Machine, handler: Node, raised: list[Raised], frame: Frame, path: Path | None
) -> tuple[Path | None, list[Raised]]:
    """Return how a handler is reached, if it is, and what is raised that it does not catch."""
    classes = [part for one in handler.parts[1:] for part in (one.parts if one.kind == "list" else (one,))]
    names = {one.name for one in classes}
    every = not classes or bool(names & _EVERY)
    own = bool(classes) and all(isinstance(machine.value(one, frame).shape, Made) for one in classes)
    caught = [one for one in raised if every or one.names & names or "" in one.names or not one.names]
    left = [one for one in raised if one not in caught or not (every or one.names & names)]
    paths = [one.path if every or one.names & names else one.path._replace(doubt=True) for one in caught]
    if path is not None and not own:  # anything that is called may raise
        paths.append(path._replace(doubt=True))
    if not paths:
        return None, left
    first, *others = paths
    for one in others:
        first = first.joined(one)
    return first, left


STATEMENTS: Mapping[str, Callable[[Machine, Node, Frame], bool]] = {
    "assign": assigned,
    "block": lambda machine, node, frame: machine.block(node.parts, frame),
    "class": _class,
    "declare": declared,
    "expression": _expression,
    "function": _decorated,
    "if": _if,
    "leave": _leave,
    "loop": _loop,
    "raise": _raise,
    "return": _return,
    "try": _try,
}
