"""What calls give that change the form of a text or list, or take a part of it."""

from __future__ import annotations

import re

from threatmodel.beside.code.forged_request.assignments import assign
from threatmodel.beside.code.forged_request.call import Call
from threatmodel.beside.code.forged_request.parts import attribute_of, come, length_of, mixed, sliced
from threatmodel.beside.code.forged_request.values import (
    BODY,
    NOTHING,
    OUTSIDE,
    TIMESTAMP,
    UNKNOWN,
    Code,
    External,
    Fixed,
    Items,
    Thing,
    Value,
    Whole,
    fixed,
    joined,
    together,
)

_LOSSY = frozenset({"ignore", "replace"})
"""How a text is decoded without what is no text."""
_TWO = 2


def same_value(call: Call) -> Value | None:
    """Return the argument, of which a call changes only the form."""
    return come(call.first) if call.given else None


def number(call: Call) -> Value | None:
    """Return the timestamp as a number."""
    return call.first if isinstance(call.first.shape, Whole) and call.first.shape.parts == {TIMESTAMP} else None


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
        longer = Value(call.owner.of | item.of, truth=True, shape=Items((*shape.items, item), shape.whole))
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
    if not isinstance(call.owner.shape, Whole | Code) or call.first.shape != Fixed("="):
        return None
    version, equals = Value(call.owner.of), [fixed("=")] if "partition" in call.last else []
    return Value(call.owner.of, truth=True, shape=Items((version, *equals, call.owner)))
