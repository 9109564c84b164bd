"""Findings, actions and questions as CSV: a line for each, for spreadsheets and trackers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from threatmodel.assessment.actions import actions
from threatmodel.assessment.assessed import Assessment, Finding, Question
from threatmodel.assessment.gate.risks import places
from threatmodel.assessment.issues import controls_at_fault, issues
from threatmodel.assessment.risk import band
from threatmodel.reading.problems import Place
from threatmodel.render.action_text import action_text
from threatmodel.render.plain import APPLIES, STATE, VERDICT
from threatmodel.render.report.filtered import owners_of
from threatmodel.render.report.words import maps
from threatmodel.render.text import csv_cell

Row = Sequence[str]


def sheet(what: str, assessment: Assessment) -> Iterator[str]:
    """Return a sheet of SHEETS as CSV, line by line; every cell is text that no spreadsheet runs as a formula."""
    columns, rows = SHEETS[what]
    yield _line(columns)
    for row in rows(assessment):
        yield _line(row)


def _line(row: Row) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow([csv_cell(cell) for cell in row])
    return text.getvalue()


def _findings(assessment: Assessment) -> Iterator[Row]:
    at_fault, owners = controls_at_fault(issues(assessment)), owners_of(assessment)
    for finding in assessment.findings:
        place = places(finding, assessment, at_fault.get(finding.id, ""))[0]
        yield _finding(finding, owners[finding.target.id], place)


def _finding(finding: Finding, owner: str, place: Place) -> Row:
    missing = (f"{one.link.control} ({STATE[one.state.state]})" for one in finding.answers if one.is_missing)
    return (
        finding.id,
        finding.threat.id,
        finding.threat.title,
        finding.target.id,
        owner,
        finding.threat.scenario,
        APPLIES[finding.applies],
        VERDICT[finding.verdict],
        finding.inherent.band,
        finding.claimed.band,
        finding.proven.band,
        "; ".join(missing),
        "; ".join(str(row["text"]) for row in maps(finding.threat.maps)),
        place.short,
    )


def _actions(assessment: Assessment) -> Iterator[Row]:
    for number, action in enumerate(actions(assessment), 1):
        text = action_text(assessment, action)
        yield (
            *(str(number), text.control, text.do, "; ".join(text.elements), text.state, text.cause, text.location),
            *(text.owner, text.due, text.proof, text.effect),
        )


def _questions(assessment: Assessment) -> Iterator[Row]:
    return map(_question, assessment.questions)


def _question(one: Question) -> Row:
    return (
        *(one.id, one.ask, "; ".join(one.facts), "; ".join(one.elements)),
        *(str(len(one.decides)), band(one.score), one.hint),
    )


SHEETS: Mapping[str, tuple[Row, Callable[[Assessment], Iterable[Row]]]] = {
    "findings": (
        (
            *("finding", "threat", "title", "element", "owner", "scenario", "applies", "verdict"),
            *("before controls", "as claimed", "as proven", "missing controls", "standards", "location"),
        ),
        _findings,
    ),
    "actions": (
        (
            *("number", "control", "action", "elements", "state", "cause", "location"),
            *("owner", "due", "proof", "effect"),
        ),
        _actions,
    ),
    "questions": (
        ("question", "text", "facts", "elements", "affected findings", "severity if true", "how to answer"),
        _questions,
    ),
}
"""Each sheet with its columns and its rows, in the order of the report."""
