"""The files of a revision, from git's object store to a folder; the working tree and index are not changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from subprocess import CompletedProcess
from typing import NamedTuple

from threatmodel.reading.files import Files
from threatmodel.reading.git import git, tried
from threatmodel.reading.problems import InputError, Place, Problem, quoted, refusal

LARGEST = 1 << 30
"""The limit on the bytes of a revision that are read."""


class Blob(NamedTuple):
    """A file of a revision: its mode, its name in git's store, its path."""

    mode: str
    name: str
    path: str


def unpacked(root: Path, revision: str, folder: Path) -> None:
    """Write the files of a revision to a folder. Raises InputError where the revision or a part of it is missing."""
    commit = commit_of(root, revision)
    listed = git(root, "ls-tree", "-r", "-z", "--full-tree", commit)
    blobs = [blob for blob in _blobs(listed) if blob.mode in {"100644", "100755", "120000"}]
    wanted = "".join(f"{blob.name}\n" for blob in blobs).encode()
    content = iter(_contents(git(root, "cat-file", "--batch", feed=wanted), revision))
    files: list[tuple[Path, bytes]] = []
    links: list[tuple[Path, bytes]] = []
    left = LARGEST
    for blob in blobs:
        data = next(content)
        left -= len(data)
        if left < 0:
            raise refusal(
                "unknown-revision", revision, "the files of this revision are larger than 1 GB", "compare two files"
            )
        target = _inside(folder, blob.path)
        if target is not None:  # None: a path that a working tree cannot hold
            (links if blob.mode == "120000" else files).append((target, data))
    try:
        _write(files, links)
    except (FileExistsError, NotADirectoryError) as error:
        path = Path(error.filename2 or error.filename).relative_to(folder).as_posix()
        message = f"two files of this revision have the same name on this file system: {quoted(path)}"
        hint = "rename one; the names differ only in case or in Unicode form"
        raise refusal("unknown-revision", revision, message, hint) from None
    (folder / ".git").mkdir(exist_ok=True)  # marks the top folder of the project, as in the repository


def _write(files: list[tuple[Path, bytes]], links: list[tuple[Path, bytes]]) -> None:
    """Write files, then links; all folders exist before the first link, so that nothing is written through a link."""
    for folder in {target.parent for target, _ in (*files, *links)}:
        folder.mkdir(parents=True, exist_ok=True)
    for target, data in files:
        with target.open("xb") as file:
            file.write(data)
    for target, to in links:
        try:
            target.symlink_to(os.fsdecode(to))
        except FileExistsError:
            raise
        except (OSError, ValueError, NotImplementedError):  # links are not supported here: write a file, as git does
            target.write_bytes(to)


def commit_of(root: Path, revision: str) -> str:
    """Return the full hash of a commit. Raises InputError where there is none."""
    if not revision or revision.startswith("-"):
        raise refusal(
            "unknown-revision", revision or "''", "this is not a revision", "name a branch, a tag or a commit"
        )
    done = _verified(root, revision)
    if b"is ambiguous" in done.stderr:
        message = f"{quoted(revision)} is ambiguous in this repository"
        hint = "write the full name, such as refs/remotes/origin/main; list all names with git for-each-ref"
        raise refusal("unknown-revision", revision, message, hint)
    if done.returncode:
        shallow = git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
        hint = (
            "this clone is shallow; fetch the whole history (git fetch --unshallow, fetch-depth: 0)"
            if shallow
            else "list the branches with git branch -a"
        )
        message = f"there is no revision {quoted(revision)} in this repository"
        raise refusal("unknown-revision", revision, message, hint)
    return done.stdout.decode().strip()


def is_revision(root: Path, name: str) -> bool:
    """Return whether a name means a commit in a repository."""
    return _verified(root, name).returncode == 0


def _verified(root: Path, revision: str) -> CompletedProcess[bytes]:
    return tried(root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")


def _blobs(listed: bytes) -> Iterator[Blob]:
    for entry in listed.split(b"\0"):
        if entry:
            head, _, path = entry.partition(b"\t")
            mode, _, name = head.decode().split(" ")
            yield Blob(mode, name, os.fsdecode(path))


def _contents(stream: bytes, revision: str) -> Iterator[bytes]:
    """Yield the contents that `git cat-file --batch` prints, in order."""
    at = 0
    while at < len(stream):
        end = stream.index(b"\n", at)
        head = stream[at:end].split(b" ")
        if len(head) != 3:  # noqa: PLR2004 - name, type and size: else it is missing
            hint = "fetch all files (git fetch --refetch)"
            raise refusal("unknown-revision", revision, "not all files of this revision are in this clone", hint)
        size = int(head[2])
        yield stream[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def _inside(folder: Path, path: str) -> Path | None:
    """Return the path of a file of a revision in a folder; None where it is outside the folder, or in .git."""
    parts = PurePosixPath(path).parts
    if not parts or any(part in {"", ".", "..", "/"} or part.lower() == ".git" for part in parts):
        return None
    return folder.joinpath(*parts)


def merge_base(root: Path, one: str, other: str) -> str:
    """Return the commit that two revisions have in common. Raises InputError where there is none."""
    commits = (commit_of(root, one), commit_of(root, other))
    try:
        return git(root, "merge-base", *commits).decode().strip()
    except InputError:
        message = f"{quoted(one)} and {quoted(other)} have no commit in common here"
        hint = "fetch the whole history (git fetch --unshallow, fetch-depth: 0)"
        raise refusal("unknown-revision", one, message, hint) from None


_ATTRIBUTES = ("filter", "working-tree-encoding", "ident", "eol")
_UNSET = {"unspecified", "unset"}
_UTF8 = {"utf-8", "utf8"}


class _Attribute(NamedTuple):
    """A git attribute of a file."""

    path: str
    name: str
    value: str


def refuse_converted(root: Path, folder: Path, files: Files, revision: str) -> None:
    """Raise InputError where a run has read a file that git converts as it checks it out.

    `folder` holds the files of the revision as git stores them.  Line ends count only where the bytes of a file do,
    as in the folder of a handler: elsewhere all of them are read alike.
    """
    read = {path for path in files.paths if path.is_relative_to(folder)}
    wholly = [one for one in files.folders if one.is_relative_to(folder)]
    whole = {path for one in wholly for path in (one, *one.rglob("*")) if path.is_file()}
    found = _attributes(root, folder, read | whole)
    problems = [
        _refusal(one, revision) for one in found if _converts(one, folder / one.path, whole=folder / one.path in whole)
    ]
    if problems:
        raise InputError(problems)


def _attributes(root: Path, folder: Path, paths: set[Path]) -> Iterator[_Attribute]:
    """Yield the attributes that the revision gives to some of its files."""
    names = sorted(os.fsencode(path.relative_to(folder).as_posix()) for path in paths)
    said = git(
        root, "check-attr", "-z", "--stdin", *_ATTRIBUTES, feed=b"".join(name + b"\0" for name in names), tree=folder
    )
    parts = [os.fsdecode(part) for part in said.split(b"\0")[:-1]]
    for at in range(0, len(parts), 3):
        yield _Attribute(*parts[at : at + 3])


def _converts(one: _Attribute, path: Path, *, whole: bool) -> bool:
    """Return whether an attribute makes git check out other bytes than it stores."""
    if one.value in _UNSET:
        return False
    match one.name:
        case "ident":
            return b"$Id" in path.read_bytes()
        case "eol":
            return whole and one.value == "crlf"
        case "working-tree-encoding":
            return one.value.lower() not in _UTF8
        case _:
            return True


def _refusal(one: _Attribute, revision: str) -> Problem:
    what = one.name if one.value == "set" else f"{one.name}={one.value}"
    message = f"{quoted(one.path)} has the git attribute {quoted(what)}: git stores other bytes than it checks out"
    hint = "compare two files that are checked out, or remove the attribute for this file from .gitattributes"
    return Problem(code="unusable-revision", place=Place(revision), message=message, hint=hint)
