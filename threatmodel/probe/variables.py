"""The handler's variables, as a command and a file give them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from threatmodel.reading.problems import InputError, Place, Problem, quoted, refusal

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def variable(text: str, place: Place) -> tuple[str, str]:
    """Name and value of `NAME=VALUE`.  Raises InputError; the value is never shown, it may be a secret."""
    name, sign, value = text.partition("=")
    if not sign:
        raise _wrong(place, "there is no '=' in this variable")
    if not NAME.match(name):
        raise _wrong(place, f"{quoted(name)} cannot be the name of a variable")
    if "\0" in value:
        raise _wrong(place, f"the value of {name} holds a null character")
    return name, value


def variables(text: str, file: str) -> dict[str, str]:
    """The variables in a file: one a line, `#` begins a comment.  Raises InputError with every problem."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in _lines(text):
        place = Place(
            file, number, 0, f"line {number}"
        )  # a part: the line itself, which may hold a secret, is not shown
        try:
            name, value = variable(line, place)
        except InputError as error:
            problems += error.problems
            continue
        if name in found:
            message, hint = f"{name} is given twice", "keep one of the two"
            problems.append(Problem(code="duplicate-key", place=place, message=message, hint=hint))
        found[name] = value
    if problems:
        raise InputError(problems)
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip("\r")


def _wrong(place: Place, message: str) -> InputError:
    return refusal("wrong-type", place, message, "write NAME=VALUE")
