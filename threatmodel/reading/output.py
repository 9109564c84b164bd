"""Writing results: to standard output, or to files that appear whole and replace only earlier outputs."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from threatmodel.reading.problems import visible
from threatmodel.reading.whole import Content, Draft, fill, is_stream, make_folder, pieces

if TYPE_CHECKING:  # what decides is imported where a file is written: start-up is a feature
    from threatmodel.reading.replacing import Replacing

__all__ = ["Content", "Draft", "drafts", "make_folder", "write", "write_new"]


def prepare_streams() -> None:
    """Makes standard output UTF-8, and gives closed standard streams something to write to.

    What is written to a standard output that was closed fails with an OSError, as on a full disk; what is written to a
    closed standard error goes nowhere.
    """
    if sys.stdout is None:
        sys.stdout = _opened(1, os.O_RDONLY)
    if sys.stderr is None:
        sys.stderr = _opened(2, os.O_WRONLY)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")


def _opened(descriptor: int, mode: int) -> TextIO:
    """A stream at that descriptor, so that no file that is opened later gets it."""
    null = os.open(os.devnull, mode)
    if null != descriptor:
        os.dup2(null, descriptor)
        os.close(null)
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


class StreamError(Exception):
    """Standard output cannot take what is written; says why.  A pipe that closed early is a BrokenPipeError instead."""


@contextlib.contextmanager
def _standard_output() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        silence(sys.stdout)
        raise StreamError(error.strerror) from None


def flush() -> None:
    """Sends out what was written to standard output.  Raises StreamError."""
    with _standard_output():
        sys.stdout.flush()


def _print(content: Content) -> None:
    with _standard_output():
        sys.stdout.flush()
    for piece in pieces(content):
        with _standard_output():
            sys.stdout.buffer.write(piece)
    flush()


def silence(stream: TextIO) -> None:
    """Nothing more goes to a stream that cannot take it, not even when Python ends."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor has nothing to lose
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def complain(text: str) -> None:
    """Writes to standard error where that is possible: what it says must not hide the exit code."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)


def say(lines: Iterable[str]) -> None:
    """Writes lines for a person to standard output: whatever a file's text holds, each stays one that can be seen."""
    write("".join(f"{visible(line)}\n" for line in lines), None)


def columns() -> int:
    """Return the width of the terminal; 80 where there is none.  `shutil`, which knows it too, is slow to import."""
    with contextlib.suppress(ValueError):
        if (stated := int(os.environ.get("COLUMNS", ""))) > 0:
            return stated
    with contextlib.suppress(ValueError, OSError):  # a closed output, or no terminal
        if sys.__stdout__ is not None:
            return os.get_terminal_size(sys.__stdout__.fileno()).columns or _USUAL_COLUMNS
    return _USUAL_COLUMNS


_USUAL_COLUMNS = 80


def write(content: Content, path: Path | None, replacing: Replacing | None = None) -> None:
    """Writes a result to a file by way of a temporary one beside it, or to standard output where `path` is None.

    What is at the path is replaced only as `replacing` allows: by default where it is an earlier output.  A link
    stays, and what it leads to is written, but not out of the project.  Raises InputError when the file may not or
    cannot be written; nothing is left behind then.
    """
    if path is None:
        _print(content)
        return
    with drafts([path], replacing) as (draft,):
        fill(draft, content)


@contextlib.contextmanager
def drafts(paths: Sequence[Path], replacing: Replacing | None = None) -> Iterator[list[Draft]]:
    """Drafts of these files; they get their names together at the end, or none does where anything fails.

    What may be replaced is as for `write`, and looked at before and after the writing.
    """
    from threatmodel.reading.marks import is_marked
    from threatmodel.reading.replacing import Replacing
    from threatmodel.reading.written import remember

    rule = replacing or Replacing()
    opened: list[Draft] = []
    try:
        for path in paths:
            rule.check(path)
        for path in paths:
            opened.append(Draft(path))  # noqa: PERF401 - each that is open is dropped where the next cannot be
        yield opened
        for draft, path in zip(opened, paths, strict=True):
            draft.finish()
            rule.check(path)
        for draft in opened:
            draft.keep()
    finally:
        for draft in opened:
            draft.drop()
    for path in paths:
        if not is_stream(path) and not is_marked(path):
            remember(path)


def write_new(content: Content, path: Path) -> None:
    """Writes a file that is not there yet.  Raises InputError where something is, or it cannot be written."""
    draft = Draft(path)
    try:
        fill(draft, content)
        draft.keep_new()
    finally:
        draft.drop()
