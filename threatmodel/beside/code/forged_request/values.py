"""What a value may be while a handler is followed for a request that Slack did not sign."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.syntax import Node
from threatmodel.reading.values import dataclass

Found = tuple[Function, Node]
"""A place in a program."""
Sources = frozenset[str]
"""Where a value comes from: parts of a request, or one of these; a constant is `FIXED`, or `EMPTY`."""
OUTSIDE, GATEWAY, PATH, CLOCK, MAC, VERDICT = "outside", "gateway", "path", "clock", "mac", "verdict"
SETTING = "setting"
"""A variable of the environment that is named as no secret, such as a stage."""
FIXED, EMPTY = "fixed", "empty"
SIGNATURE, TIMESTAMP, BODY, REQUEST = "signature", "timestamp", "body", "request"
NEUTRAL: Sources = frozenset({FIXED, EMPTY, CLOCK, VERDICT})
"""Sources that leave it to the others whether a sender chooses a value."""
UNSIGNED = ("header", "query", "cookies", PATH)
"""How sources begin that the sender of a genuine request, or who repeats it, may set otherwise."""
_CHOSEN = ("headers", "header.", "body", "query", "cookies")
STAMP = "header.x-slack-request-timestamp"
FREE = frozenset({"header.x-slack-signature", STAMP})
"""Headers that a forged request has in the form that the handler expects, whatever it tests of them."""


class Value(NamedTuple):
    """A value: its sources, whether it counts as true (None: unknown), and its shape (None: unknown)."""

    of: Sources = frozenset()
    truth: bool | None = None
    shape: Any = None


class Fixed(NamedTuple):
    """A constant."""

    value: Any


@dataclass(frozen=True)
class External:
    """What is defined outside the folder, by its dotted name."""

    name: str


class Boolean(NamedTuple):
    """True or false."""


class Several(NamedTuple):
    """One of several constants."""

    values: frozenset[Fixed]


class Timed(NamedTuple):
    """A number that follows from a clock or the timestamp, in a run in which both are known."""

    at: float


class Whole(NamedTuple):
    """A text with the whole of some parts of a request: its body, timestamp or signature."""

    parts: Sources


class Code:
    """What a MAC gives: the key, and the text under it so far; `level` is the branch that it was made in."""

    def __init__(self, key: Value, text: Value, level: int) -> None:
        self.key, self.text, self.level = key, text, level


class Items(NamedTuple):
    """A sequence; not `whole` where it may have more or fewer items."""

    items: tuple[Value, ...]
    whole: bool = True


class Length(NamedTuple):
    """How long a sequence is."""

    of: Value


@dataclass(frozen=True)
class Later:
    """A promise or a coroutine, with what comes of it; None where it fails."""

    value: Value | None


class TooLong(Exception):  # noqa: N818 - the reason why it is left
    """A program that takes too many steps to follow."""


class Ended(Exception):  # noqa: N818 - it is no error of the toolkit
    """A call that never returns: what it does always raises."""


class Raised(NamedTuple):
    """The names of an exception's class, none where it is unknown, and how it is raised."""

    names: frozenset[str]
    path: Path


class Effect(NamedTuple):
    """An effect, how it is reached, and whether it comes before all checks."""

    function: Function
    node: Node
    path: Path
    first: bool


class Frame:
    """The variables of a call of a function, or of a module."""

    def __init__(self, function: Function, outer: Frame | None) -> None:
        self.function, self.outer = function, outer
        self.variables: dict[str, Value] = {}
        self.declared: set[str] = set()
        self.ways: list[tuple[Value, Path]] = []
        self.left: list[tuple[dict[str, Value], Path]] = []
        self.broken = False  # whether the last loop may have been left
        self.yielded: list[tuple[Value, Path]] = []

    def holding(self, name: str) -> Frame | None:
        """Return the variables among which one is: these, or those of the function or module around."""
        here: Frame | None = self
        while here is not None and name not in here.variables:
            here = here.outer
        return here


class Closure(NamedTuple):
    """A function of the folder where it was made, and the object that it is a method of."""

    node: Node
    frame: Frame
    own: Value | None = None


class Native(NamedTuple):
    """A function that is known by what it does with what it is given, by position and by name."""

    run: Callable[[Sequence[Value], Mapping[str, Value]], Value]


class Made(NamedTuple):
    """A class of the folder."""

    node: Node
    frame: Frame


class Thing:
    """An object, a dictionary or a module, with what is known of its fields; `kept` from request to request."""

    def __init__(
        self,
        fields: Mapping[str, Value] | None = None,
        made: Made | None = None,
        *,
        kept: bool = False,
        module: str = "",
    ) -> None:
        self.fields: dict[str, Value] = dict(fields or {})
        self.made, self.kept, self.module = made, kept, module
        self.rest: Value | None = None  # what is under other keys


class Path(NamedTuple):
    """How a place is reached: whether it is in `doubt` that a sender can reach it, and by which choices.

    `signed`: Slack chose the signature and the timestamp.
    """

    doubt: bool = False
    chosen: Sources = frozenset()
    signed: bool = False

    def under(self, test: Value) -> Path:
        """Return the path below a test that may come out either way."""
        parts = test.of - NEUTRAL
        if not parts or not all(one.startswith(_CHOSEN) for one in parts) or (self.signed and CLOCK in test.of):
            return self._replace(doubt=True)
        chosen = frozenset(one for one in parts if one not in FREE)
        return self._replace(doubt=self.doubt or bool(chosen & self.chosen), chosen=self.chosen | chosen)

    def joined(self, other: Path) -> Path:
        """Return the path where two of them meet."""
        return self._replace(doubt=self.doubt and other.doubt, chosen=self.chosen & other.chosen)


NOTHING = Value(frozenset(), truth=False, shape=Fixed(None))
UNKNOWN = Value(frozenset({OUTSIDE}))
FAILED = Value(frozenset({OUTSIDE}), truth=True, shape=Later(None))
"""What comes of a function that raises."""


def come(value: Value) -> Value:
    """Return what comes of a promise or a coroutine.  Raises Ended where it fails."""
    if not isinstance(value.shape, Later):
        return value
    if value.shape.value is None:
        raise Ended
    return value.shape.value


def functions_in(values: Iterable[Value]) -> Iterator[Closure]:
    """Yield the functions of the folder among some values, and in the options among them."""
    for one in values:
        if isinstance(one.shape, Closure):
            yield one.shape
        elif isinstance(one.shape, Thing) and one.shape.made is None and not one.shape.module:
            yield from (inner.shape for inner in one.shape.fields.values() if isinstance(inner.shape, Closure))


def is_boolean(shape: Any) -> bool:
    """Return whether a value is true or false, and nothing that only counts so."""
    return isinstance(shape, Boolean) or (isinstance(shape, Fixed) and isinstance(shape.value, bool))


def constants(shape: Fixed | Several) -> frozenset[Fixed]:
    """Return the constants that a value may be."""
    return shape.values if isinstance(shape, Several) else frozenset({shape})


def fixed(value: Any) -> Value:
    """Return a constant."""
    return NOTHING if value is None else Value(frozenset({FIXED}), truth=bool(value), shape=Fixed(value))


def verdict(*, passes: bool) -> Value:
    """Return what a check of the signature gives."""
    return Value(frozenset({VERDICT}), truth=passes, shape=Fixed(passes))


def joined(values: Iterable[Value]) -> Value:
    """Return what may be any of some values."""
    first, *others = values
    for one in others:
        first = _either(first, one)
    return first


def _either(one: Value, other: Value) -> Value:
    if one == other:
        return one
    truth = one.truth if one.truth == other.truth else None
    return Value(_instead(one) | _instead(other), truth=truth, shape=_common(one, other))


def _instead(value: Value) -> Sources:
    """Return the sources of one of several values: a test can tell an empty text from the others."""
    return frozenset({EMPTY}) if value.shape == Fixed("") else value.of


def _common(one: Value, other: Value) -> Any:
    """Return the shape of what may be either of two values; an absent part of a request is taken as the part."""
    a, b = one.shape, other.shape
    if a == b:
        return a
    for part, instead in ((one, other), (other, one)):
        if isinstance(part.shape, Whole) and instead.of <= {FIXED, OUTSIDE}:
            return part.shape
    if is_boolean(a) and is_boolean(b):
        return Boolean()
    if isinstance(a, Fixed | Several) and isinstance(b, Fixed | Several):
        return Several(frozenset(one for shape in (a, b) for one in constants(shape)))
    if isinstance(a, Items) and isinstance(b, Items):
        short, long = sorted((a.items, b.items), key=len)
        same = len(short) == len(long)
        return Items((*map(_either, short, long), *long[len(short) :]), same and a.whole and b.whole)
    if isinstance(a, Thing) and isinstance(b, Thing) and a.made == b.made:
        names = {**a.fields, **b.fields}
        return Thing(
            {name: _either(a.fields.get(name, NOTHING), b.fields.get(name, NOTHING)) for name in names}, a.made
        )
    if isinstance(a, Later) and isinstance(b, Later) and a.value is not None and b.value is not None:
        return Later(_either(a.value, b.value))
    return None


def together(values: Iterable[Value]) -> Value:
    """Return a text that is put together of some values."""
    every = [one for value in values for one in (value.shape.items if isinstance(value.shape, Items) else (value,))]
    of = frozenset({FIXED}).union(*(one.of for one in every))
    codes = [one.shape for one in every if isinstance(one.shape, Code)]
    if codes:
        plain = len(codes) == 1 and sum(not isinstance(one.shape, Fixed) for one in every) == 1
        return Value(of, truth=True, shape=codes[0] if plain else None)
    parts = frozenset[str]().union(*(one.shape.parts for one in every if isinstance(one.shape, Whole)))
    parts |= {TIMESTAMP for one in every if isinstance(one.shape, Timed) and one.of - NEUTRAL == {STAMP}}
    if not parts and all(isinstance(one.shape, Fixed) and isinstance(one.shape.value, str) for one in every):
        return fixed("".join(one.shape.value for one in every))
    true = any(one.truth for one in every if isinstance(one.shape, Fixed) and isinstance(one.shape.value, str)) or None
    return Value(of, truth=true, shape=Whole(parts) if parts else None)
