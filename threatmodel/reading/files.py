"""Reading the files that a model consists of: confined to its project, and remembered for messages."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from threatmodel.reading.problems import InputError, Place, Problem, quoted
from threatmodel.reading.source import LARGEST, Document, parse, read_text


class Files:
    """Reads files on behalf of one run.

    `texts` holds the text of every file read, by the name used in messages: the path relative to the working
    directory where it lies below it; `paths` holds where each of them is.  A file that another file names must lie in
    the project: the working directory, or `home` (the toolkit's own folder) for a model in it, or the naming model's
    own folder if that lies outside (symbolic links resolved).
    """

    def __init__(self, home: Path | None = None) -> None:
        self.texts: dict[str, str] = {}
        self.paths: set[Path] = set()
        self._home = home.resolve() if home is not None else None

    def document(self, path: Path) -> Document:
        """The YAML document in a file.  Raises InputError."""
        name = shown_path(path)
        self.texts[name] = self.text(path)
        return parse(self.texts[name], name)

    def text(self, path: Path, largest: int = LARGEST, hint: str = "split the model") -> str:
        """The text of a file, which is not remembered: its lines, which may hold secrets, appear in no message.

        Raises InputError.
        """
        text = read_text(path, shown_path(path), largest, hint)
        self.paths.add(path.resolve())
        return text

    def named(self, path: str, by: Path, place: Place) -> Path:
        """The file that `path`, written at `place` in the file `by`, means.

        Raises InputError where it leaves the project, and where reading it could wait for ever.
        """
        if "\0" in path or Path(path).is_absolute():
            raise _outside(path, place, "write a path relative to this file")
        target = Path(os.path.realpath(by.parent / path))  # Path.resolve raises on a circle of links
        naming = by.resolve()
        roots = [Path.cwd().resolve(), *([self._home] if self._home is not None else [])]
        project = next((root for root in roots if naming.is_relative_to(root)), naming.parent)
        if not target.is_relative_to(project):
            raise _outside(path, place, "move the file into the project, or run from the project's folder")
        if target.exists() and not (target.is_file() or target.is_dir()):
            message, at = "this is a pipe or a device", Place(shown_path(target))
            raise InputError([Problem(code="unreadable-file", place=at, message=message, hint="name a file")])
        return target


def is_folder(path: Path) -> bool:
    """Whether a folder is there; what no path can be (too long, with a null byte) is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def has_read(paths: Iterable[Path], path: Path) -> bool:
    """Whether a path leads to one of the regular files `paths`, by whatever name."""
    if not path.is_file():
        return False
    with contextlib.suppress(OSError):
        return any(read.is_file() and read.samefile(path) for read in paths)
    return False


def _outside(path: str, place: Place, hint: str) -> InputError:
    return InputError(
        [Problem(code="outside-project", place=place, message=f"{quoted(path)} leaves the project", hint=hint)]
    )


def shown_path(path: Path) -> str:
    """A path as messages and reports show it: relative to the working directory where it lies below it."""
    shown = os.path.relpath(path) if path.is_absolute() else str(path)
    name = (str(path) if shown.startswith("..") and path.is_absolute() else shown).replace(os.sep, "/")
    return os.fsencode(name).decode(errors="replace")  # a name that is not UTF-8 can be neither shown nor written


def digest(text: str) -> str:
    """The first twelve digits of a text's SHA-256: which revision of a model a report speaks of."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:12]
