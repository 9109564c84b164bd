"""The toolkit's own library, read and checked when the toolkit was built: used while no byte of its files differs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from threatmodel.library.entries import Article, FormerIds, Library, Numbered
from threatmodel.library.remembered import CLASSES, CODE
from threatmodel.reading import compiled, plain
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import LIBRARY
from threatmodel.reading.project import real_path

TABLE = "library"
"""The name of the compiled table."""

_CLASSES = {**CLASSES, **plain.table(Library, Article, Numbered, FormerIds)}


def built(files: Files, folder: Path = compiled.FOLDER) -> Library | None:
    """Return the toolkit's own library, or None if there is no table of its files as they are."""
    if files.changed_in(LIBRARY):
        return None
    with contextlib.suppress(OSError, ValueError, TypeError, LookupError, RecursionError):
        texts = _texts()
        text = compiled.found(TABLE, compiled.key(CODE, texts), folder)
        if text is not None:
            library: Library = plain.from_text(text, {**_CLASSES, **_places(texts)})
            inside = real_path(LIBRARY)
            files.paths.update(inside / name for name, _ in texts)
            return library
    return None


def table(library: Library) -> str:
    """Return the content of the table's file for the library as its files state it."""
    texts = _texts()
    return compiled.with_key(compiled.key(CODE, texts), plain.as_text(library, {**_CLASSES, **_places(texts)}))


def is_litter(name: str) -> bool:
    """Whether a file is not meant for the library: .DS_Store, an editor's swap file."""
    return name.startswith(".") and not name.endswith((".yaml", ".yml"))


def _texts() -> list[tuple[str, bytes]]:
    """Return the content of every file by its name in the library."""
    return sorted(_below(str(LIBRARY), ""))


def _below(folder: str, name: str) -> Iterator[tuple[str, bytes]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _below(entry.path, f"{name}{entry.name}/")
            elif not is_litter(entry.name):
                yield f"{name}{entry.name}", _content(entry)


def _content(entry: os.DirEntry[str]) -> bytes:
    if not entry.is_file():
        return b""  # a pipe, which reading would wait for: no library has one
    with open(entry.path, "rb", buffering=0) as file:  # noqa: PTH123 - hundreds of files, and a Path for each is slow
        return file.read()


def _places(texts: list[tuple[str, bytes]]) -> plain.Table:
    shown = shown_path(LIBRARY)
    before = "" if shown == "." else f"{shown}/"
    return plain.places({f"{before}{name}": name for name, _ in texts})
