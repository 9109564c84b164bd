"""A check as SARIF 2.1.0, as GitHub's code scanning reads it: the worst results, as many as it allows.

Every result has one location with a path from the repository's root and an existing span; rules have help
and a severity.  Fingerprints follow the id of the finding, so that moved lines open no second alert.  An accepted
risk is a suppressed result; one that an open question affects is open, unless it fails the check.

GitHub rejects an upload of more than 25,000 results and shows 5,000 of them, of more than 20 runs, 25,000 rules, 1,000
locations a result or 20 tags a rule, or of more than 10 MB compressed, and reads 1,024 characters of a description
(https://docs.github.com/en/code-security/code-scanning/, troubleshooting-sarif-uploads/results-exceed-limit and
file-too-large, integrating-with-code-scanning/sarif-support-for-code-scanning).  So the worst come first, those beyond
a limit are left out, and the run reports how many: as a notification in the file, and on the terminal.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import posixpath
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from threatmodel import __version__
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.reading.problems import Place, escaped, visible
from threatmodel.render.checks.checked import Checked, Form, Level, Outcome, RuleText, Totals, level


class Span(NamedTuple):
    """A part of a line; the end column is after its last character."""

    path: str
    line: int
    column: int
    end: int


def span(place: Place, checked: Checked) -> Span:
    """Return the part of a file at a place; the first line where the place has none."""
    path = path_of(place.file, checked)
    if not place.line or place.part:
        return Span(path, 1, 1, 2)
    return Span(path, place.line, place.column, max(checked.ends.get(place, 0), place.column + 1))


def path_of(file: str, checked: Checked) -> str:
    """A file as seen from the root of the repository."""
    if file.startswith("/"):
        return file
    return posixpath.normpath(posixpath.join(checked.base, file))


_DIGITS = 6
_FAILS = "1"
_WIDEST = 4
"""Bytes of a character, at most."""
_GZIP = 31
"""Makes zlib write the gzip format."""
_EVERY = 100
"""Lines after which the size of the file is measured."""


def weighted(result: CheckResult, line: str) -> str:
    """Return a line after its sort key: whether the result fails, is not accepted, warns, is sure; and its score."""
    weight = f"{result.fails:d}{not result.accepted:d}{result.warns:d}{not result.unsure:d}{result.score:02}"
    return f"{weight}{line}"


class Worst:
    """Keeps at most so many lines, and in the end so many compressed bytes of them."""

    def __init__(self, most: int, size: int) -> None:
        self._most = most
        self._size = size
        self._kept: list[tuple[str, int, str]] = []
        self.seen = 0
        self.failing_left_out = 0

    def __len__(self) -> int:
        return len(self._kept)

    def gather(self, lines: str) -> None:
        """Gather weighted lines."""
        for line in filter(None, lines.split("\n")):
            self.seen += 1
            one = (line[:_DIGITS], -self.seen, line[_DIGITS:])
            if len(self._kept) < self._most:
                heapq.heappush(self._kept, one)
            else:
                one = heapq.heappushpop(self._kept, one)
                self.failing_left_out += one[0].startswith(_FAILS)

    def lines(self, rest: str) -> list[str]:
        """Return the lines that fit beside the rest of the file, the worst first; the others are dropped."""
        self._kept.sort(key=lambda one: (one[0], one[1]), reverse=True)
        room = self._size - len(zlib.compress(rest.encode())) - self._size // 50
        fit = _fitting([line for _, _, line in self._kept], room)
        self.failing_left_out += sum(weight.startswith(_FAILS) for weight, _, _ in self._kept[fit:])
        del self._kept[fit:]
        return [line for _, _, line in self._kept]


def _fitting(lines: Sequence[str], room: int) -> int:
    """How many of the first lines fit into so many bytes, compressed."""
    if sum(map(len, lines)) * _WIDEST <= room:
        return len(lines)
    squeeze, used = zlib.compressobj(wbits=_GZIP), 0
    for start in range(0, len(lines), _EVERY):
        used += len(squeeze.compress("".join(lines[start : start + _EVERY]).encode()))
        used += len(squeeze.flush(zlib.Z_SYNC_FLUSH))
        if used > room:
            return start
    return len(lines)


SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_STATES = {"new": "new", "worse": "updated", "known": "unchanged"}

RESULTS = 25_000
"""Results that GitHub takes in a run."""
SIZE = 10_000_000
"""Bytes that it takes of a file, compressed."""
_DESCRIBED = 1_024
_TAGS = 10


class Sarif(Form):
    """The form; the results of all models gather here until the last one, the worst `results` of them."""

    start = (  # the results come before the tool here, because rules are known when all results are
        f'{{\n "$schema": "{SCHEMA}",\n "version": "2.1.0",\n "properties": {{"writer": "threatmodel"}},\n'
        ' "runs": [\n  {\n   "results": ['
    )

    def __init__(self, results: int = RESULTS, size: int = SIZE) -> None:
        self._worst = Worst(results, size)

    def model(self, checked: Checked) -> str:
        """The results of one model, a line each, behind their weight."""
        return "\n".join(weighted(result, _json(_result(result, checked))) for result in checked.results)

    def kept(self, piece: str, /) -> str:
        """Keep what `model` wrote for one model."""
        self._worst.gather(piece)
        return ""

    def left_out(self) -> str:
        """Return what the file has no room for, in words; '' if it has all."""
        kept, seen = len(self._worst), self._worst.seen
        if kept == seen:
            return ""
        return (
            f"SARIF: the {kept:,} worst of {seen:,} results; {seen - kept:,} are left out, "
            f"{self._worst.failing_left_out:,} of which fail. GitHub takes {RESULTS:,} results and "
            f"{SIZE // 1_000_000} MB (compressed) an upload: check fewer models at once, or read --format json, which "
            "has all"
        )

    def tail(self, totals: Totals) -> str:
        """The results, the tool with its rules, and how the run went."""
        rules = ",".join(f"\n      {_json(_rule(name, rule))}" for name, rule in totals.rules.items())
        notes = [_notification(one) for one in totals.broken]
        results = ",".join(f"\n    {line}" for line in self._worst.lines(rules + _json(notes)))
        if left_out := self.left_out():
            notes.append({"level": "warning", "message": {"text": left_out}})
        invocation = {
            "executionSuccessful": not totals.broken,
            "exitCode": totals.code,
            "toolConfigurationNotifications": notes,
        }
        driver = f'"name": "tm", "version": "{__version__}", "semanticVersion": "{__version__}"'
        return (
            f'{results}\n   ],\n   "tool": {{\n    "driver": {{{driver}, "rules": [{rules}\n    ]}}\n   }},\n'
            f'   "columnKind": "unicodeCodePoints",\n   "invocations": [{_json(invocation)}]\n  }}\n ]\n}}\n'
        )


def _result(result: CheckResult, checked: Checked) -> dict[str, Any]:
    mark = fingerprint(checked, result)
    found: dict[str, Any] = {
        "ruleId": result.rule,
        "kind": "open" if result.unsure and not result.fails else "fail",
        "level": "none" if result.unsure and not result.fails else _level(result),
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


_LEVELS: Mapping[str, Level] = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}


def _level(result: CheckResult) -> Level:
    """The level of its band where it fails, so that code scanning shows what the check stops for."""
    return _LEVELS.get(result.band, "error") if result.fails else level(result)


def fingerprint(checked: Checked, result: CheckResult) -> str:
    """Return what identifies a result in the next run: the model's name and the finding, never a line.

    Former names are used, so that a renamed id opens no second alert.
    """
    rule, key = checked.first_names(result.rule), checked.first_names(result.key)
    return hashlib.sha256(f"{checked.name}\0{rule}\0{key}".encode()).hexdigest()


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
        "shortDescription": {"text": visible(rule.title)[:_DESCRIBED]},
        "fullDescription": {"text": visible(rule.text)[:_DESCRIBED]},
        "help": {"text": _lines(rule.help), "markdown": _lines(rule.help)},
        "defaultConfiguration": {"level": "error"},
    }
    if rule.link:
        found["helpUri"] = rule.link
    if rule.severity:
        found["properties"] = {"tags": list(rule.tags)[:_TAGS], "precision": "high", "security-severity": rule.severity}
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
    return escaped(_ENCODE(value))
