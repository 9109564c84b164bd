"""The marked code of a handler: which points of its files are recorded, and under which numbers."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

from threatmodel.beside.code.syntax import ParseError
from threatmodel.probe.branches.marking import WHOLE, Place, mark
from threatmodel.probe.branches.points import FILE, Point, points_of
from threatmodel.probe.source_files import block_of, source_files
from threatmodel.reading.problems import InputError
from threatmodel.reading.project import real_path
from threatmodel.reading.source import read_text
from threatmodel.reading.values import dataclass, field

_NAMES = ("handler", "lambda_handler")
_MOST_FILES, _LARGEST = 200, 200_000
"""Files that are marked, and characters of one: a bundle of packages is larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The points of all files, by number, each with the name of its file; where each is in a file, by its number.

    `left_out` are files that are not recorded: they are too large, or no source that is parsed here.
    """

    points: tuple[tuple[str, Point], ...] = ()
    places: dict[Path, dict[Place, int]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def code(self, path: Path) -> CodeType | None:
        """Return the byte code of a module of Python's that is marked; None for any other."""
        numbers = self.places.get(path)
        if numbers is None:
            return None
        tree = _tree(path.read_text(encoding="utf-8"))
        mark(tree, numbers)
        return compile(tree, str(path), "exec", dont_inherit=True)

    def for_child(self) -> Mapping[str, Any]:
        """Return what a process needs that loads the files: places with numbers, or the marked text of JavaScript."""
        return {str(path): _for_child(path, numbers) for path, numbers in self.places.items()}


def marked(handler: Path, name: str, folder: Path) -> Marked:
    """Return the marks of a handler's own code."""
    points: list[tuple[str, Point]] = []
    places: dict[Path, dict[Place, int]] = {}
    left_out: list[str] = []
    for number, path in enumerate(source_files(handler, folder)):
        shown = path.relative_to(folder).as_posix()
        found = _found(path, (name,) if name else _NAMES) if number < _MOST_FILES else None
        if found is None:
            left_out.append(shown)
            continue
        places[real_path(path)] = {one.place: len(points) + at for at, one in enumerate(found)}
        points += [(shown, one) for one in found]
    return Marked(points=tuple(points), places=places, left_out=tuple(left_out))


def _found(path: Path, names: Sequence[str]) -> list[Point] | None:
    """Return the points of a file that can be marked; None where it is not recorded."""
    try:
        text = read_text(path, path.as_posix())
        if len(text) > _LARGEST:
            return None
        points = [*points_of(block_of(text, path.suffix), names), Point(FILE, *WHOLE[:2])]
        there = _markable(text, path.suffix, {one.place: 0 for one in points})
    except (InputError, SyntaxError, ParseError, ValueError, RecursionError, MemoryError):
        return None
    return [point for point in points if point.place in there]


def _markable(text: str, ending: str, numbers: Mapping[Place, int]) -> Collection[Place]:
    if ending == ".py":
        return mark(_tree(text), numbers)
    from threatmodel.probe.branches import javascript  # its parser is slow to import

    return javascript.mark(text, ending, numbers)[1]


def _for_child(path: Path, numbers: Mapping[Place, int]) -> Any:
    if path.suffix == ".py":
        return [(*place, number) for place, number in numbers.items()]
    from threatmodel.probe.branches import javascript

    return javascript.mark(read_text(path, path.as_posix()), path.suffix, numbers)[0]


def _tree(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in the text, which is not this program's
        return ast.parse(text)
