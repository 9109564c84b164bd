"""What calls give that run functions: callbacks, promises, threads, and loops as methods."""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.beside.code.forged_request.call import Call
from threatmodel.beside.code.forged_request.comparing import instance_of
from threatmodel.beside.code.forged_request.parts import come, header
from threatmodel.beside.code.forged_request.values import (
    CLOCK,
    EMPTY,
    FAILED,
    FIXED,
    NOTHING,
    OUTSIDE,
    UNKNOWN,
    Closure,
    Ended,
    Fixed,
    Items,
    Later,
    Value,
    fixed,
    joined,
)

_GIVES_LATER = frozenset({"submit", "to_thread", "run_in_executor"})


def gathered(call: Call) -> Value | None:
    """Return the values of several promises together."""
    every = call.first.shape.items if isinstance(call.first.shape, Items) else call.given
    return Value(UNKNOWN.of, truth=True, shape=Later(Value(truth=True, shape=Items(tuple(map(come, every))))))


def unwrapped(call: Call) -> Value | None:
    """Return what a promise or task comes to."""
    if call.last == "result" and isinstance(call.owner.shape, Later):
        return come(call.owner)
    if not isinstance(call.first.shape, Later):
        return None
    return call.first if call.last in {"resolve", "wait_for"} else come(call.first)


def kept(call: Call) -> Value | None:
    """Return the function that a decorator or wrapper gives back."""
    return next((one for one in call.every if isinstance(one.shape, Closure)), UNKNOWN)


def instance(call: Call) -> Value | None:
    """Return whether a value is of a class."""
    match call.given:
        case [value, kind]:
            return instance_of(call.machine, value, kind)
        case _:
            return None


def clock(call: Call) -> Value | None:
    """Return the present time."""
    return None if any(one.of - {FIXED} for one in call.every) else Value(frozenset({CLOCK}), truth=True)


def then(call: Call) -> Value | None:
    """Return what comes of a promise after a function has got it."""
    if not isinstance(call.owner.shape, Later):
        return None
    came = call.owner.shape.value
    if came is None and call.last == "then":
        return call.owner
    given = came if came is not None else UNKNOWN
    results = [*call.machine.callbacks(call.every, [given])] or [given]
    if any(one.shape == Later(None) for one in results):
        return Value(call.owner.of, truth=True, shape=Later(None))
    results = [*map(come, results)]
    return Value(call.owner.of, truth=True, shape=Later(joined(results)))


def run(call: Call) -> Value | None:
    """Return what runs the functions that it is given, now or later."""
    machine, path = call.machine, call.machine.path
    if call.last in {"then", "catch", "finally"}:  # of something that is not known
        machine.path = path._replace(doubt=True)
    results = [*machine.callbacks(call.every, [UNKNOWN])]
    machine.path = path
    if call.last not in _GIVES_LATER or len(results) != 1:
        return UNKNOWN
    return results[0] if isinstance(results[0].shape, Later) else Value(UNKNOWN.of, truth=True, shape=Later(results[0]))


def quantified(call: Call) -> Value | None:
    """Return whether any or all items of a sequence are true."""
    sequence = come(call.first).shape
    return _decided(call.last, sequence.items, whole=sequence.whole) if isinstance(sequence, Items) else None


def _decided(how: str, results: Sequence[Value], *, whole: bool) -> Value | None:
    of = frozenset[str]().union(*(one.of for one in results)) or UNKNOWN.of
    truths = {one.truth for one in results}
    decides = how in {"some", "any"}
    if decides in truths and whole:
        return Value(of, truth=decides, shape=Fixed(decides))
    if truths == {not decides} and (whole or decides):  # of none at all, each holds
        return Value(of, truth=not decides, shape=Fixed(not decides))
    return Value(of | {OUTSIDE})


def iterated(call: Call) -> Value | None:
    """Return what a function makes of each item of a sequence."""
    machine, owner, last = call.machine, call.owner, call.last
    known = owner.shape if isinstance(owner.shape, Items) else None
    if known is not None and last == "filter" and not any(isinstance(one.shape, Closure) for one in call.every):
        kept = tuple(one._replace(of=one.of - {EMPTY}) for one in known.items)
        return Value(owner.of - {EMPTY}, shape=Items(kept, whole=False))
    machine.sought = ""
    items = known.items if known is not None else (Value(owner.of or UNKNOWN.of),)
    results = tuple(result for one in items for result in machine.callbacks(call.every, [one]))
    if any(one is FAILED for one in results) and known is not None and known.whole:
        raise Ended
    whole = known is not None and known.whole and len(results) == len(items)
    if known is None and "headers" in owner.of:
        return _found_header(call)
    if last in {"some", "every"}:
        return _decided(last, results, whole=whole) if results else None
    of = owner.of.union(*(one.of for one in results)) or UNKNOWN.of
    if last in {"map", "flatMap"}:
        return Value(of, truth=True, shape=Items(results, whole))
    return NOTHING if last == "forEach" else Value(of | {OUTSIDE})


def _found_header(call: Call) -> Value:
    """Return the pairs of headers that a test keeps: that of the header whose name it compares."""
    name = call.machine.sought
    if not name:
        return call.owner
    pair = Value(call.owner.of, shape=Items((fixed(name), header(name))))
    return pair if call.last == "find" else Value(call.owner.of, shape=Items((pair,), whole=False))
