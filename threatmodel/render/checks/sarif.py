"""A check as SARIF 2.1.0, the way GitHub's code scanning takes it in.

Every result has one place with a path from the root of the repository and a real span; rules carry help and a severity;
fingerprints follow the id of the finding, so that moved lines open no alert anew.  An accepted risk is a suppressed
result, one that waits for an answer is open.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from threatmodel import __version__
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.reading.problems import Place, escaped, visible
from threatmodel.render.checks.checked import Checked, Outcome, RuleText, Totals, level
from threatmodel.render.checks.places import span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_STATES = {"new": "new", "worse": "updated", "known": "unchanged"}


class Sarif:
    """The form."""

    between = ","

    def head(self) -> str:
        """The log up to the results, which come before the tool here: rules are known when all results are."""
        return f'{{\n "$schema": "{SCHEMA}",\n "version": "2.1.0",\n "runs": [\n  {{\n   "results": ['

    def model(self, checked: Checked) -> str:
        """The results of one model, a line each."""
        return ",".join(f"\n    {_json(_result(result, checked))}" for result in checked.results)

    def tail(self, totals: Totals) -> str:
        """The tool with its rules, and how the run went."""
        rules = ",".join(f"\n      {_json(_rule(name, rule))}" for name, rule in totals.rules.items())
        told = [_notification(one) for one in totals.broken]
        invocation = {
            "executionSuccessful": not totals.broken,
            "exitCode": totals.code,
            "toolConfigurationNotifications": told,
        }
        driver = f'"name": "tm", "version": "{__version__}", "semanticVersion": "{__version__}"'
        return (
            f'\n   ],\n   "tool": {{\n    "driver": {{{driver}, "rules": [{rules}\n    ]}}\n   }},\n'
            f'   "columnKind": "unicodeCodePoints",\n   "invocations": [{_json(invocation)}]\n  }}\n ]\n}}\n'
        )


def _result(result: CheckResult, checked: Checked) -> dict[str, Any]:
    mark = fingerprint(checked, result)
    found: dict[str, Any] = {
        "ruleId": result.rule,
        "kind": "open" if result.unsure else "fail",
        "level": "none" if result.unsure else level(result),
        "message": {"text": _message(result)},
        "locations": [_location(result.place, checked, result.element)],
        "partialFingerprints": {"primaryLocationLineHash": f"{mark[:16]}:1", "finding/v1": mark},
        "properties": {"finding": result.name, "code": result.code, "score": result.score},
    }
    if result.related:
        found["relatedLocations"] = [
            {"id": at, **_location(one.place, checked), "message": {"text": visible(one.message)}}
            for at, one in enumerate(result.related, 1)
        ]
    if result.accepted:
        justified = visible(result.accepted)
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": justified}]
    if result.since:
        found["baselineState"] = _STATES[result.since]
    return found


def fingerprint(checked: Checked, result: CheckResult) -> str:
    """What makes a result the same one in the next run: the model's name and the finding, never a line."""
    return hashlib.sha256(f"{checked.name}\0{result.rule}\0{result.key}".encode()).hexdigest()


def _message(result: CheckResult) -> str:
    """The first sentence is what code scanning shows in a list."""
    on = f" on {result.element}" if result.element and result.element not in result.message else ""
    do = f" Next: {result.do}." if result.do else ""
    return visible(f"{result.message}{on}.{do} ({result.name})")


def _location(place: Place, checked: Checked, element: str = "") -> dict[str, Any]:
    at = span(place, checked)
    region = {"startLine": at.line, "startColumn": at.column, "endLine": at.line, "endColumn": at.end}
    physical = {"artifactLocation": {"uri": quote(at.path)}, "region": region}
    found: dict[str, Any] = {"physicalLocation": physical}
    if element:
        found["logicalLocations"] = [{"name": element, "fullyQualifiedName": element}]
    return found


def _rule(name: str, rule: RuleText) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": name,
        "name": name,
        "shortDescription": {"text": visible(rule.title)},
        "fullDescription": {"text": visible(rule.text)[:1000]},
        "help": {"text": _lines(rule.help), "markdown": _lines(rule.help)},
        "defaultConfiguration": {"level": "error"},
    }
    if rule.link:
        found["helpUri"] = rule.link
    if rule.severity:
        found["properties"] = {"tags": list(rule.tags), "precision": "high", "security-severity": rule.severity}
    return found


def _notification(broken: Outcome) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": _lines(broken.problems.strip())},
        "locations": [_location(Place(broken.file), Checked(file=broken.file, base=broken.base))],
    }


def _lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))


def _json(value: Any) -> str:
    """A value as JSON on one line, safe to look at."""
    return escaped(json.dumps(value, ensure_ascii=False))
