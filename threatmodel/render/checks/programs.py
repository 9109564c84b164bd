"""A check in the formats that programs and code hosts read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from threatmodel.assessment.gate.results import CheckResult
from threatmodel.reading.problems import Place, escaped, visible
from threatmodel.render.checks.checked import Checked, Form, Totals, level, said
from threatmodel.render.checks.sarif import Sarif, fingerprint, span
from threatmodel.render.text import html

_WORDS = {"error": "error", "warning": "warning", "note": "notice"}


class GitHub(Form):
    """The format: what fails, and warnings; GitHub shows ten errors and ten warnings of a step."""

    def model(self, checked: Checked) -> str:
        """An annotation a result."""
        if checked.problems:
            said = _data(checked.problems.strip())
            return f"::error title=The model cannot be used,file={_property(checked.file)}::{said}\n"
        shown = [result for result in checked.results if result.fails or result.warns]
        return "".join(_annotation(result, checked) for result in shown)

    def tail(self, totals: Totals) -> str:
        """The sums, as plain text of the log."""
        return f"{totals}\n"


def _annotation(result: CheckResult, checked: Checked) -> str:
    at = span(result.place, checked)
    where = f"file={_property(at.path)},line={at.line},endLine={at.line},col={at.column},endColumn={at.end}"
    said = f"{result.message}; {result.do}" if result.do else result.message
    title = _property(f"{result.code}: {result.name}")
    return f"::{_WORDS[level(result)]} {where},title={title}::{_data(visible(said))}\n"


def _data(text: str) -> str:
    """Text after the last colons, where no line may end."""
    lines = "\n".join(visible(line) for line in text.split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Text of a property, which ends at a colon or a comma."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_SEVERITIES = {"low": "minor", "medium": "major", "high": "critical", "critical": "blocker"}


class GitLab(Form):
    """The format: a list of all results except accepted risks."""

    between = ","
    start = "["

    def model(self, checked: Checked) -> str:
        """The entries of one model, a line each."""
        entries = [_entry(result, checked) for result in checked.results if not result.accepted]
        if checked.problems:
            entries = [_broken(checked)]
        return ",".join(f"\n {escaped(json.dumps(entry, ensure_ascii=False))}" for entry in entries)

    def tail(self, _totals: Totals) -> str:
        """The end of the list."""
        return "\n]\n"


def _entry(result: CheckResult, checked: Checked) -> dict[str, Any]:
    severity = _SEVERITIES.get(result.band, "major") if level(result) == "error" else "minor"
    return _item(visible(said(result)), result.rule, fingerprint(checked, result), severity, result.place, checked)


def _broken(checked: Checked) -> dict[str, Any]:
    text = visible(checked.problems.strip().split("\n")[0])
    return _item(text, "cannot-be-used", f"cannot-be-used:{checked.file}", "blocker", Place(checked.file), checked)


def _item(  # noqa: PLR0913, PLR0917 - the columns of an entry
    text: str, rule: str, mark: str, severity: str, place: Place, checked: Checked
) -> dict[str, Any]:
    at = span(place, checked)
    return {
        "description": text,
        "check_name": rule,
        "fingerprint": mark,
        "severity": severity,
        "location": {"path": at.path, "lines": {"begin": at.line, "end": at.line}},
    }


SCHEMA_VERSION = "2.0"


class Json(Form):
    """The form: a list of models with their results, then the sums."""

    between = ","
    start = f'{{\n "schema_version": "{SCHEMA_VERSION}",\n "models": ['

    def model(self, checked: Checked) -> str:
        """One model: what it is, then its results, a line each."""
        head = _json(_model(checked))
        results = ",".join(f"\n   {_json(_result(result))}" for result in checked.results)
        return f'\n  {head[:-1]}, "results": [{results}]}}'

    def tail(self, totals: Totals) -> str:
        """The sums and the exit code."""
        sums = {
            "models": totals.models,
            "failing": totals.red,
            "broken": len(totals.broken),
            "fails": totals.fails,
            "warns": totals.warns,
            "exit_code": totals.code,
        }
        return f'\n ],\n "summary": {_json(sums)}\n}}\n'


def _model(checked: Checked) -> dict[str, Any]:
    if checked.problems:
        return {"file": checked.file, "exit_code": 2, "problems": checked.problems.strip().split("\n")}
    return {
        "file": checked.file,
        "name": checked.name,
        "revision": checked.revision,
        "assessed_on": checked.day,
        "exit_code": checked.code,
        "verdicts": dict(checked.verdicts),
        "reliances": list(checked.reliances[1:]),
    }


def _result(result: CheckResult) -> dict[str, Any]:
    return {
        "code": result.code,
        "name": result.name,
        "rule": result.rule,
        "element": result.element,
        "level": level(result),
        "fails": result.fails,
        "band": result.band or None,
        "score": result.score or None,
        "message": result.message,
        "do": result.do,
        "accepted": result.accepted or None,
        "since_baseline": result.since or None,
        "location": _location(result.place),
        "related": [{**_location(one.place), "message": one.message} for one in result.related],
    }


def _location(place: Place) -> dict[str, Any]:
    return {"file": str(place) if place.part else place.file, "line": place.line or 1, "column": place.column or 1}


def _json(value: Any) -> str:
    return escaped(json.dumps(value, ensure_ascii=False))


class JUnit(Form):
    """The format: what fails is a failure, an accepted risk a skipped case, a model that cannot be used an error."""

    start = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="tm check">\n'

    def model(self, checked: Checked) -> str:
        """One suite."""
        name = html(f"{checked.name} ({checked.file})" if checked.name else checked.file)
        if checked.problems:
            text = "\n".join(html(line) for line in checked.problems.strip().split("\n"))
            case = f'<testcase classname="{name}" name="cannot be used"><error message="cannot be used">{text}</error>'
            return f'<testsuite name="{name}" tests="1" errors="1">\n{case}</testcase>\n</testsuite>\n'
        cases = [_case(result, name) for result in checked.results]
        if not cases:
            cases = [f'<testcase classname="{name}" name="nothing fails"/>\n']
        skipped = sum(bool(result.accepted) for result in checked.results)
        counts = f'tests="{len(cases)}" failures="{len(checked.failing)}" errors="0" skipped="{skipped}"'
        return f'<testsuite name="{name}" {counts}>\n{"".join(cases)}</testsuite>\n'

    def tail(self, _totals: Totals) -> str:
        """The end of the suites."""
        return "</testsuites>\n"


def _case(result: CheckResult, suite: str) -> str:
    place = f'file="{html(result.place.file)}" line="{result.place.line or 1}"'
    head = f'<testcase classname="{suite}" name="{html(f"{result.code}: {result.name}")}" {place}'
    if result.accepted:
        return f'{head}><skipped message="{html(result.accepted)}"/></testcase>\n'
    if not result.fails:
        return f"{head}><system-out>{html(result.message)}</system-out></testcase>\n"
    message = html(result.message)
    text = f"{html(str(result.place))}: {message}" + (f"; {html(result.do)}" if result.do else "")
    return f'{head}><failure type="{html(result.code)}" message="{message}">{text}</failure></testcase>\n'


FORMS: Mapping[str, Callable[[], Form]] = {
    "json": Json,
    "sarif": Sarif,
    "github": GitHub,
    "gitlab": GitLab,
    "junit": JUnit,
}
"""The formats by the names that `check --format` takes."""
