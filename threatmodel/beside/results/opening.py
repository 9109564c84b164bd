"""The result of another tool in a file, SARIF or an answer: recognized by its content, with its files found again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from threatmodel.beside.results.services import parsed
from threatmodel.beside.results.tools import tool_of
from threatmodel.beside.results.values import Finding, Results, number, rows, table, text
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.git import tried
from threatmodel.reading.problems import InputError, refusal
from threatmodel.reading.project import real_path, repository
from threatmodel.reading.times import time_of
from threatmodel.reading.values import dataclass

_VERSION = "2.1.0"
_NO_FAULT = frozenset(("notApplicable", "open", "review", "informational"))
"""Kinds of results that are no fault and no pass."""
_NAMES = {"semgrep oss": "semgrep", "semgrep pro": "semgrep", "osv-scanner": "osv-scanner"}


def is_sarif(raw: object) -> bool:
    """Whether JSON is a log in SARIF."""
    return isinstance(raw, dict) and "runs" in raw and ("sarif" in str(raw.get("$schema")) or "version" in raw)


def sarif_results(raw: Mapping[str, Any]) -> Results:
    """Return what a log says; several runs of one tool are one result."""
    runs = rows(raw.get("runs"))
    drivers = [table(table(one.get("tool")).get("driver")) for one in runs]
    names = list(dict.fromkeys(_tool(one) for one in drivers))
    read = [text(table(one.get("location")).get("uri")) for run in runs for one in rows(run.get("artifacts"))]
    revisions = {text(one.get("revisionId")) for run in runs for one in rows(run.get("versionControlProvenance"))}
    ends = (one.get("endTimeUtc") or one.get("startTimeUtc") for run in runs for one in rows(run.get("invocations")))
    return Results(
        tool=names[0] if len(names) == 1 else "",
        version=next((text(one.get("semanticVersion") or one.get("version")) for one in drivers), ""),
        findings=[one for at, run in enumerate(runs) for one in _findings(run, at)],
        read=frozenset(map(_path, read)) if any("artifacts" in run for run in runs) else None,
        doubts=[*_doubts(raw, runs, names)],
        made=max(filter(None, map(time_of, ends)), default=None),
        revision=next(iter(revisions), "") if len(revisions) == 1 else "",
    )


def _tool(driver: Mapping[str, Any]) -> str:
    name = text(driver.get("name")).lower()
    return _NAMES.get(name, name)


def _doubts(raw: Mapping[str, Any], runs: object, names: list[str]) -> Iterator[str]:
    if raw.get("version") != _VERSION:
        yield f"nothing is known of this version of SARIF; expected {_VERSION}"
    if not runs:
        yield "it has no run, so no tool wrote it"
    if len(names) > 1:
        yield "it has runs of several tools; keep each in a separate file"
    for run in rows(raw.get("runs")):
        if not isinstance(run.get("results"), list):
            yield "a run has no list of results, so it was not finished"
        for one in rows(run.get("invocations")):
            if one.get("executionSuccessful") is False:
                yield "the tool says that its run failed"
            kinds = ("toolExecutionNotifications", "toolConfigurationNotifications")
            if any(said.get("level") == "error" for kind in kinds for said in rows(one.get(kind))):
                yield "the tool reports an error, such as a file that it could not read"


def _findings(run: Mapping[str, Any], number_of_run: int) -> Iterator[Finding]:
    rules = rows(table(table(run.get("tool")).get("driver")).get("rules"))
    for at, one in enumerate(rows(run.get("results"))):
        if one.get("suppressions") or text(one.get("kind")) in _NO_FAULT:
            continue
        index = one.get("ruleIndex")
        listed = rules[index] if isinstance(index, int) and 0 <= index < len(rules) else {}
        rule = text(one.get("ruleId")) or text(table(one.get("rule")).get("id")) or text(listed.get("id"))
        where = table((rows(one.get("locations")) or ({},))[0].get("physicalLocation"))
        yield Finding(
            rule.rpartition("/")[2],
            f"runs[{number_of_run}].results[{at}]",
            _path(text(table(where.get("artifactLocation")).get("uri"))),
            number(table(where.get("region")).get("startLine")),
            passed=one.get("kind") == "pass",
        )


def _path(uri: str) -> str:
    return unquote(re.sub(r"^file://[^/]*", "", uri))


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
        raise _refused(file, "this is no JSON that can be read; it may be cut short, or have a key twice") from None
    if raw == []:
        return Results(tool="", doubts=[_EMPTY])
    if is_sarif(raw):
        return sarif_results(raw)
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
