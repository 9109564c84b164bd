"""What AWS and the tools that deploy to it mitigate in nearly every system, named once: a table of the full report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache

from threatmodel.assessment.assessed import Assessment
from threatmodel.library.platform import ByPlatform, load_platform
from threatmodel.reading.home import LIBRARY
from threatmodel.render.report.findings import FindingGroup, tally
from threatmodel.render.report.sections import because
from threatmodel.render.report.words import Row, links, names

ByThreat = Mapping[str, list[FindingGroup]]

_DONE = {"mitigated", "unproven", "transferred"}
"""Verdicts of what needs no work now; what an owner accepted stays among the findings."""
_EVERY_SYSTEM = "as in every system"
_UNDETERMINED = "undetermined, see the questions"
_NO_FINDING = "does not apply"


@cache
def _every() -> tuple[ByPlatform, ...]:
    return load_platform(LIBRARY)


def mitigated(by_threat: ByThreat) -> frozenset[str]:
    """Return the threats that the table names in place of their findings: none of these needs work."""
    named = {name for row in _every() for name in row.threats}
    return frozenset(name for name in named & by_threat.keys() if _is_done(by_threat[name]))


def rows(assessment: Assessment, by_threat: ByThreat) -> list[Row]:
    """Return the table: what is mitigated, by what, what is left to do, and what was found in this system."""
    waiting = {finding.threat.id for finding in assessment.possible}
    return [
        {
            "title": row.title,
            "does": row.does,
            "left": row.left,
            "references": links([row.reference]),
            "none": _without_finding(row, waiting),
            "found": [_found(name, by_threat[name]) for name in row.threats if name in by_threat],
        }
        for row in _every()
    ]


def _without_finding(row: ByPlatform, waiting: AbstractSet[str]) -> str:
    if not row.threats:
        return _EVERY_SYSTEM
    return _NO_FINDING if waiting.isdisjoint(row.threats) else _UNDETERMINED


def _found(name: str, cases: Sequence[FindingGroup]) -> Row:
    done = _is_done(cases)
    reasons = dict.fromkeys(because(case.head) for case in cases)
    return {
        "id": name,
        "done": done,
        "verdicts": tally(cases)["verdicts_text"],
        "because": "; ".join(reasons) if done else "",
        "elements": names([finding.target.id for case in cases for finding in case.findings]),
    }


def _is_done(cases: Sequence[FindingGroup]) -> bool:
    return all(case.head.verdict in _DONE for case in cases)
