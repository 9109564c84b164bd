"""Writing results: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from threatmodel.problems import InputError, Place, Problem


def write(content: str | bytes, path: Path | None) -> None:
    """Writes a result to a file by way of a temporary one beside it, or to standard output where `path` is None.

    A symbolic link stays, and what it leads to is written.  Raises InputError when the file cannot be written; nothing
    is left behind then.
    """
    data = content.encode() if isinstance(content, str) else content
    if path is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    import tempfile

    try:
        target = Path(os.path.realpath(path))
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a device or a pipe: nothing to replace
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(_mode(target))
        Path(name).replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise _unwritable(path, error) from None


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
    hint = "check the folder and its permissions"
    return InputError([Problem(code="unwritable-file", place=Place(str(path)), message=message, hint=hint)])
