"""The first page: what is above the accepted level, what the check does, what to do first, and what is only claimed."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from threatmodel.assessment.actions import Action, actions
from threatmodel.assessment.assessed import Assessment, Outline
from threatmodel.assessment.gate.baseline import since
from threatmodel.assessment.gate.judging import failures, judge
from threatmodel.assessment.gate.known import Baseline
from threatmodel.assessment.gate.results import Rules
from threatmodel.assessment.invariants import HeldInvariant
from threatmodel.assessment.invariants import counted as counted_elements
from threatmodel.assessment.issues import Issue, issues
from threatmodel.assessment.priorities import Expiry, by_band, expiries
from threatmodel.assessment.risk import BANDS, Band, Cell
from threatmodel.assessment.safety import DEFAULT_THRESHOLD, Gap, gaps, safety
from threatmodel.assessment.standings import Relying, only_claimed
from threatmodel.reading.values import dataclass
from threatmodel.render.action_text import ActionText, action_text, some
from threatmodel.render.headline import check_text, headline
from threatmodel.render.plain import SAFE
from threatmodel.render.reliances import text_by_kind
from threatmodel.render.report.words import counted, listed

MOST_ACTIONS = 3
"""Actions of the first page."""

_NAMED = 3
_NEAR = 60
"""Days within which an end is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedControl:
    """A control that is only claimed: the findings that rely on it, up to which band, who states it and until when.

    `relying` is their number in words, of the findings that rank higher as proven.
    """

    control: str
    title: str
    on: str
    findings: tuple[str, ...]
    relying: str
    band: Band
    who: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPage:
    """What a reader has to know; every number is of the assessment's findings, or names what it counts.

    `inherent`, `claimed` and `proven` count every finding by band, worst first.  `gap` says why claimed and proven
    differ.  `actions` are the first, and `more` how many there are besides.  `relies_on` counts what is accepted,
    exempted, attested or only claimed, with who states it and where.
    """

    verdict: str
    tone: str
    headline: str
    gap: str
    inherent: tuple[tuple[Band, int], ...]
    claimed: tuple[tuple[Band, int], ...]
    proven: tuple[tuple[Band, int], ...]
    check: str
    counts: str
    actions: tuple[ActionText, ...]
    more: int
    claims: tuple[ClaimedControl, ...]
    more_claims: int
    rules: str
    relies_on: str
    questions: int
    ends: tuple[Expiry, ...]
    today: datetime.date


_TONES = {"above": "work", "undetermined": "wait", "within-as-claimed": "claimed", "within-as-proven": "good"}


class Work(NamedTuple):
    """What is to do: every action, the first of them in words, and every issue."""

    actions: Sequence[Action]
    texts: Sequence[ActionText]
    issues: Sequence[Issue]


def work(assessment: Assessment, most: int = MOST_ACTIONS) -> Work:
    """Return what an assessment leaves to do, `most` of it in words."""
    wanted = actions(assessment)
    texts = [action_text(assessment, action) for action in wanted[:most]]
    return Work(wanted, texts, issues(assessment))


def first_page(assessment: Assessment, threshold: Band = DEFAULT_THRESHOLD, todo: Work | None = None) -> FirstPage:
    """Return the first page of an assessment; `threshold` is the band from which `check` fails.

    `todo` is what it leaves to do, where that is known already.
    """
    found = safety(assessment, threshold)
    every = assessment.outlines.items()
    todo = work(assessment) if todo is None else todo
    apart = gaps(assessment)
    claims = _claims(assessment, sum(apart.values()))
    failing = failures(assessment, Rules(fail_on=threshold))
    return FirstPage(
        verdict=SAFE[found.answer],
        tone=_TONES[found.answer],
        headline=headline(assessment, found, failing),
        gap=_gap(apart) + _raised(every),
        inherent=_worst_first((one.inherent, number) for one, number in every),
        claimed=_worst_first((one.claimed, number) for one, number in every),
        proven=_worst_first((one.proven, number) for one, number in every),
        check=check_text(failing, threshold),
        counts=_counts(todo.issues),
        actions=tuple(todo.texts[:MOST_ACTIONS]),
        more=max(0, len(todo.actions) - MOST_ACTIONS),
        claims=claims[:MOST_ACTIONS],
        more_claims=max(0, len(claims) - MOST_ACTIONS),
        rules=rules_in_words(assessment.invariants),
        relies_on=text_by_kind(assessment.reliances),
        questions=len({question.source for question in assessment.questions}),
        ends=expiries(assessment, _NEAR),
        today=assessment.today,
    )


def _worst_first(cells: Iterable[tuple[Cell, int]]) -> tuple[tuple[Band, int], ...]:
    return tuple(reversed(by_band(cells).items()))


# --- what the numbers say


_GAPS: Mapping[Gap, str] = {
    "claims": "claims to verify",
    "questions": "open questions",
    "claims-and-questions": "both",
    "expired-evidence": "expired evidence",
}


def _gap(found: Mapping[Gap, int]) -> str:
    """Why findings have a higher band as proven than as claimed; '' where none has."""
    total = sum(found.values())
    reasons = [(reason, number) for reason, number in found.items() if number]
    if not total:
        return ""
    text = f"{counted(total, 'finding')} {'ranks' if total == 1 else 'rank'} higher as proven than as claimed: "
    if len(reasons) == 1:
        return f"{text}because of {_whole(reasons[0][0])}."
    return f"{text}{listed([f'{number:,} because of {_named(reason, found)}' for reason, number in reasons])}."


def _raised(found: Iterable[tuple[Outline, int]]) -> str:
    """How many findings have a higher band as proven than before controls, and why; '' where none has."""
    number = sum(count for one, count in found if BANDS.index(one.proven.band) > BANDS.index(one.inherent.band))
    ranks = "ranks" if number == 1 else "rank"
    text = f" {number:,} of them {ranks} higher than before controls: what raises a risk counts until it is ruled out."
    return text if number else ""


def _whole(reason: Gap) -> str:
    return "claims to verify and open questions" if reason == "claims-and-questions" else _GAPS[reason]


def _named(reason: Gap, found: Mapping[Gap, int]) -> str:
    """A reason in a list: 'both' where the list has the two."""
    return _GAPS[reason] if found["claims"] and found["questions"] else _whole(reason)


def _counts(entries: Sequence[Issue]) -> str:
    """How many findings need work or an answer, and how many issues they come from."""
    findings = sum(len(issue.findings) for issue in entries)
    if not findings:
        return "no finding needs work or an answer"
    causes = counted(len(entries), "root cause")
    return f"{counted(findings, 'finding')} with {causes} {'needs' if findings == 1 else 'need'} work or an answer"


def rules_in_words(invariants: Sequence[HeldInvariant]) -> str:
    """Return how many elements keep the team's own rules, broken ones first; '' where there are no rules."""
    found = counted_elements(invariants)
    entries = (
        (found.broken, "broken"),
        (found.unknown, "unknown"),
        (found.exempt, "exempt"),
        (found.claimed, "claimed"),
        (found.proven, "proven"),
    )
    parts = ", ".join(f"{number:,} {word}" for number, word in entries if number)
    return f"{counted(len(invariants), 'rule')}: {parts or 'no element is covered'}" if invariants else ""


def baseline_in_words(baseline: Baseline, assessment: Assessment) -> str:
    """Return how old a baseline is, and how the results that fail a check compare with it."""
    results = since(baseline, assessment, judge(assessment, Rules()))
    lost = {"lost-proof": "lost", "missing-evidence": "gone", "swapped-evidence": "swapped"}
    count = Counter(lost.get(one.code, one.since) for one in results)
    entries = (
        (count["new"], "new"),
        (count["worse"], "worse"),
        (count["lost"], "no longer proven"),
        (count["gone"], "kinds of evidence missing" if count["gone"] > 1 else "kind of evidence missing"),
        (count["swapped"], "files of evidence swapped" if count["swapped"] > 1 else "file of evidence swapped"),
    )
    parts = [*(f"{number:,} {word}" for number, word in entries if number), f"{count['known']:,} known"]
    return f"{baseline.aged(assessment.today)}: {', '.join(parts)}"


# --- claims to verify


def _claims(assessment: Assessment, total: int) -> tuple[ClaimedControl, ...]:
    """The claimed controls that keep findings within the accepted level, first those that most severe findings need."""
    by_control: dict[str, Relying] = {}
    for (name, _), one in only_claimed(assessment).items():
        both = by_control.setdefault(name, Relying([], {}))
        both.findings.extend(one.findings)
        both.elements.update(one.elements)
    found = [_claim(assessment, name, one, total) for name, one in by_control.items()]
    return tuple(sorted(found, key=lambda one: (-BANDS.index(one.band), -len(one.findings), one.control)))


def _claim(assessment: Assessment, name: str, relying: Relying, total: int) -> ClaimedControl:
    findings = relying.findings
    said = [assessment.states.statements.get((name, element)) for element in relying.elements]
    attested = [one for one in said if one is not None and one.attested_by]
    terms = assessment.graph.system.longest_terms
    ends = [terms.attested_until(one.on, one.expires) for one in attested if one.expires is not None]
    return ClaimedControl(
        control=name,
        title=assessment.library.controls[name].title,
        on=some(tuple(relying.elements)),
        findings=tuple(finding.id for finding in findings),
        relying=f"{len(findings):,} of the {total:,} findings rel{'ies' if len(findings) == 1 else 'y'} on this claim",
        band=max((finding.proven.band for finding in findings), key=BANDS.index),
        who=listed(tuple(dict.fromkeys(one.attested_by for one in attested))[:_NAMED]) or "",
        until=min(ends).isoformat() if ends else "",
    )
