"""What a saved JSON file may hold, stated as data: held before anything of it is used, so that no part surprises.

A shape is one of the names below, a set of the words that a text may be, a list of one shape, a mapping of names to one
shape (``{"*": shape}``), or a record (``{"key": shape}``), in which ``key?`` may be missing.  A shape in a tuple may be
null.  Keys that a record does not name are not used, and may hold anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal

from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted, refusal

Shape = Literal["text", "number", "truth", "any"] | frozenset[str] | list[Any] | dict[str, Any] | tuple[Any]

_WORDS = {"text": "a text", "number": "a whole number", "truth": "true or false"}
_TYPES: dict[str, type] = {"text": str, "number": int, "truth": bool}
_MOST = 20
"""Misfits that are shown at most."""


def loaded(text: str, place: Place, code: str, hint: str) -> Any:
    """Return the data of a JSON text.  Raises InputError, of this code and with this hint, where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise refusal(code, place, "this is not JSON", hint) from None


def hold(found: object, shape: Shape, place: Place, code: str, hint: str) -> None:
    """Raise InputError where parts of data do not fit a shape: with the place of each in the file, at most twenty."""
    wrong = list(islice(_misfits(found, shape, ""), _MOST))
    if wrong:
        raise InputError(
            Problem(code=code, place=place._replace(part=at.lstrip(".")), message=what, hint=hint) for at, what in wrong
        )


def _misfits(found: Any, shape: Shape, at: str) -> Iterator[tuple[str, str]]:
    match shape:
        case tuple():
            yield from () if found is None else _misfits(found, shape[0], at)
        case list():
            yield from _of_list(found, shape[0], at)
        case dict():
            yield from _of_mapping(found, shape, at)
        case frozenset():
            if not isinstance(found, str) or found not in shape:
                yield at, _expected(f"one of {listed(sorted(shape))}", found)
        case str():
            if shape != "any" and type(found) is not _TYPES[shape]:
                yield at, _expected(_WORDS[shape], found)


def _of_list(found: Any, shape: Shape, at: str) -> Iterator[tuple[str, str]]:
    if not isinstance(found, list):
        yield at, _expected("a list", found)
    else:
        for number, item in enumerate(found):
            yield from _misfits(item, shape, f"{at}[{number}]")


def _of_mapping(found: Any, shape: dict[str, Any], at: str) -> Iterator[tuple[str, str]]:
    if not isinstance(found, dict):
        yield at, _expected("a mapping", found)
    elif "*" in shape:
        for key, value in found.items():
            yield from _misfits(value, shape["*"], f"{at}.{key[:80]}")
    else:
        for key, inner in shape.items():
            name = key.rstrip("?")
            if name in found:
                yield from _misfits(found[name], inner, f"{at}.{name}")
            elif name == key:
                yield at, f"{quoted(name)} is missing"


def _expected(what: str, found: Any) -> str:
    return f"expected {what}, found {quoted(found)}"
