"""A check as a GitLab code quality report, which merge requests show."""

from __future__ import annotations

import json
from typing import Any

from threatmodel.assessment.gate.results import CheckResult
from threatmodel.reading.problems import Place, escaped, visible
from threatmodel.render.checks.checked import Checked, Totals, level, said
from threatmodel.render.checks.places import span
from threatmodel.render.checks.sarif import fingerprint

_SEVERITIES = {"low": "minor", "medium": "major", "high": "critical", "critical": "blocker"}


class GitLab:
    """The format: a list of all results except accepted risks."""

    between = ","

    def head(self) -> str:
        """The start of the list."""
        return "["

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
