"""Places as code hosts expect them: paths from the repository's root, with lines and columns that exist."""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from threatmodel.reading.problems import Place
from threatmodel.render.checks.checked import Checked


class Span(NamedTuple):
    """A part of a line; the end column is after its last character."""

    path: str
    line: int
    column: int
    end: int


def span(place: Place, checked: Checked) -> Span:
    """Return the part of a file at a place; the first line where the place has none."""
    path = path_of(place.file, checked)
    if not place.line or place.part:
        return Span(path, 1, 1, 2)
    return Span(path, place.line, place.column, max(checked.ends.get(place, 0), place.column + 1))


def path_of(file: str, checked: Checked) -> str:
    """A file as seen from the root of the repository."""
    if file.startswith("/"):
        return file
    return posixpath.normpath(posixpath.join(checked.base, file))
