"""Files of a revision that git checks out with other bytes than it stores, which `tm check` would read otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from threatmodel.reading.files import Files
from threatmodel.reading.git import git
from threatmodel.reading.problems import InputError, Place, Problem, quoted

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
