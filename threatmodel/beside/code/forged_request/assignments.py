"""Variables, and the fields of objects: what assignments give them, and what tests show of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from threatmodel.beside.code.forged_request.parts import attribute_of, mixed, taken
from threatmodel.beside.code.forged_request.values import (
    EMPTY,
    NOTHING,
    UNSIGNED,
    VERDICT,
    Closure,
    Code,
    Frame,
    Thing,
    Value,
    come,
    fixed,
    joined,
    together,
)
from threatmodel.beside.code.modules import is_required
from threatmodel.beside.code.syntax import Node

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine


def assigned(machine: Machine, node: Node, frame: Frame) -> bool:
    """Follow an assignment."""
    if node.parts[0].name in frame.function.module.imports and is_required(node.parts[1]):
        return True
    value = machine.value(node.parts[1], frame)
    if node.name == "with":
        value = come(value)
    if node.name == "+":
        before = machine.value(node.parts[0], frame)
        value = mixed([before, value]) if VERDICT in before.of | value.of else together([before, value])
    assign(machine, node.parts[0], value, frame)
    return True


def assign(machine: Machine, target: Node, value: Value, frame: Frame) -> None:
    """Assign a value to a target."""
    match target.kind:
        case "name":
            _set(machine, target, value, frame)
        case "list" | "spread":
            for number, one in enumerate(target.parts):
                assign(machine, one, taken(machine, value, fixed(number)), frame)
        case "attribute" | "item":
            _store(machine, target, value, frame)


def _set(machine: Machine, target: Node, value: Value, frame: Frame) -> None:
    name = target.name
    holder = frame if name not in frame.declared else frame.outer
    if holder is not None and (not frame.function.module.python or name in frame.declared):
        holder = holder.holding(name)
    holder = holder or frame
    if holder is not frame and name in holder.variables:
        if holder.outer is None:
            _keep(machine, target, value, frame)
        value = joined([holder.variables[name], value])
    holder.variables[name] = value


def _store(machine: Machine, target: Node, value: Value, frame: Frame) -> None:
    owner = machine.value(target.parts[0], frame)
    if not isinstance(owner.shape, Thing) or owner.shape.kept:
        _keep(machine, target, value, frame)
    if not isinstance(owner.shape, Thing):
        mingled(target.parts[0], [value], frame)
        return
    fields = owner.shape.fields
    if target.kind == "item":
        owner.shape.rest = value if owner.shape.rest is None else joined([owner.shape.rest, value])
        return
    known = fields.get(target.name)
    fields[target.name] = value if known is None or not machine.serving or known == NOTHING else joined([known, value])
    if known is not None and known == NOTHING and machine.path.doubt:
        fields[target.name] = joined([known, value])


def mingled(target: Node, values: Sequence[Value], frame: Frame) -> None:
    """Note what a variable holds, too, that something is put into: parts of a request that no signature covers."""
    more = frozenset(part for one in values for part in one.of if part.startswith(UNSIGNED))
    while target.kind in {"attribute", "item"}:
        target = target.parts[0]
    holder = frame.holding(target.name) if more and target.kind == "name" else None
    if holder is not None and not isinstance(holder.variables[target.name].shape, Thing | Code):
        holder.variables[target.name] = Value(holder.variables[target.name].of | more)


def _keep(machine: Machine, target: Node, value: Value, frame: Frame) -> None:
    """Note that the outcome of a check is kept where other requests, or other code, may find it."""
    if VERDICT in value.of and machine.serving:
        machine.escapes = True
        machine.weak.append(((frame.function, target), "the outcome of the check is kept outside the function"))


def declared(_: Machine, node: Node, frame: Frame) -> bool:
    """Note the names that are those of another scope."""
    if node.name:
        frame.declared |= {one.name for one in node.parts}
    return True


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
