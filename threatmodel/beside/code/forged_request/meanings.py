"""What calls of packages give: forms and parts of texts and lists, and what runs the functions that it is given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from threatmodel.beside.code.forged_request.assignments import assign
from threatmodel.beside.code.forged_request.comparing import instance_of
from threatmodel.beside.code.forged_request.parts import attribute_of, header, length_of, mixed, sliced
from threatmodel.beside.code.forged_request.values import (
    BODY,
    EMPTY,
    FAILED,
    NOTHING,
    OUTSIDE,
    UNKNOWN,
    Closure,
    Code,
    Ended,
    External,
    Fixed,
    Found,
    Frame,
    Items,
    Later,
    Thing,
    Timed,
    Value,
    Whole,
    come,
    fixed,
    joined,
    together,
)
from threatmodel.beside.code.syntax import Node

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine


class Call(NamedTuple):
    """A call of something that is not of the folder: `name` is its dotted name, `owner` what a method is called on."""

    machine: Machine
    node: Node
    frame: Frame
    called: Value
    owner: Value
    given: Sequence[Value]
    named: Mapping[str, Value]
    name: str

    @property
    def last(self) -> str:
        """The name of the function or method."""
        return self.node.parts[0].name

    @property
    def is_method(self) -> bool:
        """Whether it is called on something."""
        return self.node.parts[0].kind == "attribute"

    @property
    def every(self) -> Sequence[Value]:
        """All that it is given."""
        return (*self.given, *self.named.values())

    @property
    def first(self) -> Value:
        """Its first argument."""
        return self.given[0] if self.given else UNKNOWN

    @property
    def where(self) -> Found:
        """Its place."""
        return self.frame.function, self.node


_LOSSY = frozenset({"ignore", "replace"})
"""How a text is decoded without what is no text."""
_NARROW = (Fixed("ascii"), Fixed("latin1"), Fixed("binary"))
"""In which forms of a text in JavaScript several bodies are one."""
_TWO = 2


# --- forms and parts


def same_value(call: Call) -> Value | None:
    """Return the argument, of which a call changes only the form: a number as a text is none."""
    if isinstance(call.first.shape, Timed):
        return Value(call.first.of)
    return come(call.first) if call.given else None


def longest(call: Call) -> Value | None:
    """Return what is one of several lists."""
    return joined(call.given) if call.given and all(isinstance(one.shape, Items) for one in call.given) else None


def length(call: Call) -> Value | None:
    """Return the length of a text or list."""
    return length_of(call.first) if not call.is_method else None


def form(call: Call) -> Value | None:
    """Return the text that a method gives in another form."""
    if isinstance(call.owner.shape, External | Thing) or not call.is_method:
        return call.first if call.given and re.match(r"str\.|bytes\.|\w*TextEncoder\(", call.name) else None
    lossy = any(isinstance(one.shape, Fixed) and one.shape.value in _LOSSY for one in call.every)
    body = isinstance(call.owner.shape, Whole) and BODY in call.owner.shape.parts
    lossy = lossy or (body and call.last == "toString" and call.first.shape in _NARROW)
    return Value(call.owner.of) if lossy else call.owner


def stripped(call: Call) -> Value | None:
    """Return a text without blanks at its ends, which would change a body."""
    shape = call.owner.shape
    return call.owner if isinstance(shape, Code) or (isinstance(shape, Whole) and BODY not in shape.parts) else None


def slice_of(call: Call) -> Value | None:
    """Return a part of a text or list."""
    return sliced(call.owner, call.given)


def longer(call: Call) -> Value | None:
    """Return a MAC with more text under it, or a list with an item more."""
    shape = call.owner.shape
    if isinstance(shape, Code) and call.given:
        text = [shape.text, call.first]
        shape.text = together(text) if call.machine.level <= shape.level else mixed(text)
        return call.owner
    if isinstance(shape, Items) and call.given:
        target = call.node.parts[0].parts[0]
        where = (target.kind == "name" and call.frame.holding(target.name)) or call.frame
        kept = {OUTSIDE} if where is not call.frame else frozenset[str]()  # it may hold the outcome of a check
        item = call.first._replace(of=call.first.of | kept)
        whole = shape.whole and where is call.frame  # another request may have added to it
        longer = Value(call.owner.of | item.of, truth=True, shape=Items((*shape.items, item), whole))
        assign(call.machine, target, longer, where)
        return NOTHING
    return None


def taken(call: Call) -> Value | None:
    """Return what is under a key, or what is given for its absence."""
    key = call.first.shape
    if not call.is_method or not isinstance(key, Fixed) or not isinstance(key.value, str):
        return None
    found = attribute_of(call.machine, call.owner, key.value)
    if isinstance(call.owner.shape, External):
        found = UNKNOWN
    if len(call.given) < _TWO or found.truth is True:
        return found
    return call.given[1] if found == NOTHING else joined([found, call.given[1]])


def concatenated(call: Call) -> Value | None:
    """Return texts that are put together."""
    if call.last == "join" and isinstance(call.first.shape, Items):
        return together([call.first, call.owner])
    if isinstance(call.owner.shape, External):
        return together([call.first]) if isinstance(call.first.shape, Items) else None
    return together([call.owner, *call.given])


def split(call: Call) -> Value | None:
    """Return the version of a signature, and the rest of it."""
    if call.owner.of == {OUTSIDE} and call.given and isinstance(call.first.shape, Fixed):
        return Value(call.owner.of | {EMPTY})  # a piece may be empty
    if not isinstance(call.owner.shape, Whole | Code) or call.first.shape != Fixed("="):
        return None
    version, equals = Value(call.owner.of), [fixed("=")] if "partition" in call.last else []
    return Value(call.owner.of, truth=True, shape=Items((version, *equals, call.owner)))


_GIVES_LATER = frozenset({"submit", "to_thread", "run_in_executor"})


# --- promises, callbacks and loops


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
