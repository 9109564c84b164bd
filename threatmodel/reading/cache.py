"""What was worked out before, kept in a folder that is the user's alone, by a digest of all that it follows from.

Only text is kept, as whoever asks writes and reads it.  Where the folder is not the user's own, cannot be made or is
switched off (``TM_CACHE=off``), nothing is kept and nothing is found.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
from functools import cache
from pathlib import Path

from threatmodel.reading.home import PACKAGES
from threatmodel.reading.output import write
from threatmodel.reading.problems import InputError

MOST = 50
"""Texts that are kept; the oldest go."""


def recalled(key: str) -> str | None:
    """The text kept under a key, if there is one, and it is whole."""
    folder = _folder(make=False)
    if folder is None:
        return None
    with contextlib.suppress(OSError, ValueError):
        head, _, text = (folder / key).read_text(encoding="utf-8").partition("\n")
        if head == hashlib.sha256(text.encode()).hexdigest():
            os.utime(folder / key)  # the oldest go, and this is of use
            return text
    return None


def keep(key: str, text: str) -> None:
    """Keeps a text under a key."""
    folder = _folder(make=True)
    if folder is not None:
        with contextlib.suppress(OSError, InputError):
            write(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", folder / key)
            _thin_out(folder)


@cache
def toolkit_digest() -> str:
    """A digest over the toolkit's own files: its code and the tables beside it."""
    whole = hashlib.sha256()
    root = PACKAGES / "threatmodel"
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".yaml", ".json"} and "content" not in path.relative_to(root).parts[:1]:
            whole.update(str(path.relative_to(root)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def is_on() -> bool:
    """Whether anything is kept at all."""
    return os.environ.get("TM_CACHE", "").lower() not in {"off", "0", "no"}


def _folder(*, make: bool) -> Path | None:
    """The folder, if it is the user's alone."""
    if not is_on():
        return None
    with contextlib.suppress(OSError, RuntimeError):
        folder = _place() / "threatmodel"
        if make:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and (sys.platform == "win32" or _is_private(found)):
            return folder
    return None


def _place() -> Path:
    named = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", "")
    return Path(named) if named and Path(named).is_absolute() else Path.home() / ".cache"


def _is_private(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _thin_out(folder: Path) -> None:
    kept = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in kept[MOST:]:
        path.unlink()
