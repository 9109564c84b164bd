"""What fails a check, by issue: the verdict and the rows that a format lays out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.results import CheckResult, Failures, Rules
from threatmodel.assessment.issues import Issue, issues
from threatmodel.assessment.risk import BANDS
from threatmodel.assessment.safety import safety
from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass
from threatmodel.render.headline import headline, open_questions
from threatmodel.render.issue_text import about, about_variables, answering, asks, next_steps, shows, title
from threatmodel.render.plain import SAFE
from threatmodel.render.report.words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One issue of a check: its band (`sure` unless undetermined), elements, title, location, cause and next step.

    The questions that any system is asked are one row, which has no element and no location.  `cause` then has a line
    for each source that answers some of them.  `by_default`: nothing is set, as in every system until it is.
    """

    band: str
    sure: bool
    elements: tuple[str, ...]
    title: str
    cause: str
    do: str
    since: str
    findings: int
    place: Place | None = None
    by_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingIssues:
    """The answer, the sentence that explains it, and the issues that fail, the most severe first.

    What any system is asked comes last, as one row: the first lines are about this one.
    """

    answer: str
    headline: str
    rows: tuple[CheckRow, ...]


def failing_issues(assessment: Assessment, results: Sequence[CheckResult], rules: Rules) -> FailingIssues:
    """Return the verdict of a model and what fails in it."""
    threshold = next(band for band in BANDS if band == rules.fail_on)
    found = safety(assessment, threshold)
    others = (_plain(result) for result in results if result.fails and result.rule == result.code)
    return FailingIssues(
        answer=SAFE[found.answer],
        headline=headline(assessment, found, _failing(results)),
        rows=(*_of_findings(assessment, results), *others),
    )


def _order(row: CheckRow) -> tuple[bool, int, bool]:
    return row.by_default, -BANDS.index(row.band), not row.sure


def _failing(results: Sequence[CheckResult]) -> Failures:
    """Return how many findings and other results fail."""
    failing = [result for result in results if result.fails]
    found = sum(result.rule != result.code for result in failing)
    return Failures(found, len(failing) - found, any(result.since for result in results))


def _of_findings(assessment: Assessment, results: Sequence[CheckResult]) -> Iterator[CheckRow]:
    """A row for each issue with a finding that fails, and for each threat that fails only as proven; then questions.

    The row of questions counts all that no other row asks.
    """
    failing = {result.name: result for result in results if result.fails and result.rule != result.code}
    rows: list[CheckRow] = []
    usual: list[tuple[Issue, Sequence[CheckResult]]] = []
    asked = open_questions(assessment)
    for issue in issues(assessment):
        alike = [failing.pop(finding.id) for finding in issue.findings if finding.id in failing]
        if alike and issue.answered_from is not None:
            usual.append((issue, alike))
        elif alike:
            asked -= bool(issue.questions)
            rows.append(_of_issue(issue, alike, assessment))
    by_rule = grouped((result.rule, result) for result in failing.values())
    rows += [_of_threat(alike, assessment) for alike in by_rule.values()]
    yield from sorted(rows, key=_order)
    if usual:
        yield _of_questions(usual, asked, assessment, other=len(rows) > 0)


def _of_questions(
    usual: Sequence[tuple[Issue, Sequence[CheckResult]]], asked: int, assessment: Assessment, *, other: bool
) -> CheckRow:
    """The questions that any system is asked, by the source that answers them; `other`: rows above say other things."""
    every = [result for _, alike in usual for result in alike]
    found = [issue for issue, _ in usual]
    lines = [f"{about(issue)} ({counted(len(alike), 'finding')})" for issue, alike in usual]
    lines += [line for issue in found for line in about_variables(issue, assessment)]
    if rest := asked - len(usual):
        verb = "affects" if rest == 1 else "affect"
        lines.append(f"{rest} more {verb} only findings that are listed above or do not fail")
    return CheckRow(
        band=max((result.band for result in every), key=BANDS.index),
        sure=False,
        elements=(),
        title=counted(asked, "other open question" if other else "open question"),
        cause="\n".join(lines),
        do=answering(found, read=bool(assessment.graph.evidence)),
        since=_since(every),
        findings=len(every),
    )


def _of_issue(issue: Issue, alike: Sequence[CheckResult], assessment: Assessment) -> CheckRow:
    first = alike[0]
    return CheckRow(
        band=max((result.band for result in alike), key=BANDS.index),
        sure=not first.unsure,
        elements=tuple(dict.fromkeys(result.element for result in alike)),
        title=title(issue, assessment),
        place=first.place,
        cause=asks(issue, assessment) if issue.questions else shows(issue),
        do=next_steps(issue, assessment) or first.do,
        since=_since(alike),
        findings=len(alike),
        by_default=issue.by_default,
    )


def _of_threat(alike: Sequence[CheckResult], assessment: Assessment) -> CheckRow:
    """Findings that only claims keep low, where the check counts the risk as proven."""
    first = alike[0]
    return CheckRow(
        band=max((result.band for result in alike), key=BANDS.index),
        sure=True,
        elements=tuple(dict.fromkeys(result.element for result in alike)),
        title=assessment.library.threats[first.rule].title,
        place=first.place,
        cause="no evidence shows the controls that lower it" if first.code == "unproven" else first.code,
        do="name evidence: a template, or tm probe" if first.code == "unproven" else first.do,
        since=_since(alike),
        findings=len(alike),
    )


def _plain(result: CheckResult) -> CheckRow:
    return CheckRow(
        band=result.code,
        sure=True,
        elements=(result.name,),
        title="",
        place=result.place,
        cause=result.message,
        do=result.do,
        since=result.since if result.since in {"new", "worse"} else "",
        findings=1,
    )


def _since(alike: Sequence[CheckResult]) -> str:
    found = {result.since for result in alike}
    return next((since for since in ("worse", "new") if since in found), "")
