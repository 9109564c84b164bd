"""The result of another tool in a file: recognized by its content, with its files found again in the project."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import Any

from threatmodel.beside.results import sarif
from threatmodel.beside.results.services import parsed
from threatmodel.beside.results.tools import tool_of
from threatmodel.beside.results.values import Results
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.git import tried
from threatmodel.reading.problems import InputError, refusal
from threatmodel.reading.project import real_path, repository
from threatmodel.reading.values import dataclass

LARGEST = 64 * 1024 * 1024
"""Bytes of a result."""
_KNOWN = (
    "SARIF, or the JSON of bandit, checkov, detect-secrets, gitleaks, npm audit, osv-scanner, pip-audit, Prowler, "
    "semgrep or zizmor, or a credential report of AWS"
)
_WORKFLOWS = ".github/workflows"
"""The folder from which zizmor names files in SARIF, where it is given that."""
_EMPTY = "it is an empty list, which does not say which tool wrote it or what that read: it shows nothing"


@dataclass(frozen=True, kw_only=True)
class OpenedResult:
    """A result, and where the files are that it names: `paths` by their names in it, as far as they are found.

    `file` is the result's own, as messages show it; `moved` says that it is of another commit than the checkout.
    """

    file: str
    results: Results
    paths: dict[str, Path]
    moved: bool
    digest: str


def read_result(path: Path, files: Files) -> OpenedResult:
    """Return the result in a file.  Raises InputError where it is cut short, or no result of a tool that is known."""
    text, shown = files.text(path, LARGEST, "keep the results of one part of the project"), shown_path(path)
    found = results_in(text, shown)
    root = _project(real_path(path.parent))
    project = _Project(root, path.parent)
    names = {one.file for one in found.findings} | (found.read or frozenset()) | {name for name, _ in found.unread}
    paths = {name: place for name in sorted(filter(None, names)) if (place := project.located(name))}
    moved = bool(found.revision) and _head(root) not in {"", found.revision}
    whole = f"{text}\0{sorted((name, str(place)) for name, place in paths.items())}\0{moved}"
    digest = hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()
    return OpenedResult(file=shown, results=found, paths=paths, moved=moved, digest=digest)


def results_in(text: str, file: str) -> Results:
    """Return what a text says, whatever tool wrote it.  Raises InputError where that is not known."""
    try:
        raw: Any = parsed(text)
    except (ValueError, RecursionError):
        raise _refused(file, "this is no JSON that can be read; it may be cut short") from None
    if raw == []:
        return Results(tool="", doubts=[_EMPTY])
    if sarif.is_sarif(raw):
        return sarif.results(raw)
    tool = tool_of(raw)
    if tool is None:
        raise _refused(file, "this is the result of no tool that is known")
    return tool.results(raw)


def _refused(file: str, found: str) -> InputError:
    return refusal("not-a-result", file, f"{found}; expected {_KNOWN}", "run the tool again, and save its whole output")


def _project(folder: Path) -> Path:
    """The repository of a folder; where it is in none, the working directory around it, else the folder."""
    here = real_path(Path())
    return repository(folder) or (here if folder.is_relative_to(here) else folder)


class _Project:
    """The files of a project, looked for by names that tools give them: from a folder, or from where a tool ran."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        bases = dict.fromkeys((root, real_path(folder), real_path(Path()), root / _WORKFLOWS))
        self.inside = {base: frozenset(one.name for one in base.iterdir()) for base in bases if base.is_dir()}

    def located(self, name: str) -> Path | None:
        """The file that a tool calls so; None where there is none in the project."""
        parts = PurePosixPath(name.replace("\\", "/")).parts
        for start, first in enumerate(parts):
            for base, names in self.inside.items():
                if first in names:  # most parts are of the machine where the tool ran
                    place = real_path(base.joinpath(*parts[start:]))
                    if place.is_relative_to(self.root) and place.is_file():
                        return place
        return None


def _head(root: Path) -> str:
    """The commit that is checked out; '' where there is none."""
    if not (root / ".git").exists():
        return ""
    try:
        done = tried(root, "rev-parse", "--verify", "-q", "HEAD")
    except InputError:
        return ""
    return "" if done.returncode else done.stdout.decode().strip()
