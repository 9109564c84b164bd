"""The JSON of each tool that is known: how it is recognized, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from threatmodel.beside.results import services
from threatmodel.beside.results.values import Finding, Results, number, rows, table, text, texts
from threatmodel.reading.times import time_of


class Tool(NamedTuple):
    """One tool: whether JSON is its own, and what that says."""

    is_its: Callable[[Any], bool]
    results: Callable[[Any], Results]


def tool_of(raw: object) -> Tool | None:
    """Return the tool whose JSON it is; None where it is no known one's."""
    return next((one for one in TOOLS if one.is_its(raw)), None)


def _has(*keys: str) -> Callable[[Any], bool]:
    return lambda raw: isinstance(raw, dict) and all(key in raw for key in keys)


def _each_has(*keys: str) -> Callable[[Any], bool]:
    return lambda raw: isinstance(raw, list) and bool(raw) and all(_has(*keys)(one) for one in raw)


# --- code


def _bandit(raw: Mapping[str, Any]) -> Results:
    metrics, found = table(raw.get("metrics")), rows(raw.get("results"))
    counted = sum(number(value) for key, value in table(metrics.get("_totals")).items() if key.startswith("SEVERITY."))
    doubts = [] if counted == len(found) else [_differ(counted, len(found))]
    return Results(
        tool="bandit",
        findings=[
            Finding(
                text(one.get("test_id")), f"results[{at}]", text(one.get("filename")), number(one.get("line_number"))
            )
            for at, one in enumerate(found)
        ],
        read=frozenset(name for name in metrics if name != "_totals"),
        unread=[(text(one.get("filename")), "bandit could not read it") for one in rows(raw.get("errors"))],
        doubts=doubts,
        made=time_of(raw.get("generated_at")),
    )


def _differ(said: int, there: int) -> str:
    return f"its own count says {said} findings, and it has {there}: it was edited or cut short"


def _semgrep(raw: Mapping[str, Any]) -> Results:
    paths = table(raw.get("paths"))
    skipped = [(text(one.get("path")), "semgrep skipped it") for one in rows(paths.get("skipped"))]
    return Results(
        tool="semgrep",
        version=text(raw.get("version")),
        findings=[
            Finding(
                text(one.get("check_id")),
                f"results[{at}]",
                text(one.get("path")),
                number(table(one.get("start")).get("line")),
            )
            for at, one in enumerate(rows(raw.get("results")))
        ],
        read=frozenset(texts(paths.get("scanned"))) if "scanned" in paths else None,
        unread=[*skipped, *((text(one.get("path")), "semgrep could not read it") for one in rows(raw.get("errors")))],
    )


def _zizmor(raw: Any) -> Results:
    findings = []
    for at, one in enumerate(rows(raw)):
        if not one.get("ignored"):
            file, line = _place(one)
            findings.append(Finding(text(one.get("ident")), f"[{at}]", file, line))
    return Results(tool="zizmor", findings=findings)


def _place(finding: Mapping[str, Any]) -> tuple[str, int]:
    """The file and line of the primary location."""
    places = rows(finding.get("locations"))
    first = next(
        (one for one in places if table(one.get("symbolic")).get("kind") == "Primary"), table(places and places[0])
    )
    local = table(table(table(first.get("symbolic")).get("key")).get("Local"))
    start = table(table(table(first.get("concrete")).get("location")).get("start_point"))
    return text(local.get("verbatim_path") or local.get("given_path")), number(start.get("row")) + 1


def _gitleaks(raw: Any) -> Results:
    return Results(
        tool="gitleaks",
        findings=[
            Finding(text(one.get("RuleID")), f"[{at}]", text(one.get("File")), number(one.get("StartLine")))
            for at, one in enumerate(rows(raw))
        ],
    )


def _detect_secrets(raw: Mapping[str, Any]) -> Results:
    return Results(
        tool="detect-secrets",
        version=text(raw.get("version")),
        findings=[
            Finding(text(one.get("type")), f"results.{text(file)}[{at}]", text(file), number(one.get("line_number")))
            for file, every in table(raw.get("results")).items()
            for at, one in enumerate(rows(every))
            if one.get("is_secret") is not False  # a person looked at it, and it is none
        ],
        made=time_of(raw.get("generated_at")),
    )


# --- templates


def _checkov(raw: Any) -> Results:
    runs = rows(raw) if isinstance(raw, list) else (raw,)
    findings: list[Finding] = []
    unread: list[tuple[str, str]] = []
    doubts: list[str] = []
    version = ""
    for run in runs:
        found, summary = table(run.get("results")), table(run.get("summary") or run)
        version = text(summary.get("checkov_version")) or version
        broken = texts(found.get("parsing_errors"))
        unread += [(one, "checkov could not read it") for one in broken]
        if number(summary.get("parsing_errors")) > len(broken):
            unread.append(("", f"checkov could not read {number(summary.get('parsing_errors'))} files"))
        if not number(summary.get("resource_count")):
            doubts.append("checkov found no resource: it read no template, or none that it could read")
        for key in ("failed", "passed"):
            checks = rows(found.get(f"{key}_checks"))
            if f"{key}_checks" in found and len(checks) != number(summary.get(key)):
                doubts.append(_differ(number(summary.get(key)), len(checks)))
            findings += _checks(checks, str(run.get("check_type")), key)
    return Results(tool="checkov", version=version, findings=findings, unread=unread, doubts=doubts)


def _checks(checks: Any, kind: str, key: str) -> Iterator[Finding]:
    for at, one in enumerate(checks):
        lines = one.get("file_line_range")
        line = number(lines[0]) if isinstance(lines, list) and lines else 0
        file = text(one.get("repo_file_path") or one.get("file_path")).lstrip("/")
        resource = text(one.get("resource"))
        name = resource.rpartition(".")[2] if kind != "terraform_plan" else resource
        place = f"{key}_checks[{at}]"
        yield Finding(text(one.get("check_id")), place, file, line, name, passed=key == "passed")


# --- dependencies


def _pip_audit(raw: Mapping[str, Any]) -> Results:
    packages = rows(raw.get("dependencies"))
    skipped = [(text(one.get("name")), "pip-audit skipped it") for one in packages if "skip_reason" in one]
    return Results(
        tool="pip-audit",
        findings=[
            Finding("vulnerable-package", f"dependencies[{at}]", resource=text(one.get("name")))
            for at, one in enumerate(packages)
            for _ in rows(one.get("vulns"))
        ],
        unread=skipped,
        doubts=[] if packages else ["pip-audit read no dependency"],
    )


def _npm(raw: Mapping[str, Any]) -> Results:
    found, about = table(raw.get("vulnerabilities")), table(raw.get("metadata"))
    total = number(table(about.get("vulnerabilities")).get("total"))
    doubts = [] if total == len(found) else [_differ(total, len(found))]
    if not number(table(about.get("dependencies")).get("total")):
        doubts.append("npm audit read no dependency")
    if raw.get("auditReportVersion") != 2:  # noqa: PLR2004 - the version
        doubts.append("nothing is known of this version of npm's report; expected 2")
    rule = "vulnerable-package"
    return Results(
        tool="npm-audit",
        findings=[Finding(rule, f"vulnerabilities.{text(name)}", resource=text(name)) for name in found],
        doubts=doubts,
    )


def _osv(raw: Mapping[str, Any]) -> Results:
    findings = []
    for at, source in enumerate(rows(raw.get("results"))):
        file = text(table(source.get("source")).get("path"))
        for number_of, package in enumerate(rows(source.get("packages"))):
            if rows(package.get("vulnerabilities")):
                name = text(table(package.get("package")).get("name"))
                part = f"results[{at}].packages[{number_of}]"
                findings.append(Finding("vulnerable-package", part, file, resource=name))
    return Results(tool="osv-scanner", findings=findings)


# --- the account


def _prowler(raw: Any) -> Results:
    found = rows(raw)
    products = [table(table(one.get("metadata")).get("product")) for one in found]
    accounts = {text(table(table(one.get("cloud")).get("account")).get("uid")) for one in found}
    doubts = ["it has answers of several accounts; keep those of one"] if len(accounts) > 1 else []
    times = (one.get("time_dt") or table(one.get("finding_info")).get("created_time_dt") for one in found)
    findings = [
        Finding(
            text(table(one.get("metadata")).get("event_code")),
            f"[{at}]",
            resource=text(resource.get("uid")),
            passed=one.get("status_code") == "PASS",
            region=text(table(one.get("cloud")).get("region")),
        )
        for at, one in enumerate(found)
        if text(one.get("status_code")) in {"PASS", "FAIL"} and one.get("status") != "Suppressed"
        for resource in rows(one.get("resources"))
    ]
    return Results(
        tool="prowler",
        version=next((text(one.get("version")) for one in products), ""),
        findings=findings,
        doubts=doubts,
        made=max(filter(None, map(time_of, times)), default=None),
        account=next(iter(accounts), "") if len(accounts) == 1 else "",
    )


def _is_checkov(raw: Any) -> bool:
    first = raw[0] if isinstance(raw, list) and raw else raw
    return _has("check_type", "results", "summary")(first) or _has("checkov_version", "passed", "failed")(first)


def _is_prowler(raw: Any) -> bool:
    return isinstance(raw, list) and any(
        str(table(table(one.get("metadata")).get("product")).get("name")).lower() == "prowler" for one in rows(raw)
    )


TOOLS = (
    Tool(_is_checkov, _checkov),
    Tool(_is_prowler, _prowler),
    Tool(_has("metrics", "results", "errors"), _bandit),
    Tool(_has("plugins_used", "results"), _detect_secrets),
    Tool(_has("results", "paths", "errors"), _semgrep),
    Tool(_has("dependencies", "fixes"), _pip_audit),
    Tool(_has("auditReportVersion", "vulnerabilities"), _npm),
    Tool(_each_has("RuleID", "File"), _gitleaks),
    Tool(_each_has("ident", "determinations"), _zizmor),
    Tool(_has("results", "experimental_config"), _osv),
    Tool(_has("SummaryMap"), services.summary),
    Tool(_has("ReportFormat", "Content"), services.credentials),
    Tool(_has("ok", "session_settings"), services.sessions),
)
"""Each tool, in the order in which its JSON is looked for."""
