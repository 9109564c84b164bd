"""Writing results: whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from threatmodel.reading.problems import InputError, Place, Problem, visible


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


Content = str | bytes | Iterable[str]
"""What is written: a text, bytes, or a text in pieces."""


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
    for piece in _pieces(content):
        with _standard_output():
            sys.stdout.buffer.write(piece)
    flush()


def _pieces(content: Content) -> Iterator[bytes]:
    match content:
        case str():
            yield content.encode()
        case bytes():
            yield content
        case _:
            yield from (piece.encode() for piece in content)


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


def write(content: Content, path: Path | None) -> None:
    """Writes a result to a file by way of a temporary one beside it, or to standard output where `path` is None.

    A symbolic link stays, and what it leads to is written.  Raises InputError when the file cannot be written; nothing
    is left behind then.
    """
    if path is None:
        _print(content)
        return
    import tempfile

    try:
        target = Path(os.path.realpath(path))
        if path.exists() and not path.is_file():
            path.write_bytes(b"".join(_pieces(content)))  # a device or a pipe: nothing to replace
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(_pieces(content))
        Path(name).chmod(_mode(target))
        Path(name).replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise _unwritable(path, error) from None


class Draft:
    """A file that is written piece by piece under another name, and takes its own with `keep`.

    A device or a pipe is written at once.  Raises InputError where it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        import tempfile

        self._path = path
        try:
            self._target = Path(os.path.realpath(path))
            if path.exists() and not path.is_file():
                self._draft, self._file = self._target, path.open("wb")
                return
            handle, name = tempfile.mkstemp(prefix=f".{self._target.name[:40]}.", dir=self._target.parent)
            self._draft, self._file = Path(name), os.fdopen(handle, "wb")
        except (OSError, ValueError) as error:
            raise _unwritable(path, error) from None

    def write(self, piece: str) -> None:
        """Adds a piece."""
        try:
            self._file.write(piece.encode())
        except OSError as error:
            raise _unwritable(self._path, error) from None

    def finish(self) -> None:
        """Ends the writing: what the disk cannot take is known from here on."""
        try:
            self._file.close()
            if self._draft != self._target:
                self._draft.chmod(_mode(self._target))
        except OSError as error:
            raise _unwritable(self._path, error) from None

    def keep(self) -> None:
        """Gives the file its name."""
        try:
            if self._draft != self._target:
                self._draft.replace(self._target)
        except OSError as error:
            raise _unwritable(self._path, error) from None

    def drop(self) -> None:
        """Leaves nothing behind of what was not kept."""
        with contextlib.suppress(OSError):
            self._file.close()
        if self._draft != self._target:
            with contextlib.suppress(OSError):
                self._draft.unlink(missing_ok=True)


@contextlib.contextmanager
def drafts(paths: Sequence[Path]) -> Iterator[list[Draft]]:
    """Drafts of these files; they get their names together at the end, or none does where anything goes wrong."""
    opened: list[Draft] = []
    try:
        for path in paths:
            opened.append(Draft(path))  # noqa: PERF401 - each that is open is dropped where the next cannot be
        yield opened
        for draft in opened:
            draft.finish()
        for draft in opened:
            draft.keep()
    finally:
        for draft in opened:
            draft.drop()


def _mode(path: Path) -> int:
    """The permissions that the file has, or that a new one gets."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def make_folder(path: Path) -> None:
    """Makes a folder and those above it.  Raises InputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError | ValueError) -> InputError:
    message = f"cannot be written: {getattr(error, 'strerror', None) or error}"
    hint = _WRITABLE.get(getattr(error, "errno", None) or 0, "check the folder and its permissions")
    return InputError([Problem(code="unwritable-file", place=Place(str(path)), message=message, hint=hint)])


_WRITABLE = {
    errno.ENOENT: "the folder is not there: make it first, or name another",
    errno.ENOSPC: "make room, or name another place",
    errno.EFBIG: "allow larger files (ulimit -f), or name another place",
}
"""What to do about an error that says why."""
