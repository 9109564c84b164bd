"""Former names: files that still have them are read as if they had the current ones, with one warning each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import Place, Problem, listed, quoted

_SHOWN = 6
"""Names that the warning about a file gives."""


class Renamed(NamedTuple):
    """A former name in a file: its place, and the name that replaces it."""

    place: Place
    old: str
    new: str


def warnings(found: Iterable[Renamed]) -> Iterator[Problem]:
    """Yield one warning per file: the place of its first former name, the current names and the command to run."""
    files = grouped((one.place.file, one) for one in sorted(set(found)))
    for file, names in files.items():
        pairs = dict.fromkeys(f"{quoted(one.old)} is now {quoted(one.new)}" for one in names)
        do = f"run: tm migrate {file}" if names[0].place.line else "write the current one"
        hint = f"former names work until 1.0; {do}"
        yield Problem(code="renamed", place=names[0].place, message=listed(pairs, _SHOWN), hint=hint)
