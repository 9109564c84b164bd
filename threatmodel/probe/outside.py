"""The files that a handler read beside those of its folder, each with a digest: they are part of what was probed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path

from threatmodel.probe.folder import covered
from threatmodel.reading.project import real_path, repository

MOST_READ = 20_000
"""Files that a result names; a handler that reads more has no result that counts."""
_SYSTEM = ("/proc/", "/dev/", "/sys/", "/etc/", "/usr/lib", "/usr/share/", "/lib", "/bin/", "/sbin/", "/nix/store/")
"""Where an operating system keeps what is its own: Lambda has its own there."""
_PROBE = str(Path(__file__).resolve().parent / "runners") + os.sep
_STANDARD = tuple({f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib")})
_INSTALLED = re.compile(r"/(?:site|dist)-packages/")
_KEPT = re.compile(r"__pycache__\Z|.*\.pyc\Z")


def outside(folder: Path, read: Iterable[str], library: str = "") -> dict[str, str]:
    """Digests of the files and listed folders that its digest does not cover, by their paths from a folder, in order.

    The interpreter's own (`library`, where it is another one) and the system's are left out, and what is there no more:
    the handler itself made that.  A file outside the repository has no digest, since the handler may only say that it
    read it; no result counts with it.
    """
    root, inside = real_path(folder), covered(folder)
    project = repository(root) or root.parent
    found = {}
    for name in {*read}:
        if _is_own(name) or (library and name.startswith(library + os.sep) and not _INSTALLED.search(name)):
            continue
        path = Path(os.path.normpath(name))
        here = {one.relative_to(root).as_posix() for one in (path, real_path(path)) if one.is_relative_to(root)}
        if here & inside or (path.is_dir() and any(_holds(one, inside) for one in here)):
            continue
        digest = digest_of(path) if _is_in_project(path, project) else _UNREAD if path.exists() else ""
        if digest:
            relative = os.path.relpath(path, root).replace(os.sep, "/")
            found[f"{relative}/" if path.is_dir() else relative] = digest
    return dict(sorted(found.items()))


_UNREAD = "0" * 64


def _is_in_project(path: Path, project: Path) -> bool:
    return real_path(path).is_relative_to(project)


def _is_own(name: str) -> bool:
    """Whether a path is the interpreter's, the probe's or the system's."""
    if _INSTALLED.search(name):
        return False
    return name.startswith((_PROBE, *_STANDARD, *_SYSTEM))


def _holds(folder: str, inside: Iterable[str]) -> bool:
    """Whether a folder is one whose names the digest of the whole covers."""
    return folder == "." or any(name.startswith(f"{folder}/") for name in inside)


def digest_of(path: Path) -> str:
    """SHA-256 of a file's content, or of the names in a folder; '' where neither can be read.

    Byte code that Python keeps is no part of a folder: a probe loads none of it.
    """
    try:
        if path.is_dir():
            names = sorted(name for name in (one.name for one in path.iterdir()) if not _KEPT.match(name))
            return hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()
        if path.is_file():
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        pass
    return ""


def names_in(text: str) -> tuple[str, ...]:
    """The files that the text of a result names; none where it is no such text, which others report."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    files = found.get("files") if isinstance(found, dict) else None
    return tuple(files) if isinstance(files, dict) else ()


def too_many(files: Mapping[str, str]) -> bool:
    """Whether a handler read more files than a result names."""
    return len(files) > MOST_READ
