"""What fails a check, by issue: the verdict and the rows that a format lays out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.results import CheckResult, Failures
from threatmodel.assessment.gate.rules import Rules
from threatmodel.assessment.issues import Issue, issues
from threatmodel.assessment.risk import BANDS
from threatmodel.assessment.safety import safety
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass
from threatmodel.render.headline import headline, open_questions
from threatmodel.render.issue_text import asks, next_steps, shows, title
from threatmodel.render.plain import SAFE


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One issue of a check: its band (`sure` unless undetermined), elements, title, location, cause and next step.

    `of_platform`: it asks for what every model lacks at first, a description of the account and the like.
    """

    band: str
    sure: bool
    elements: tuple[str, ...]
    title: str
    place: Place
    cause: str
    do: str
    since: str
    findings: int
    questions: int = 0
    of_platform: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingIssues:
    """The answer, the sentence that explains it, and the issues that fail, the most severe first.

    What any system is asked comes last: the first lines are about this one.
    `left_out` counts the open questions of the headline that are in none of these issues.
    """

    answer: str
    headline: str
    rows: tuple[CheckRow, ...]
    left_out: int


def failing_issues(assessment: Assessment, results: Sequence[CheckResult], rules: Rules) -> FailingIssues:
    """Return the verdict of a model and what fails in it."""
    threshold = next(band for band in BANDS if band == rules.fail_on)
    found = safety(assessment, threshold)
    rows = sorted(_of_findings(assessment, results), key=_order)
    others = (_plain(result) for result in results if result.fails and result.rule == result.code)
    return FailingIssues(
        answer=SAFE[found.answer],
        headline=headline(assessment, found, _failing(results)),
        rows=(*rows, *others),
        left_out=open_questions(assessment) - sum(row.questions for row in rows),
    )


def _order(row: CheckRow) -> tuple[bool, int, bool]:
    return row.of_platform, -BANDS.index(row.band), not row.sure


def _failing(results: Sequence[CheckResult]) -> Failures:
    """Return how many findings and other results fail."""
    failing = [result for result in results if result.fails]
    found = sum(result.rule != result.code for result in failing)
    return Failures(found, len(failing) - found, any(result.since for result in results))


def _of_findings(assessment: Assessment, results: Sequence[CheckResult]) -> Iterator[CheckRow]:
    """A row for each issue with a finding that fails, and for each threat that fails only as proven."""
    failing = {result.name: result for result in results if result.fails and result.rule != result.code}
    for issue in issues(assessment):
        alike = [failing.pop(finding.id) for finding in issue.findings if finding.id in failing]
        if alike:
            yield _of_issue(issue, alike, assessment)
    by_rule: dict[str, list[CheckResult]] = {}
    for result in failing.values():
        by_rule.setdefault(result.rule, []).append(result)
    for alike in by_rule.values():
        yield _of_threat(alike, assessment)


def _of_issue(issue: Issue, alike: Sequence[CheckResult], assessment: Assessment) -> CheckRow:
    first = alike[0]
    return CheckRow(
        band=max((result.band for result in alike), key=BANDS.index),
        sure=not first.unsure,
        elements=tuple(dict.fromkeys(result.element for result in alike)),
        title=title(issue, assessment),
        place=first.place,
        cause=asks(issue) if issue.questions else shows(issue),
        do=next_steps(issue, assessment) or first.do,
        since=_since(alike),
        findings=len(alike),
        questions=len(issue.questions),
        of_platform=any(question.kind == "describe" for question in issue.questions),
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
