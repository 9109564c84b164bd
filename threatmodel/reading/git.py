"""Git's plumbing on the repository that `reading.project` finds, steered by nothing that a pull request holds.

Git looks for a repository on its own where it is not given one, and takes a folder with ``HEAD``, ``objects`` and
``refs`` for one: files that anyone can commit beside a model.  So the repository is always given, the environment is
empty, and what the repository's own configuration could start (hooks, monitors, transports) is switched off.  No
command here writes.  What git finds on its own is only compared: where it differs, that is an error.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from threatmodel.reading.files import shown_path
from threatmodel.reading.problems import InputError, paths_apart, quoted, refusal
from threatmodel.reading.project import real_path, repository

if TYPE_CHECKING:  # what starts programs is imported where it is used: start-up is a feature
    from subprocess import CompletedProcess

_SWITCHED_OFF = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.untrackedCache=false",
    "core.commitGraph=false",  # only commits themselves say what they follow
    "advice.graftFileDeprecated=false",
    "core.warnAmbiguousRefs=true",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
    "safe.directory=*",  # of any owner: nothing in the repository is started
)
_KEPT = ("SYSTEMROOT", "DEVELOPER_DIR")
"""What git needs of the environment, beside its PATH, to be started on Windows and on macOS."""

_ENV = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM": "1",
    "LC_ALL": "C",
}


_NO_MORE: Mapping[str, str] = {}


class Located(NamedTuple):
    """A file's repository, links resolved, and the file's path in it as it was named, links unresolved."""

    root: Path
    path: Path


def located(path: Path) -> Located:
    """Return the repository of a file, which need not exist, and the file's path in it.

    Raises InputError where it is in no repository, where git finds another one than its `.git` says, and where a
    repository is inside that of the working directory, as a submodule does.
    """
    named = Path(os.path.abspath(path))  # noqa: PTH100 - a link's own path is what git knows it by
    tops = [one for one in named.parents if os.path.lexists(one / ".git")]
    if not tops:
        named = real_path(named.parent) / named.name
        tops = [root for root in (repository(named.parent),) if root is not None]
    if not tops:
        raise _refusal(
            "unknown-revision", path.parent, "this is not a git repository", "name two files, or change to a repository"
        )
    if len(tops) > 1 and tops[0] != repository(Path.cwd()):
        message = (
            f"{quoted(shown_path(tops[0]))} is a repository inside another one: a submodule, a link, or a nested clone"
        )
        raise _refusal("other-repository", path, message, f"run it there: cd {shown_path(tops[0])}")
    _agreed(named.parent, real_path(tops[0]))
    return Located(real_path(tops[0]), named.relative_to(tops[0]))


def _agreed(folder: Path, root: Path) -> None:
    """Raises InputError where git, left alone in a folder, finds another repository than this one, or none."""
    while not folder.is_dir():  # a folder that is there in another revision only
        folder = folder.parent
    done = _started((), ("rev-parse", "--show-toplevel"), folder, b"")
    found = real_path(Path(os.fsdecode(done.stdout.rstrip(b"\r\n")))) if not done.returncode else None
    if found != root:
        ours, theirs = paths_apart(*(Path(shown_path(one)) for one in (root, found or root)))
        what = theirs if found else f"none ({_said(done)})"
        message = f"its repository is {ours}, which has '.git', but git finds {what}"
        hint = "remove the files beside the model that Git treats as a repository (HEAD, objects), or repair '.git'"
        raise _refusal("other-repository", folder, message, hint)


def git(root: Path, *arguments: str, feed: bytes = b"", tree: Path | None = None) -> bytes:
    """Return what a plumbing command prints of the repository whose `.git` is in `root`; `feed` is its input.

    `tree` is a folder that replaces the working tree and has no index.
    Raises InputError where git is not installed (`no-git`) or fails (`git-failed`).
    """
    done = tried(root, *arguments, feed=feed, tree=tree)
    if done.returncode:
        raise _refusal("git-failed", root, _said(done), "check the repository with git fsck")
    return done.stdout


def tried(root: Path, *arguments: str, feed: bytes = b"", tree: Path | None = None) -> CompletedProcess[bytes]:
    """Return how a plumbing command ended, with its outputs.  Raises InputError where git is not installed."""
    where = (f"--git-dir={root / '.git'}", f"--work-tree={tree or root}")
    index = {"GIT_INDEX_FILE": str(tree / ".git" / "index")} if tree else {}
    return _started(where, arguments, tree or root, feed, index)


def is_tracked(path: Path) -> bool:
    """Return whether git tracks a file, links of its folder resolved and its own link not; False outside a repository.

    A name in other case is the same file where it is to the file system.  Raises InputError where git cannot be asked.
    """
    folder = real_path(path.parent)
    root = repository(folder)
    if root is None:
        return False
    here = folder.relative_to(root)
    listed = git(root, "ls-files", "-z", "--", here.as_posix()).split(b"\0")
    names = [Path(os.fsdecode(name)) for name in listed if name]
    alike = [root / name for name in names if name.parent == here and _folded(name.name) == _folded(path.name)]
    return any(one.name == path.name or _is_same(one, path) for one in alike)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except OSError:
        return False


def _started(
    where: tuple[str, ...], arguments: tuple[str, ...], folder: Path, feed: bytes, more: Mapping[str, str] = _NO_MORE
) -> CompletedProcess[bytes]:
    import subprocess

    paths = [one for one in os.environ.get("PATH", "").split(os.pathsep) if Path(one).is_absolute()]
    program = _program(paths)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    settings = [part for setting in _SWITCHED_OFF for part in ("-c", setting)]
    options = ("--no-pager", "--no-replace-objects", "--literal-pathspecs", *settings, *where)
    try:
        return subprocess.run(  # noqa: S603 - the words stand in this project's own calls
            [program, *options, *arguments],
            cwd=folder,
            input=feed,
            env={**kept, **_ENV, **more, "PATH": os.pathsep.join(paths)},
            capture_output=True,
            check=False,
        )
    except OSError:
        raise _no_git() from None


def _program(paths: list[str]) -> str:
    """The program, from absolute folders of the PATH alone: Windows looks in the working directory first."""
    import shutil

    found = (shutil.which(str(Path(folder, "git"))) for folder in paths)
    program = next((one for one in found if one is not None), None)
    if program is None:
        raise _no_git()
    return program


def _no_git() -> InputError:
    message, hint = "git is not installed here, or not on the PATH", "install git, or name two files"
    return _refusal("no-git", Path("git"), message, hint)


def _said(done: CompletedProcess[bytes]) -> str:
    """The line of git's complaint that holds the cause."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    cause = next((line for line in lines if line.startswith(("fatal:", "error:"))), "".join(lines[:1]))
    return cause[:200] or f"git ended with {done.returncode}"


def _refusal(code: str, where: Path, message: str, hint: str) -> InputError:
    return refusal(code, shown_path(where), message, hint)
