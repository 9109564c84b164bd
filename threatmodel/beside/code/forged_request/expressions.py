"""Expressions, followed: each returns what its value may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from threatmodel.beside.code.forged_request.assignments import assign, tested, when
from threatmodel.beside.code.forged_request.calls import called
from threatmodel.beside.code.forged_request.comparing import compared
from threatmodel.beside.code.forged_request.parts import attribute_of, item_of, mixed, taken
from threatmodel.beside.code.forged_request.timing import added, computed
from threatmodel.beside.code.forged_request.values import (
    FIXED,
    FREE,
    NOTHING,
    UNKNOWN,
    Boolean,
    Closure,
    Ended,
    Fixed,
    Frame,
    Items,
    Made,
    Thing,
    Value,
    come,
    fixed,
    is_boolean,
    joined,
    together,
)
from threatmodel.beside.code.syntax import Node

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine


def operation(machine: Machine, node: Node, frame: Frame) -> Value:
    """Return what an operation gives."""
    every = [machine.value(one, frame) for one in node.parts]
    if node.name == "await":
        return come(every[0])
    if node.name == "yield":
        frame.yielded.append((every[0] if every else NOTHING, machine.path))
        machine.path = machine.path._replace(doubt=True)  # what comes after it runs where more is asked for
        return UNKNOWN
    if node.name == "slice":
        return Value(shape=Items(tuple(every)))
    return computed(machine, node.name, every) or mixed(every)


def _join(machine: Machine, node: Node, frame: Frame) -> Value:
    every = [machine.value(one, frame) for one in node.parts]
    return added(machine, every) or together(every)


def _logic(machine: Machine, node: Node, frame: Frame) -> Value:
    """Return what `and` or `or` gives: the first part that decides it, or the last."""
    decides, path, value = node.kind == "or", machine.path, NOTHING
    found: list[Value] = []
    for one in node.parts:
        try:
            value = machine.decide(value, partial(machine.value, one, frame))
        except Ended:
            if not found:
                raise
            break
        if value.truth is not (not decides) or one is node.parts[-1]:
            found.append(value)
        if value.truth is decides:
            break
        if value.truth is None:
            machine.path = machine.path.under(value)
    machine.path = path
    truths = {one.truth for one in found}
    truth = decides if decides in truths else None if None in truths else not decides
    whole = joined(found)
    if truth is not None and all(is_boolean(one.shape) for one in found):
        whole = whole._replace(shape=Fixed(truth))
    return whole._replace(truth=truth)


def _choice(machine: Machine, node: Node, frame: Frame) -> Value:
    test, then, other = node.parts
    value = tested(machine, test, frame)
    if value.truth is not None:
        return machine.decide(value, lambda: machine.value(then if value.truth else other, frame))
    found: list[Value] = []

    def way(one: Node) -> bool:
        try:
            found.append(machine.value(one, frame))
        except Ended:
            return False
        return True

    if not machine.fork(frame, value, lambda: way(then), lambda: way(other)):
        raise Ended
    whole = joined(found)
    return (
        whole
        if len({one.truth for one in found}) == 1
        else Value(whole.of | (value.of - FREE), truth=whole.truth, shape=whole.shape)
    )


def _list(machine: Machine, node: Node, frame: Frame) -> Value:
    if node.parts and node.parts[0].kind == "assign":
        return _comprehension(machine, node, frame)
    items: list[Value] = []
    whole = True
    for one in node.parts:
        value = machine.value(one, frame)
        if one.kind != "spread":
            items.append(value)
        elif isinstance(value.shape, Items):
            items += value.shape.items
            whole = whole and value.shape.whole
        else:
            items.append(item_of(value))
            whole = False
    of = frozenset[str]().union(*(one.of for one in items))
    return Value(of, truth=bool(items) if whole else None, shape=Items(tuple(items), whole))


def _comprehension(machine: Machine, node: Node, frame: Frame) -> Value:
    """Return what a comprehension makes: an item for each of what it goes through, if a test lets it."""
    loops = [one for one in node.parts if one.kind == "assign"]
    rest = [one for one in node.parts if one.kind != "assign"]
    every = come(machine.value(loops[0].parts[1], frame))
    machine.sought = ""
    known = every.shape if isinstance(every.shape, Items) and len(loops) == 1 and len(rest) == 1 else None
    inner = Frame(frame.function, frame)
    made: list[Value] = []
    for item in known.items if known is not None else [item_of(every)]:
        assign(machine, loops[0].parts[0], item, inner)
        for one in loops[1:]:
            assign(machine, one.parts[0], item_of(machine.value(one.parts[1], inner)), inner)
        for one in rest[:-1]:
            machine.value(one, inner)
            when(machine, one, inner, truth=True)
        made.append(machine.value(rest[-1], inner))
    if "headers" in every.of:
        if not machine.sought:
            return Value(every.of)
        made = [attribute_of(machine, every, machine.sought)]
    of = every.of.union(*(one.of for one in made))
    whole = known is not None and known.whole
    return Value(of, truth=bool(made) if whole else None, shape=Items(tuple(made), whole))


def _dict(machine: Machine, node: Node, frame: Frame) -> Value:
    thing = Thing(kept=not machine.serving)
    of: frozenset[str] = frozenset()
    for one in node.parts:
        value = machine.value(one.parts[0], frame) if one.kind == "pair" else machine.value(one, frame)
        of |= value.of
        if one.kind == "pair" and one.name:
            thing.fields[one.name] = value
        elif one.kind == "pair":
            key = machine.value(one.parts[1], frame) if len(one.parts) > 1 else UNKNOWN
            if isinstance(key.shape, Fixed):
                thing.fields[str(key.shape.value)] = value
            else:
                thing.rest = value
        elif isinstance(value.shape, Thing):
            thing.fields |= value.shape.fields
            thing.rest = value.shape.rest or thing.rest
        else:
            thing.fields = {name: joined([held, Value(value.of)]) for name, held in thing.fields.items()}
            thing.rest = value
    return Value(of, truth=bool(thing.fields) or None if frame.function.module.python else True, shape=thing)


def _constant(_: Machine, node: Node, __: Frame) -> Value:
    words = {"none": None, "true": True, "false": False}
    if node.name in words:
        return fixed(words[node.name])
    try:
        return fixed(float(node.name) if "." in node.name else int(node.name, 0))
    except ValueError:
        return Value(frozenset({FIXED}))


def _not(machine: Machine, node: Node, frame: Frame) -> Value:
    value = tested(machine, node.parts[0], frame)
    if value.truth is None:
        return Value(value.of, shape=Boolean())
    return Value(value.of, truth=not value.truth, shape=Fixed(not value.truth))


def _item(machine: Machine, node: Node, frame: Frame) -> Value:
    owner, *key = (machine.value(one, frame) for one in node.parts)
    return taken(machine, owner, key[0] if key else UNKNOWN)


def _compare(machine: Machine, node: Node, frame: Frame) -> Value:
    left, right = (machine.value(one, frame) for one in node.parts)
    return compared(machine, node.name, left, right, (frame.function, node))


def _assign(machine: Machine, node: Node, frame: Frame) -> Value:
    value = machine.value(node.parts[1], frame)
    assign(machine, node.parts[0], value, frame)
    return value


EXPRESSIONS: Mapping[str, Callable[[Machine, Node, Frame], Value]] = {
    **dict.fromkeys(("and", "or"), _logic),
    **dict.fromkeys(("spread", "keyword"), lambda machine, node, frame: machine.value(node.parts[0], frame)),
    "assign": _assign,
    "attribute": lambda machine, node, frame: attribute_of(machine, machine.value(node.parts[0], frame), node.name),
    "call": called,
    "choice": _choice,
    "class": lambda _, node, frame: Value(truth=True, shape=Made(node, frame)),
    "compare": _compare,
    "constant": _constant,
    "dict": _dict,
    "function": lambda _, node, frame: Value(truth=True, shape=Closure(node, frame)),
    "item": _item,
    "join": _join,
    "list": _list,
    "name": lambda machine, node, frame: machine.lookup(node.name, frame),
    "not": _not,
    "text": lambda _, node, __: fixed(node.name),
}
"""What gives the value of an expression, by its kind; any other is an operation."""
