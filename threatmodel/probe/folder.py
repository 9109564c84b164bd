"""A name for the code that was probed: one digest over everything that Lambda would get."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from threatmodel.reading.problems import InputError, refusal
from threatmodel.reading.project import real_path, repository

LEFT_OUT = frozenset({".git", ".hg", ".svn", ".venv", "venv", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
"""Folders that are not what is deployed.  `node_modules`, vendored packages and a build (`.aws-sam`) are: they run."""
RESULT = "probe.json"
"""How the name of a saved result ends: it changes with every probe, and is no part of the code."""
PACKAGES = "node_modules"
MOST_FILES = 50_000
_NOT_RUN = re.compile(r"(?i:readme(?:\.(?:md|rst|txt))?)\Z|(?:.*[.-])?probe\.(?:json|env)\Z")
"""Files that run nowhere: a page for people, a saved result, and the variables of a probe.  A `.env` is no such file:
code reads it."""
_CACHE = "__pycache__"
_BY_TIME = b"\0\0\0\0"
"""The flags of byte code that Python takes only while its source has the time and size of when it was compiled."""


def folder_digest(folder: Path, shown_as: str = "") -> str:
    """SHA-256 over the sorted relative paths and contents of the files in a folder, in hexadecimal.

    What runs nowhere (`README`, `*probe.json`, `*probe.env`) and the folders of `LEFT_OUT` are no part of it, and byte
    code is unless Python itself kept it of a source that is there.  A link counts as what it leads to, and only if that
    is inside the folder; a link to a folder inside it adds only its name, and so does one among packages to a folder of
    the same repository; a link `node_modules` to a folder of that name elsewhere counts as that folder.  Raises
    InputError where a file cannot be read, so that no digest ever stands for a part.
    """
    whole = hashlib.sha256()
    root = real_path(folder)
    for name, content in _contents(root, shown_as or str(folder)):
        whole.update(name.encode("utf-8", "surrogateescape") + b"\0" + content)
    return whole.hexdigest()


def covered(folder: Path) -> frozenset[str]:
    """The relative paths of the files in a folder that are part of its digest.  Raises InputError as that does."""
    root = real_path(folder)
    return frozenset(name for name, _ in _places(root, str(folder)))


def _contents(root: Path, shown_as: str) -> Iterator[tuple[str, bytes]]:
    """Each name, in order, with the digest of what is behind it."""
    for name, (base, inner, shown) in _places(root, shown_as):
        yield name, _content(base, inner, shown)


def _places(root: Path, shown_as: str) -> Iterator[tuple[str, tuple[Path, str, str]]]:
    """Each name, in order, with the folder that holds it: packages may be linked from elsewhere."""
    for name in sorted(_names(root, shown_as)):
        packages = real_path(root / name)
        if name == packages.name == PACKAGES and packages.is_dir():
            for inner in sorted(_names(packages, f"{shown_as}/{name}")):
                yield f"{name}/{inner}", (packages, inner, f"{shown_as}/{name}")
        else:
            yield name, (root, name, shown_as)


def _names(root: Path, shown_as: str) -> Iterator[str]:
    """The relative path of each file, with `/` between its parts."""

    def stop(error: OSError) -> None:
        raise _unreadable(f"{shown_as}: {error.filename}", error.strerror or "cannot be listed")

    if not root.is_dir():
        raise refusal("missing-file", shown_as, "there is no such folder")
    count = 0
    for here, folders, files in os.walk(root, onerror=stop):
        folders[:] = [name for name in folders if not _is_left_out(Path(here), name)]
        linked = [name for name in folders if (Path(here) / name).is_symlink()]
        for name in (*files, *linked):
            if not _is_not_run(Path(here), name) and not _is_kept(Path(here), name):
                count += 1
                yield (Path(here) / name).relative_to(root).as_posix()
        if count > MOST_FILES:
            raise _unreadable(shown_as, f"the folder has more than {MOST_FILES} files")


def _is_left_out(here: Path, name: str) -> bool:
    """Whether a folder is no part of what is deployed; one that is only called as a virtual environment is one."""
    return name in LEFT_OUT and ("venv" not in name or (here / name / "pyvenv.cfg").is_file())


_OF_A_RESULT = {"format", "target", "folder_sha256", "rows", "facts"}


def _is_not_run(here: Path, name: str) -> bool:
    """Whether a file runs nowhere; what is only called as a saved result may be read by the code."""
    if not _NOT_RUN.match(name):
        return False
    if not name.endswith(".json"):
        return True
    try:
        found = json.loads((here / name).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys() >= _OF_A_RESULT


def _is_kept(here: Path, name: str) -> bool:
    """Whether a file is byte code that Python kept of a source: any other byte code runs in place of a source."""
    if here.name != _CACHE or not name.endswith(".pyc"):
        return False
    source = here.parent / f"{name.partition('.')[0]}.py"
    try:
        with (here / name).open("rb") as file:
            return source.is_file() and file.read(8)[4:] == _BY_TIME
    except OSError:
        return False


def _content(root: Path, name: str, shown_as: str) -> bytes:
    """The digest of what is behind a name, with its kind."""
    path = root / name
    where = f"{shown_as}/{name}"
    try:
        target = Path(os.path.realpath(path, strict=True))
        if not target.is_relative_to(root):
            if _is_workspace(root, name, target):  # its files are known as those that were read elsewhere
                return b"link" + hashlib.sha256(os.path.relpath(target, root).encode()).digest()
            raise _unreadable(where, "this link leads out of the folder")
        if target.is_dir():
            return b"link" + hashlib.sha256(target.relative_to(root).as_posix().encode()).digest()
        if not target.is_file():
            raise _unreadable(where, "this is no regular file")
        with target.open("rb") as file:
            return b"file" + hashlib.file_digest(file, "sha256").digest()
    except (OSError, RuntimeError) as error:
        raise _unreadable(where, getattr(error, "strerror", None) or "it cannot be read") from None


def _is_workspace(root: Path, name: str, target: Path) -> bool:
    """Whether a link among packages leads to a folder of the same repository, as npm links those of a workspace."""
    project = repository(root)
    return PACKAGES in (root.name, *Path(name).parts[:-1]) and project is not None and _is_in(target, project)


def _is_in(folder: Path, project: Path) -> bool:
    return folder.is_dir() and folder != project and folder.is_relative_to(project)


def _unreadable(where: str, message: str) -> InputError:
    return refusal("unreadable-file", where, message, "probe a folder that holds the function's code and nothing else")
