"""The files of a revision, read out of git's own store into a folder, without touching the work tree or the index."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from threatmodel.reading.problems import InputError, Place, Problem, quoted

LARGEST = 1 << 30
"""Bytes of a revision that are read at most."""


class Blob(NamedTuple):
    """A file of a revision: its mode, its name in git's store, its path."""

    mode: str
    name: str
    path: str


def root_of(folder: Path) -> Path:
    """The root of the repository that a folder lies in.  Raises InputError where there is none, or no git."""
    try:
        found = _git(folder, "rev-parse", "--show-toplevel")
    except InputError as error:
        if any(problem.code == "no-git" for problem in error.problems):
            raise
        message, hint = "this is no git repository", "name two files, or stand in a repository"
        raise InputError([_refusal("unknown-revision", str(folder), message, hint)]) from None
    return Path(os.fsdecode(found.rstrip(b"\n")))


def unpacked(root: Path, revision: str, folder: Path) -> None:
    """Writes the files of a revision to a folder.  Raises InputError where there is none, or not all of it."""
    commit = commit_of(root, revision)
    listed = _git(root, "ls-tree", "-r", "-z", "--full-tree", commit)
    blobs = [blob for blob in _blobs(listed) if blob.mode in {"100644", "100755", "120000"}]
    wanted = "".join(f"{blob.name}\n" for blob in blobs).encode()
    content = iter(_contents(_git(root, "cat-file", "--batch", feed=wanted), revision))
    links = []
    left = LARGEST
    for blob in blobs:
        data = next(content)
        left -= len(data)
        if left < 0:
            raise InputError([_refusal("unknown-revision", revision, "its files are larger than 1 GB", "name files")])
        target = _inside(folder, blob.path)
        if target is None:
            continue  # no path that a work tree could hold
        if blob.mode == "120000":
            links.append((target, os.fsdecode(data)))
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    for target, to in links:  # last, so that nothing is written through one
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(to)
    (folder / ".git").mkdir(exist_ok=True)  # where the project ends, as in the repository itself


def commit_of(root: Path, revision: str) -> str:
    """The full name of a commit.  Raises InputError where there is none."""
    if not revision or revision.startswith("-"):
        raise InputError([_refusal("unknown-revision", revision or "''", "this is no revision", "name a branch")])
    try:
        found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except InputError as error:
        if any(problem.code == "no-git" for problem in error.problems):
            raise
        shallow = _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
        hint = (
            "this clone is shallow: fetch it (git fetch --unshallow, fetch-depth: 0)"
            if shallow
            else "see git branch -a"
        )
        message = f"there is no revision {quoted(revision)} in this repository"
        raise InputError([_refusal("unknown-revision", revision, message, hint)]) from None
    return found.decode().strip()


def _blobs(listed: bytes) -> Iterator[Blob]:
    for entry in listed.split(b"\0"):
        if entry:
            head, _, path = entry.partition(b"\t")
            mode, _, name = head.decode().split(" ")
            yield Blob(mode, name, os.fsdecode(path))


def _contents(stream: bytes, revision: str) -> Iterator[bytes]:
    """The contents that `git cat-file --batch` gives, in order."""
    at = 0
    while at < len(stream):
        end = stream.index(b"\n", at)
        head = stream[at:end].split(b" ")
        if len(head) != 3:  # noqa: PLR2004 - name, type and size: else it is missing
            hint = "fetch the whole of it (git fetch --refetch)"
            raise InputError([_refusal("unknown-revision", revision, "not all of its files are in this clone", hint)])
        size = int(head[2])
        yield stream[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def _inside(folder: Path, path: str) -> Path | None:
    """Where a path of a revision lies in a folder; None where it would lie outside, or be git's own."""
    parts = PurePosixPath(path).parts
    if not parts or any(part in {"", ".", "..", "/"} or part.lower() == ".git" for part in parts):
        return None
    return folder.joinpath(*parts)


def _git(folder: Path, *arguments: str, feed: bytes = b"") -> bytes:
    """What a plumbing command prints; it asks nobody and runs no hook.  Raises InputError where it fails."""
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
    command = ["git", "--no-replace-objects", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, input=feed, env=env, capture_output=True, check=False)  # noqa: S603 - the words stand here
    except OSError:
        message, hint = "git is not installed here, or not on the PATH", "install git, or name two files"
        raise InputError([_refusal("no-git", "git", message, hint)]) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().split("\n")[-1][:200] or "git failed"
        raise InputError([_refusal("unknown-revision", str(folder), said, "see what git says of it")])
    return done.stdout


def _refusal(code: str, where: str, message: str, hint: str) -> Problem:
    return Problem(code=code, place=Place(where), message=message, hint=hint)


def merge_base(root: Path, one: str, other: str) -> str:
    """The commit that two revisions have in common.  Raises InputError where there is none."""
    commits = (commit_of(root, one), commit_of(root, other))
    try:
        return _git(root, "merge-base", *commits).decode().strip()
    except InputError:
        message = f"{quoted(one)} and {quoted(other)} have no commit in common here"
        hint = "fetch the whole history (fetch-depth: 0)"
        raise InputError([_refusal("unknown-revision", one, message, hint)]) from None
