"""Files that appear whole or not at all: written beside their place under another name, and then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from threatmodel.reading.links import refuse_exit
from threatmodel.reading.problems import InputError, Place, refusal

Content = str | bytes | Iterable[str]
"""What is written: a text, bytes, or a text in pieces."""

_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/(?:fd/(\d{1,9})|(stdout|stderr))")
_STANDARD = {"stdout": 1, "stderr": 2}
_WAIT = 10
"""Seconds for which a named pipe may be without a reader."""


def pieces(content: Content) -> Iterator[bytes]:
    """Yields content as UTF-8."""
    match content:
        case str():
            yield content.encode()
        case bytes():
            yield content
        case _:
            yield from (piece.encode() for piece in content)


def fill(draft: Draft, content: Content) -> None:
    """Writes content to a draft, and ends the writing."""
    for piece in pieces(content):
        draft.write(piece)
    draft.finish()


def place(content: Content, path: Path) -> None:
    """Writes a file whose place is the toolkit's own, whatever is there.

    Raises InputError where it cannot be written, or a link leads out of the project; nothing is left behind then.
    """
    draft = Draft(path)
    try:
        fill(draft, content)
        draft.keep()
    finally:
        draft.drop()


def is_stream(path: Path) -> bool:
    """Whether a path is a descriptor of this process, a device, a pipe or a socket: nothing there is replaced."""
    with contextlib.suppress(OSError, ValueError):
        return descriptor(path) is not None or (path.exists() and not path.is_file() and not path.is_dir())
    return False


def descriptor(path: Path) -> int | None:
    """Return the descriptor of this process that a path names, as `/dev/stdout` and `/dev/fd/63` do."""
    found = _DESCRIPTOR.fullmatch(os.fspath(path))
    if found is None or os.name == "nt":
        return None
    return int(found[1]) if found[1] is not None else _STANDARD[found[2]]


class Draft:
    """A file that is written piece by piece under another name, and takes its own with `keep`.

    A link stays, and what it leads to is written.  A device or a pipe is written at once.  Raises InputError where it
    cannot be written, and where a link in the project leads out of it.
    """

    def __init__(self, path: Path) -> None:
        import tempfile

        self._path = path
        try:
            if is_stream(path):
                self.target, self._draft, self._file = path, path, _stream(path)
                return
            refuse_exit(path, str(path))
            self.target = Path(os.path.realpath(path))
            handle, name = tempfile.mkstemp(prefix=f".{self.target.name[:40]}.", dir=self.target.parent)
            self._draft, self._file = Path(name), os.fdopen(handle, "wb")
        except (OSError, ValueError) as error:
            raise unwritable(path, error) from None

    def write(self, piece: str | bytes) -> None:
        """Adds a piece."""
        try:
            self._file.write(piece.encode() if isinstance(piece, str) else piece)
        except OSError as error:
            raise unwritable(self._path, error) from None

    def finish(self) -> None:
        """Ends the writing: what the disk cannot take is known from here on."""
        try:
            self._file.close()
            if self._draft != self.target:
                self._draft.chmod(_mode(self.target))
        except OSError as error:
            raise unwritable(self._path, error) from None

    def keep(self) -> None:
        """Gives the file its name."""
        try:
            if self._draft != self.target:
                self._draft.replace(self.target)
        except OSError as error:
            raise unwritable(self._path, error) from None

    def keep_new(self) -> None:
        """Gives the file its name where nothing has it.  Raises InputError (`already-exists`) where something does."""
        try:
            try:
                os.link(self._draft, self.target)
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links
                os.close(os.open(self.target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                self._draft.replace(self.target)
        except FileExistsError:
            message, hint = "this exists already", "nothing was written over it; name another file, or move this one"
            raise refusal("already-exists", Place(str(self._path), 0), message, hint) from None
        except OSError as error:
            raise unwritable(self._path, error) from None

    def drop(self) -> None:
        """Leaves nothing behind of what was not kept."""
        with contextlib.suppress(OSError):
            self._file.close()
        if self._draft != self.target:
            with contextlib.suppress(OSError):
                self._draft.unlink(missing_ok=True)


def _stream(path: Path) -> IO[bytes]:
    """A descriptor, device or pipe, open for writing.  Raises OSError, also where nothing reads a pipe."""
    own = descriptor(path)
    if own is not None:
        return os.fdopen(os.dup(own), "wb")
    if not path.is_fifo():
        return path.open("wb")
    until = time.monotonic() + _WAIT
    while True:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            os.set_blocking(handle, True)
            return os.fdopen(handle, "wb")


def _mode(path: Path) -> int:
    """The permissions that the file has, or that a new one gets."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def make_folder(path: Path) -> None:
    """Makes a folder and those above it.  Raises InputError, also where a link in the project leads out of it."""
    refuse_exit(path, str(path))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError | ValueError) -> InputError:
    """Return what is said of a file that cannot be written."""
    message = f"cannot be written: {getattr(error, 'strerror', None) or error}"
    hint = _WRITABLE.get(getattr(error, "errno", None) or 0, "check the folder and its permissions")
    return refusal("unwritable-file", str(path), message, hint)


_WRITABLE = {
    errno.ENOENT: "the folder does not exist: create it first, or name another",
    errno.ENOSPC: "make room, or name another place",
    errno.EFBIG: "allow larger files (ulimit -f), or name another place",
    errno.ENXIO: "nothing reads this pipe: start what reads it first",
}
"""What to do about an error that says why."""
