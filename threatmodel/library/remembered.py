"""What the files of a library hold, kept between runs: all files are read in each run, but not parsed and checked.

The key is a digest of the code that reads libraries and of the name and text of every file.  A library with a problem
is never kept.  The toolkit's own has a compiled table besides (`built`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from threatmodel.library.condition import Always, And, Condition, Leaf, Not, Or
from threatmodel.library.entries import Control, ControlLink, Move, Need, Threat, Weaker
from threatmodel.reading import cache, compiled, plain
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError

CLASSES = plain.table(Threat, Control, ControlLink, Move, Need, Weaker, Condition, Leaf, Always, Not, And, Or)
"""The classes that threats and controls are made of."""
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

    def recalled(self) -> Parts | None:
        """Return the parts in the user's cache, if there are any."""
        text = cache.recalled(self.key)
        if text is None:
            return None
        try:
            return Parts(*plain.from_text(text, self._classes()))
        except (ValueError, TypeError, LookupError, RecursionError):
            return None

    def keep(self, parts: Parts) -> None:
        """Keep the parts in the user's cache."""
        cache.keep(self.key, plain.as_text((list(parts.threats), list(parts.controls)), self._classes()))

    def _classes(self) -> plain.Table:
        return {**CLASSES, **plain.places(self.named)}
