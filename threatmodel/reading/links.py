"""Links that are in a project and lead out of it, which a clone or a pull request can bring along."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from threatmodel.reading.problems import paths_apart, refusal
from threatmodel.reading.project import real_path, repository

_MOST = 40
"""Links that are followed on one path, as the system does."""


class Exit(NamedTuple):
    """A link in a project, and the place outside the project that it leads to."""

    link: Path
    target: Path


def refuse_exit(path: Path, said: str) -> None:
    """Raises InputError (`outside-project`) where a link on a path is in a project and leads out of it.

    `said` is what the path is called in the message.
    """
    found = exit_of(path)
    if found is not None:
        link, target = paths_apart(*found)
        message = f"the link {link} leads out of its project, to {target}"
        raise refusal("outside-project", said, message, "name that place itself, or remove the link")


def exit_of(path: Path) -> Exit | None:
    """Return the first link on a path that is in a project and leads out of it; None where there is none.

    A project is the repository that the link is in, or else the working directory.  What is
    git's own is outside.  A link outside of any project, such as a mounted volume has, is followed: the user chose
    the path.
    """
    real = real_path(path)
    if ".." not in path.parts and os.fspath(real) == os.path.abspath(path):  # noqa: PTH100 - links stay
        return None
    here = real_path(Path(path.anchor or os.curdir))
    ahead = _parts(path)
    followed = 0
    while ahead and followed < _MOST:
        part = ahead.pop()
        at = here / part
        target = None if part == os.pardir else _target(at)
        if target is None:
            here = here.parent if part == os.pardir else at
            continue
        if _leaves(at):
            return Exit(at, real_path(at))
        followed += 1
        here = Path(target.anchor) if target.anchor else here
        ahead += _parts(target)
    return None


def _parts(path: Path) -> list[str]:
    """The parts of a path behind its anchor, last first."""
    return [part for part in reversed(path.parts) if part != path.anchor]


def _target(path: Path) -> Path | None:
    """What a link says; None where a path is no link, or no path."""
    try:
        return path.readlink()
    except (OSError, ValueError):
        return None


def _leaves(link: Path) -> bool:
    """Whether a link, its folder's links resolved, leads out of the project that it is in."""
    here = Path(os.path.realpath(os.curdir))
    project = repository(link.parent) or (here if link.is_relative_to(here) else None)
    if project is None:
        return False
    target = real_path(link)
    return not target.is_relative_to(project) or ".git" in (part.lower() for part in target.relative_to(project).parts)
