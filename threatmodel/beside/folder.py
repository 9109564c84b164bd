"""The texts of a folder that a model names, read within bounds: what was not read has a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, Problem, refusal
from threatmodel.reading.values import dataclass, field

NOT_SOURCE = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".nox"}
    | {".aws-sam", ".serverless", ".terraform", "cdk.out", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".esbuild"}
)
"""Folders of installed packages, of tools and of what these build: their files are not source of this project."""
MOST_FILES = 20_000
"""Files of a folder that are listed."""
LARGEST = 1024 * 1024
"""Bytes of a file: one that is larger is a bundle, or data."""
_LARGEST_DATA = 128 * 1024
"""Bytes of a file of settings."""
MOST_BYTES = 32 * 1024 * 1024
"""Bytes of all files together."""


class Unread(NamedTuple):
    """A part of a folder that was not read: its path in the folder, the reason with its remedy, and where it is."""

    name: str
    why: str
    place: Place


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder: `texts` by path in it, with `/` between its parts, and what was not read.

    `path` is as messages show it.  `digest` is over all that was read, and over the names of what was not.  `noticed`
    are names of files that are known to be there, and are not read.  `data` are texts of settings and documents: only
    that they hold a secret follows from them, and `skipped` are those that were not searched for one.
    """

    path: str
    texts: Mapping[str, str]
    unread: tuple[Unread, ...]
    digest: str
    noticed: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[Unread, ...] = ()

    def place(self, name: str, line: int = 0, column: int = 0) -> Place:
        """Return the place in a file of the folder."""
        return Place(name if self.path == "." else f"{self.path}/{name}", line, column)


class Reads(NamedTuple):
    """What is read of a folder: `wanted` decides by the path in it, and folders of the names `without` are skipped.

    `what` are the files in words, `largest` the bytes of one, and `smaller` what to do with a larger one.  The names of
    files with the endings `noticed` are kept.  `data` decides which small files are settings and documents.
    """

    wanted: Callable[[str], bool]
    what: str
    smaller: str
    largest: int = LARGEST
    without: frozenset[str] = frozenset()
    noticed: tuple[str, ...] = ()
    data: Callable[[str], bool] = lambda _: False


def read_folder(path: Path, files: Files, reads: Reads) -> Folder:
    """Return the files of a folder that are wanted.

    A link out of the project, a file that is too large or no text, and what is beyond the limits is not read, each with
    the reason.  Raises InputError where there is no such folder, or where it is a link out of the project.
    """
    shown = shown_path(path)
    if not files.has_folder(path):
        raise refusal("missing-file", shown, "there is no such folder", f"name the folder that holds {reads.what}")
    problems: list[Problem] = []
    found = files.below(path, problems, NOT_SOURCE | reads.without, MOST_FILES + 1)
    every = [(one.relative_to(path).as_posix(), one) for one in found]
    named = [(name, one) for name, one in every if reads.wanted(name)]
    noticed = tuple(sorted(name for name, _ in every if reads.noticed and name.endswith(reads.noticed)))
    texts: dict[str, str] = {}
    unread = [Unread(one.place.file, _said(one), one.place) for one in problems]
    unread += _read(named, files, texts, reads)
    data: dict[str, str] = {}
    settings = [(name, one) for name, one in every if not reads.wanted(name) and reads.data(name)]
    smaller = "look in it for secrets yourself"
    skipped = tuple(_read(settings, files, data, reads._replace(largest=_LARGEST_DATA, smaller=smaller)))
    if len(found) > MOST_FILES:
        why = f"the folder has more than {MOST_FILES:,} files; name a smaller folder"
        unread.append(Unread(f"{shown}/", why, Place(shown)))
    digest = _digest({**texts, **data}, (*unread, *skipped), noticed)
    left = tuple(unread)
    return Folder(path=shown, texts=texts, unread=left, digest=digest, noticed=noticed, data=data, skipped=skipped)


def _read(named: list[tuple[str, Path]], files: Files, texts: dict[str, str], reads: Reads) -> Iterator[Unread]:
    """Add the texts, the shallow ones first, and yield what could not be read."""
    left = MOST_BYTES
    for name, path in sorted(named, key=lambda one: (one[0].count("/"), one[0])):
        place = Place(shown_path(path))
        if left <= 0:
            yield Unread(name, f"the folder has more than {MOST_BYTES >> 20} MB of {reads.what} before it", place)
            continue
        try:
            texts[name] = files.text(path, reads.largest, reads.smaller)
            left -= len(texts[name])
        except InputError as error:
            yield Unread(name, "; ".join(map(_said, error.problems)), place)


def _said(problem: Problem) -> str:
    return f"{problem.message}; {problem.hint}" if problem.hint else problem.message


def _digest(texts: Mapping[str, str], unread: Collection[Unread], noticed: Sequence[str]) -> str:
    whole = hashlib.sha256()
    for name, text in sorted(texts.items()):
        content = text.encode("utf-8", "surrogateescape")
        whole.update(f"{name!r} {len(content)}\n".encode() + content)
    for one in sorted(unread):
        whole.update(f"{one.name!r} {one.why}\n".encode())
    whole.update("".join(f"{name!r}\n" for name in noticed).encode("utf-8", "surrogateescape"))
    return whole.hexdigest()
