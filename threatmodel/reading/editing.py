"""Files that are edited in place: what is written replaces exactly the text that was read, and no other change."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from threatmodel.reading.problems import FileChangedError, InputError, refusal
from threatmodel.reading.whole import Draft, fill, unwritable

_WAIT = 30
"""Seconds for which another process may hold a file: each needs a few milliseconds."""


def write_edit(text: str, path: Path, before: str) -> None:
    """Replaces a file's text `before`, with the line ends that it has, by another one.

    Of several processes that edit one file, each sees what the one before it wrote.  Raises FileChangedError where the
    file no longer holds `before`, and InputError where it cannot be written; nothing is written then.
    """
    draft = Draft(path)
    try:
        fill(draft, text)
        with held(path):
            if path.read_bytes() != before.encode():
                raise FileChangedError.of(str(path))
            draft.keep()
    finally:
        draft.drop()


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep other editors of a file waiting while it is read and replaced.

    Raises FileChangedError where the file is gone, and InputError where it cannot be read or written.
    """
    try:
        with _held(path):
            yield
    except FileNotFoundError:
        raise FileChangedError.of(str(path)) from None
    except OSError as error:
        raise unwritable(path, error) from None


if sys.platform == "win32":

    @contextlib.contextmanager
    def _held(path: Path) -> Iterator[None]:
        """Keeps other editors of a file waiting: by a file apart, since an open file cannot be renamed over."""
        import msvcrt
        import tempfile

        name = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()
        with Path(tempfile.gettempdir(), f"threatmodel-{name}.lock").open("ab") as file:
            until = time.monotonic() + _WAIT
            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                    break
                except OSError:
                    if time.monotonic() > until:
                        raise _in_use(path) from None
                    time.sleep(0.005)
            try:
                yield
            finally:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import errno
    import fcntl

    _NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}

    @contextlib.contextmanager
    def _held(path: Path) -> Iterator[None]:
        """Keeps other editors of a file waiting, by a lock on the file itself.

        A process that waited finds another file under the name, and starts again with it.  A file system without locks
        leaves the comparison alone, with a moment between it and the renaming.
        """
        until = time.monotonic() + _WAIT
        while True:
            with path.open("rb") as file:
                _lock(file.fileno(), path, until)
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    yield
                    return

    def _lock(handle: int, path: Path, until: float) -> None:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise _in_use(path) from None
                time.sleep(0.005)
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                return
            else:
                return


def _in_use(path: Path) -> InputError:
    message, hint = "another process holds this file, and nothing was written", "end that process, and run it again"
    return refusal("file-changed", str(path), message, hint)
