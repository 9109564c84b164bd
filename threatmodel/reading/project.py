"""Where a path leads, and where a project ends: the repository that a file is in."""

from __future__ import annotations

import os
from pathlib import Path


def real_path(path: Path) -> Path:
    """A path with its links resolved; what no path can be (with a null byte, or half a character) stays as it is."""
    try:
        return Path(os.path.realpath(path))  # Path.resolve raises on a circle of links
    except ValueError:
        return path


def repository(folder: Path) -> Path | None:
    """The root of the repository that a folder is in: the nearest one upward that holds `.git`; links resolved."""
    here = real_path(folder)
    return next((one for one in (here, *here.parents) if _is_root(one)), None)


def _is_root(folder: Path) -> bool:
    return os.path.lexists(folder / ".git")  # a folder, or a file in a worktree


def upwards(folder: Path) -> tuple[Path, ...]:
    """A folder and those above it up to its repository's root; the folder alone where it is in none."""
    here = real_path(folder)
    root = repository(here)
    if root is None:
        return (here,)
    return tuple(one for one in (here, *here.parents) if one.is_relative_to(root))
