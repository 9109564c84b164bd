"""The files that a serverless.yml takes in (`${file(tables.yml):Resources}`): what is in them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, Problem, note, quoted
from threatmodel.stacks.cloudformation import document
from threatmodel.stacks.values import Node, Scalar, Unknown

MOST_INCLUDED = 100
"""Files that are read for one serverless.yml."""
_PROGRAMS = frozenset((".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"))
_DATA = frozenset((".yml", ".yaml", ".json"))


class Included:
    """The files beside one serverless.yml, each read once; `problems` are what their authors should know.

    A path starts at the folder of the serverless.yml, wherever it is written, as the framework has it.
    """

    def __init__(self, path: Path, files: Files) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._files = files
        self._roots: dict[str, Node] = {}

    def root(self, written: str, place: Place) -> Node:
        """What a file holds; an Unknown where it is not there, leaves the project, is a program or cannot be read."""
        if written not in self._roots:
            if len(self._roots) >= MOST_INCLUDED:
                return Unknown(f"more than {MOST_INCLUDED} files are taken in", place)
            self._roots[written] = self._read(written, place)
        return self._roots[written]

    def _read(self, written: str, place: Place) -> Node:
        ending = PurePosixPath(written).suffix.lower()
        if ending in _PROGRAMS:
            return Unknown(f"{quoted(written)} is a program, which is not run", place)
        try:
            path = self._files.named(written, self._path, place)
            if not self._files.has(path):
                return Unknown(f"there is no file {quoted(written)} here", place)
            text, file = self._files.text(path), shown_path(path)
            if ending not in _DATA:
                return Scalar(text.strip(), place)
            found = document.parse(text, file)
        except InputError as error:
            first = error.problems[0]
            if first.place != place:
                note(self.problems, first)
            return Unknown(f"{quoted(written)} cannot be read: {first.message}", place)
        for problem in found.problems:
            note(self.problems, problem)
        return found.root or Scalar(None, place)
