"""What the files of a library hold, kept between runs: all files are read in each run, but not parsed and checked.

The key is a digest of the code that reads libraries and of the name and text of every file.  The toolkit's own library
has a compiled table; it and other libraries are also kept in the user's cache.  A library with a problem is never kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from threatmodel.library.condition import Condition, ConditionError, compile_condition
from threatmodel.library.entries import Control, ControlLink, Move, Need, Threat, Weaker
from threatmodel.reading import cache, compiled, plain
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError

_CLASSES = {
    **plain.table(Threat, Control, ControlLink, Move, Need, Weaker),
    "Condition": plain.Kept(
        Condition,
        lambda one: (one.text, one.kind, one.reassures),
        lambda parts: compile_condition(parts[0], parts[1], reassures=parts[2]),
    ),
}
TABLE = "library"
"""The name of the compiled table."""
CODE = ("library", "graph/reach.py")
"""The code that reads libraries."""


class Parts(NamedTuple):
    """The threats and controls of a folder."""

    threats: Sequence[Threat]
    controls: Sequence[Control]


class Kept(NamedTuple):
    """A library's files: the key of its parts, and the name that each file has in the folder, by its shown name."""

    key: str
    named: Mapping[str, str]

    @classmethod
    def of(cls, files: Files, inside: Mapping[str, Path]) -> Kept | None:
        """Return this for files by their names in the folder; None where one cannot be read."""
        texts: list[tuple[str, bytes]] = []
        for name, path in inside.items():
            try:
                texts.append((name, files.remembered_text(path).encode("utf-8", "surrogateescape")))
            except InputError:
                return None  # what reads it next reports the reason
        return cls(compiled.key(CODE, texts), {files.shown(path): name for name, path in inside.items()})

    def compiled(self, folder: Path = compiled.FOLDER) -> Parts | None:
        """Return the parts of the toolkit's own library, if its table was made from these files."""
        return self._parts(compiled.found(TABLE, self.key, folder))

    def recalled(self) -> Parts | None:
        """Return the parts in the user's cache, if there are any."""
        return self._parts(cache.recalled(self.key))

    def keep(self, parts: Parts) -> None:
        """Keep the parts in the user's cache."""
        cache.keep(self.key, self.text(parts))

    def text(self, parts: Parts) -> str:
        """Return the parts as text."""
        return plain.as_text((list(parts.threats), list(parts.controls)), self._classes())

    def _parts(self, text: str | None) -> Parts | None:
        if text is None:
            return None
        try:
            threats, controls = plain.from_text(text, self._classes())
        except (ValueError, TypeError, LookupError, RecursionError, ConditionError):
            return None
        return Parts(threats, controls)

    def _classes(self) -> plain.Table:
        return {**_CLASSES, **plain.places(self.named)}
