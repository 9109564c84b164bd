"""Values as JSON holds them, and back: of the classes that a table names, and of no other.

A tuple is in a list behind its mark, a mapping as its keys and values in turn, a value of a class behind its name.
A tuple of texts, numbers and the like has a separate mark, because nothing in it has to be read further.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from threatmodel.reading.problems import Place
from threatmodel.reading.values import field_names


class Kept(NamedTuple):
    """A class of which values are kept: what each is made of, and how it is made of that again."""

    of: type
    parts: Callable[[Any], Iterable[Any]]
    made: Callable[[list[Any]], Any]


Table = Mapping[str, Kept]


def table(*classes: Any) -> dict[str, Kept]:
    """The table of some dataclasses and named tuples, by name: each is made of its fields."""
    return {one.__name__: _tuple_of(one) if issubclass(one, tuple) else _dataclass_of(one) for one in classes}


_FLAT = "(,)"
"""Marks a tuple of texts, numbers and the like."""

_CONTAINERS: Mapping[str, Callable[[list[Any]], Any]] = {
    "()": tuple,
    "[]": list,
    "<>": frozenset,
    "{}": lambda items: dict(zip(items[::2], items[1::2], strict=True)),
}


def places(named: Mapping[str, str]) -> dict[str, Kept]:
    """The table of places: files have the names to the right when they are kept, those to the left in this run."""
    here = {kept: name for name, kept in named.items()}
    return {
        "Place": Kept(Place, lambda at: (named[at.file], at.line, at.column), lambda at: Place(here[at[0]], *at[1:]))
    }


def _tuple_of(one: Any) -> Kept:
    return Kept(one, iter, lambda items: one(*items))


def _dataclass_of(one: Any) -> Kept:
    names = field_names(one)
    return Kept(
        one,
        lambda value: [getattr(value, name) for name in names],
        lambda items: one(**dict(zip(names, items, strict=True))),
    )


def as_text(value: Any, classes: Table) -> str:
    """A value as text.  Raises TypeError for one of a class that is not in the table."""
    return json.dumps(_plain(value, classes), separators=(",", ":"))


def from_text(text: str, classes: Table) -> Any:
    """The value.  Raises ValueError, TypeError, LookupError or RecursionError where it is not in this format."""
    whole = json.loads(text)
    makers = {**{name: kept.made for name, kept in classes.items()}, **_CONTAINERS}
    return _value(whole, makers) if isinstance(whole, list) else whole


def _plain(value: Any, classes: Table) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    kept = classes.get(type(value).__name__)
    if kept is not None and kept.of is type(value):
        return [type(value).__name__, *(_plain(part, classes) for part in kept.parts(value))]
    if isinstance(value, tuple):
        items = [_plain(one, classes) for one in value]
        return ["()" if any(isinstance(one, list) for one in items) else _FLAT, *items]
    if isinstance(value, list):
        return ["[]", *(_plain(one, classes) for one in value)]
    if isinstance(value, frozenset):
        return ["<>", *sorted(_plain(one, classes) for one in value)]
    if isinstance(value, Mapping):
        return ["{}", *(_plain(part, classes) for pair in value.items() for part in pair)]
    raise TypeError(type(value).__name__)


def _value(plain: list[Any], makers: Mapping[str, Callable[[list[Any]], Any]]) -> Any:
    mark = plain.pop(0)
    if mark == _FLAT:
        return tuple(plain)
    for at, one in enumerate(plain):
        if one.__class__ is list:
            plain[at] = _value(one, makers)
    return makers[mark](plain)
