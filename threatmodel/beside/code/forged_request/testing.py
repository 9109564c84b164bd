"""Tests: how a value counts, and what is known of variables where a test came out so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threatmodel.beside.code.forged_request.parts import attribute_of
from threatmodel.beside.code.forged_request.values import EMPTY, Closure, Frame, Thing, Value
from threatmodel.beside.code.syntax import Node

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine


def tested(machine: Machine, node: Node, frame: Frame) -> Value:
    """Return the value of a test, which an object may decide itself."""
    value = machine.value(node, frame)
    if node.kind == "name" and isinstance(value.shape, Closure) and machine.serving:
        machine.tested.append(((frame.function, node), value.shape))
    if isinstance(value.shape, Thing) and value.shape.made is not None:
        decides = attribute_of(machine, value, "__bool__")
        if isinstance(decides.shape, Closure):
            return machine.call(decides, (), {}) or value
    return value


def when(machine: Machine, test: Node, frame: Frame, *, truth: bool) -> None:
    """Note of the variables of a test that they are not empty where it came out so."""
    match test.kind:
        case "not":
            when(machine, test.parts[0], frame, truth=not truth)
        case "and" | "or" if (test.kind == "and") is truth:
            for one in test.parts:
                when(machine, one, frame, truth=truth)
        case "call" if truth and test.parts[0].name in {"strip", "trim"}:
            when(machine, test.parts[0].parts[0], frame, truth=truth)
        case "name" if truth:
            value = machine.lookup(test.name, frame)
            if EMPTY in value.of:
                frame.variables[test.name] = value._replace(of=value.of - {EMPTY})
