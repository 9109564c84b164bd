"""What the toolkit's own YAML says, read and checked when the toolkit is built or set up instead of in each run.

A table is used only while its key is the digest of the files that it was made from: the YAML, and the code that reads
it.  Otherwise the YAML is read.

A table decides what the toolkit finds.  Therefore it is read only from where the running code itself is installed: the
package, or for a clone the environment of its Python.  A user who can write there can replace any package.  A clone
holds no table, because a pull request could change one and leave the YAML as it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from threatmodel.reading import plain
from threatmodel.reading.files import shown_path
from threatmodel.reading.home import CLONE, CONTENT, PACKAGES

FOLDER = CONTENT / "compiled" if CLONE is None else Path(sys.prefix, "share", "threatmodel")
"""The folder of the tables."""

_PACKAGE = PACKAGES / "threatmodel"
_COMMON = ("reading", "model")
"""Code that every table depends on."""


class Compiled(NamedTuple):
    """A table: its name, the YAML files that it is made from, the code that reads them, and the classes of its values.

    `code` names files and folders of the package, besides those that every table depends on.
    """

    name: str
    files: Sequence[Path]
    code: Sequence[str]
    classes: plain.Table

    def read(self, make: Callable[[], Any], folder: Path = FOLDER) -> Any:
        """Return the values of the table, or what `make` returns where there is no table of these files."""
        text = found(self.name, self._key(), folder)
        if text is not None:
            with contextlib.suppress(ValueError, TypeError, LookupError, RecursionError):
                return plain.from_text(text, self._classes())
        return make()

    def text(self, value: Any) -> str:
        """Return the content of the table's file for a value."""
        return with_key(self._key(), plain.as_text(value, self._classes()))

    def _key(self) -> str:
        return key(self.code, ((path.name, path.read_bytes()) for path in self.files))

    def _classes(self) -> plain.Table:
        return {**self.classes, **plain.places({shown_path(path): path.name for path in self.files})}


def found(name: str, expected: str, folder: Path = FOLDER) -> str | None:
    """Return the text of a table that has the expected key; None where there is none."""
    with contextlib.suppress(OSError, ValueError):
        head, _, text = (folder / f"{name}.json").read_text(encoding="utf-8").partition("\n")
        if head == expected:
            return text
    return None


def with_key(own: str, text: str) -> str:
    """Return the content of a table's file."""
    return f"{own}\n{text}"


def key(code: Iterable[str], files: Iterable[tuple[str, bytes]]) -> str:
    """Return the digest of code of the package and of files, which are given by name."""
    whole = hashlib.sha256()
    for path in (*_COMMON, *code):
        whole.update(_digest(_PACKAGE / path))
    for name, data in files:
        for part in (name.encode(errors="surrogateescape"), data):
            whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


@cache
def _digest(path: Path) -> bytes:
    """The digest of a file, or of the code and YAML in a folder."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).digest()
    whole = hashlib.sha256()
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.name != "__pycache__" and (entry.name.endswith((".py", ".yaml")) or entry.is_dir()):
                whole.update(entry.name.encode() + b"\0" + _digest(Path(entry.path)))
    return whole.digest()
