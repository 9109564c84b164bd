"""What fails a check, told by story: rows that a form lays out, and the verdict that stands before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.gate.rules import Rules
from threatmodel.assessment.invariants import counted
from threatmodel.assessment.risk import BANDS
from threatmodel.assessment.safety import Safety, safety
from threatmodel.assessment.stories import Story, stories
from threatmodel.reading.problems import Place
from threatmodel.render.plain import SAFE
from threatmodel.render.telling import asks, orders, place, shows


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One story of a check: how bad (`sure`: as is known), on what, what it is, where, why and what to do next."""

    band: str
    sure: bool
    elements: tuple[str, ...]
    title: str
    place: Place
    cause: str
    do: str
    since: str
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answer, what it rests on, and the stories that fail."""

    answer: str
    facts: tuple[str, ...]
    rows: tuple[CheckRow, ...]


def told(assessment: Assessment, results: Sequence[CheckResult], rules: Rules) -> Told:
    """The verdict of a model and what fails in it."""
    threshold = next(band for band in BANDS if band == rules.fail_on)
    found = safety(assessment, threshold)
    facts = (*_facts(found), *_of_rules(assessment))
    return Told(answer=SAFE[found.answer].upper(), facts=facts, rows=tuple(_rows(assessment, results)))


def _facts(found: Safety) -> Iterator[str]:
    """What the answer rests on, in a few words each: what is open and fails, what waits, where the bounds are."""
    failing = BANDS[BANDS.index(found.threshold) :]
    bad = [band for band in reversed(BANDS) if found.open[band]]
    shown = [band for band in bad if band in failing] or bad[:1]
    if shown:
        yield f"{', '.join(f'{found.open[band]:,} {band}' for band in shown)} open"
    waiting = sum(found.waiting.values())
    if waiting:
        yield f"{waiting:,} {'waits' if waiting == 1 else 'wait'} for an answer"
    yield f"fails from {found.threshold}, tolerates {found.tolerance}"


def _of_rules(assessment: Assessment) -> Iterator[str]:
    """What breaks a rule of the team's own, or may: the answer is of risk alone."""
    count = counted(assessment.invariants)
    if number := count.broken + count.unknown:
        yield f"{number} {'breaks' if number == 1 else 'break'} or may break rules of your own"


def _rows(assessment: Assessment, results: Sequence[CheckResult]) -> Iterator[CheckRow]:
    """A row a story with a finding that fails, then what fails beside the stories."""
    failing = {result.name: result for result in results if result.fails and result.rule != result.code}
    for story in stories(assessment):
        alike = [failing.pop(finding.id) for finding in story.findings if finding.id in failing]
        if alike:
            yield _of_story(story, alike, assessment)
    by_rule: dict[str, list[CheckResult]] = {}
    for result in failing.values():
        by_rule.setdefault(result.rule, []).append(result)
    for alike in by_rule.values():
        yield _of_threat(alike, assessment)
    for result in results:
        if result.fails and result.rule == result.code:
            yield _plain(result)


def _of_story(story: Story, alike: Sequence[CheckResult], assessment: Assessment) -> CheckRow:
    first = alike[0]
    return CheckRow(
        band=max((result.band for result in alike), key=BANDS.index),
        sure=not first.unsure,
        elements=tuple(dict.fromkeys(result.element for result in alike)),
        title=story.title,
        place=place(story) or first.place,
        cause=asks(story) if story.questions else shows(story),
        do=orders(story, assessment) or first.do,
        since=_since(alike),
        findings=len(alike),
    )


def _of_threat(alike: Sequence[CheckResult], assessment: Assessment) -> CheckRow:
    """Findings that only claims keep low, where the proven risk counts."""
    first = alike[0]
    return CheckRow(
        band=max((result.band for result in alike), key=BANDS.index),
        sure=True,
        elements=tuple(dict.fromkeys(result.element for result in alike)),
        title=assessment.library.threats[first.rule].title,
        place=first.place,
        cause="no evidence shows what keeps it low" if first.code == "unproven" else first.code,
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
