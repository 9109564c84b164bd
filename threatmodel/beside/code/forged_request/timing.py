"""Numbers of a run in which the age of the request is known: the clock, the timestamp, and what is computed of them.

Of a request that Slack signed, such a run shows whether it is still accepted some time later, or before its time.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from threatmodel.beside.code.forged_request.values import (
    CLOCK,
    FIXED,
    NEUTRAL,
    STAMP,
    TIMESTAMP,
    External,
    Fixed,
    Timed,
    Value,
    Whole,
)

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine
    from threatmodel.beside.code.forged_request.meanings import Call

_NOW = 1_800_000_000
_MOST = 1e18
_UNITS: Mapping[str, int] = {"now": 1000, "Date": 1000, "time_ns": 1_000_000_000}
"""Parts of a second that a clock counts; that of `datetime.now` are seconds."""
_SECONDS: Mapping[str, int] = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_OPERATIONS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
}
_TWO = 2
_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def number_of(machine: Machine, value: Value) -> float | None:
    """Return the number that a value is, if it is known: a constant, a time, or the timestamp of the request."""
    shape = value.shape
    if isinstance(shape, Timed):
        return shape.at
    if isinstance(shape, Fixed):
        is_number = isinstance(shape.value, int | float) and not isinstance(shape.value, bool)
        return float(shape.value) if is_number and abs(shape.value) < _MOST else None
    is_stamp = machine.age is not None and isinstance(shape, Whole) and shape.parts == {TIMESTAMP}
    return _stamp(machine) if is_stamp else None


def _stamp(machine: Machine) -> float:
    return _NOW - (machine.age or 0)


def computed(machine: Machine, name: str, values: Sequence[Value]) -> Value | None:
    """Return what arithmetic makes of numbers; None where one is not known, or nothing is known of any."""
    numbers = [number_of(machine, one) for one in values]
    known = [one for one in numbers if one is not None]
    if machine.age is None or len(known) != len(values) or not known:
        return None
    if name == "-" and len(known) == 1:
        return _timed(values, -known[0])
    if len(known) != _TWO or name not in _OPERATIONS or (name.startswith("/") and not known[1]):
        return None
    return _timed(values, _OPERATIONS[name](*known))


def added(machine: Machine, values: Sequence[Value]) -> Value | None:
    """Return the sum of numbers of which one is a time; None of texts that are put together."""
    return computed(machine, "+", values) if any(isinstance(one.shape, Timed) for one in values) else None


def _timed(values: Sequence[Value], number: float) -> Value:
    of = frozenset[str]().union(*(one.of for one in values))
    return Value(of, truth=bool(number), shape=Timed(number))


def ordered(machine: Machine, name: str, left: Value, right: Value) -> bool | None:
    """Return what an order comparison of numbers gives."""
    one, other = number_of(machine, left), number_of(machine, right)
    return _ORDERS[name](one, other) if name in _ORDERS and one is not None and other is not None else None


# --- calls


def clock(call: Call) -> Value | None:
    """Return the present time; of a clock that was read before the request, that at which Slack signed it."""
    machine = call.machine
    if machine.age is not None and call.last == "Date" and (at := number_of(machine, call.first)) is not None:
        return _timed(call.given, at)
    if any(one.of - {FIXED} and not isinstance(one.shape, External) for one in call.every):
        return None
    if machine.age is None:
        return Value(frozenset({CLOCK}), truth=True)
    unit = 1 if "datetime" in call.name else _UNITS.get(call.last, 1)
    now = _NOW if machine.serving and not machine.kept else _stamp(machine)
    return Value(frozenset({CLOCK}), truth=True, shape=Timed(now * unit))


def number(call: Call) -> Value | None:
    """Return a time as the number that a call makes of it, or the timestamp as one."""
    at = number_of(call.machine, call.first) if call.machine.age is not None and call.given else None
    if at is not None:
        return _timed(call.given, abs(at) if _ABSOLUTE.search(call.name) else at)
    is_stamp = isinstance(call.first.shape, Whole) and call.first.shape.parts == {TIMESTAMP}
    return call.first if is_stamp and not _ABSOLUTE.search(call.name) else None


_ABSOLUTE = re.compile(r"(?:\A|\.)f?abs\Z")


def instant(call: Call) -> Value | None:
    """Return a time in another form of it: the seconds of a difference, or of a moment."""
    return call.owner if isinstance(call.owner.shape, Timed) else None


def duration(call: Call) -> Value | None:
    """Return the seconds of a `timedelta`."""
    parts = {name: number_of(call.machine, value) for name, value in call.named.items()}
    if call.machine.age is None or call.given or not parts.keys() <= _SECONDS.keys():
        return None
    if any(one is None for one in parts.values()):
        return None
    return _timed(call.every, sum(_SECONDS[name] * (value or 0) for name, value in parts.items()))


def formed(call: Call) -> Value | None:
    """Return whether a timestamp has the form that a call asks for, which is that of digits."""
    every = (call.owner, *call.given)
    stamp = next(
        (one for one in every if number_of(call.machine, one) is not None and one.of - NEUTRAL == {STAMP}), None
    )
    if stamp is None:
        return None
    patterns = (*call.node.parts[0].parts, *call.node.parts[1:])
    if call.last not in _FORMS and not any(
        _DIGITS.match(one.name) for one in patterns if one.kind in {"regex", "text"}
    ):
        return None
    return Value(stamp.of, truth=call.last != "isNaN", shape=Fixed(call.last != "isNaN"))


_FORMS = frozenset({"isdigit", "isdecimal", "isnumeric", "isascii", "isInteger", "isSafeInteger", "isFinite", "isNaN"})
_DIGITS = re.compile(r"\^?(?:\[1-9\])?(?:\\d|\[0-9\])(?:[+*]|\{\d+(?:,\d*)?\})\$?\Z")
"""Patterns of digits alone."""
