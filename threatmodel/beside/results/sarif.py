"""SARIF 2.1.0, as any tool writes it: results, the files that were read, and why a run may not count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from threatmodel.beside.results.values import Finding, Results, number, rows, table, text
from threatmodel.reading.times import time_of

_VERSION = "2.1.0"
_NO_FAULT = frozenset(("notApplicable", "open", "review", "informational"))
"""Kinds of results that are no fault and no pass."""
_NAMES = {"semgrep oss": "semgrep", "semgrep pro": "semgrep", "osv-scanner": "osv-scanner"}


def is_sarif(raw: object) -> bool:
    """Whether JSON is a log in SARIF."""
    return isinstance(raw, dict) and "runs" in raw and ("sarif" in str(raw.get("$schema")) or "version" in raw)


def results(raw: Mapping[str, Any]) -> Results:
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
