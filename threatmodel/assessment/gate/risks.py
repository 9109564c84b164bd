"""The findings of an assessment as results: which of them fail, and where to fix them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from threatmodel.assessment.assessed import DONE, Assessment, Finding
from threatmodel.assessment.causes import Cause, candidates
from threatmodel.assessment.control_state import Answer, State, Support, shown
from threatmodel.assessment.gate.results import CheckResult, RelatedPlace, Rules
from threatmodel.assessment.issues import Issue, controls_at_fault, issues
from threatmodel.assessment.risk import BANDS, MOVES, STRICTEST, Cell, within
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.system import Acceptance, tracked
from threatmodel.reading.problems import Place

MOST_RELATED = 10
"""Places beside its own that a finding names."""


class Fault(NamedTuple):
    """What shows that a finding is one: a fact, and the control that it denies ('' where it only exposes)."""

    item: Support
    control: str


def places(finding: Finding, assessment: Assessment, control: str) -> tuple[Place, tuple[RelatedPlace, ...]]:
    """Return the one place of the cause to fix, and related ones; where an answer is missing, the element's.

    `control` is the one that is the cause, '' where there is none.
    """
    wrong = tuple(_wrong(finding))
    place = _cause(finding, control)
    if place is None and finding.verdict != "undetermined" and (found := _fault(finding, wrong)) is not None:
        place = found.item.said.place
    place = place or finding.target.place or Place(assessment.graph.system.file)
    return place, _related(finding, place, wrong)


def _cause(finding: Finding, control: str) -> Place | None:
    """The place of the first value that keeps a control from being in place."""
    for answer in finding.answers:
        cause = Cause(answer, written=True)
        if control in {answer.link.control, cause.state.control}:
            items = cause.items
            return next((item.said.place for item in items if _lined(item.said.place)), None)
    return None


def _fault(finding: Finding, wrong: Iterable[Fault]) -> Fault | None:
    shown_wrong = [one for one in wrong if one.item.said.size == EVIDENCE and not one.item.said.stale]
    lined = [one for one in shown_wrong if _lined(one.item.said.place)]
    if not lined:
        return None
    at_fault = {one.state.control for one in candidates(finding)}
    return min(lined, key=lambda one: (one.item.said.omitted, one.control not in at_fault))


def _lined(place: Place | None) -> bool:
    return place is not None and bool(place.line) and not place.part


def _related(finding: Finding, place: Place, wrong: Iterable[Fault]) -> tuple[RelatedPlace, ...]:
    """The other places that have to do with it: the element in the model, what its exposure and controls rest on."""
    found: dict[Place, str] = {}
    if finding.target.place is not None:
        found[finding.target.place] = f"{finding.target.id} in the model"
    for item, _ in wrong:
        if item.said.place is not None:
            found.setdefault(item.said.place, f"{item.fact}: {shown(item.value)}")
    found.pop(place, None)
    return tuple(RelatedPlace(at, what) for at, what in found.items() if _lined(at))[:MOST_RELATED]


def because(finding: Finding) -> str:
    """Which controls are missing, in a few words."""
    if not finding.target.described:
        return f"nothing is stated about the {finding.target.kind}"
    missing = [f"{a.link.control} {a.state.state}" for a in _missing(finding)]
    return ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")  # noqa: PLR2004 - a line's worth


def _missing(finding: Finding) -> list[Answer]:
    return [a for a in finding.answers if a.is_missing]


def _wrong(finding: Finding) -> Iterator[Fault]:
    """What shows that a finding is one: what denies controls, those that lower the risk first; then its exposure."""
    missing = sorted(_missing(finding), key=lambda answer: answer.link.effect not in MOVES)
    for answer in missing:
        if answer.state.level < 0:
            yield from (Fault(item, answer.link.control) for item in answer.state.support)
    yield from (Fault(item, "") for item in finding.why)


_TREATED = frozenset({"mitigated", "transferred"})
"""Verdicts with which nothing is left to say."""


def risks(assessment: Assessment, rules: Rules, found: Iterable[Issue] | None = None) -> Iterator[CheckResult]:
    """Yield every finding that needs work, an answer or proof, worst first, and the accepted ones.

    `found` are the assessment's issues, where they are known already: they state which control is the cause.
    """
    at_fault = controls_at_fault(issues(assessment) if found is None else found)
    for finding, fails in judged(assessment, rules):
        yield _result(finding, assessment, rules, at_fault.get(finding.id, ""), fails=fails)


def judged(assessment: Assessment, rules: Rules) -> Iterator[tuple[Finding, bool]]:
    """Yield every finding that needs work, an answer or proof, and the accepted ones, with whether it fails."""
    for finding in assessment.findings:
        fails = _fails(finding, rules)
        if fails is not None:
            yield finding, fails


def failing(assessment: Assessment, rules: Rules) -> int:
    """Return how many findings fail."""
    return sum(len(group.findings) for group in assessment.groups if _fails(group.head, rules))


def _fails(finding: Finding, rules: Rules) -> bool | None:
    """Return whether a finding fails; None where nothing is left to do."""
    if finding.verdict == "accepted" and not _beyond(finding, rules):
        return False
    if not _counts(finding, rules):
        return None
    bad = BANDS.index(_cell(finding, rules).band) >= BANDS.index(rules.fail_on)
    return bad and not (rules.allow_undetermined and finding.verdict == "undetermined")


def _counts(finding: Finding, rules: Rules) -> bool:
    """Whether it is not done with: by the proven risk, also what only claims keep low."""
    if rules.require_proof and finding.verdict not in _TREATED:
        return not within(finding.proven, STRICTEST)
    return finding.verdict not in DONE


def _cell(finding: Finding, rules: Rules) -> Cell:
    return finding.proven if rules.require_proof else finding.claimed


def _beyond(finding: Finding, rules: Rules) -> bool:
    """Whether more is left on evidence alone than was accepted, where the proven risk counts."""
    accepted = finding.acceptance
    return rules.require_proof and accepted is not None and finding.proven.score > accepted.risk


def _result(finding: Finding, assessment: Assessment, rules: Rules, control: str, *, fails: bool) -> CheckResult:
    cell = _cell(finding, rules)
    place, related = places(finding, assessment, control)
    unsure = finding.verdict == "undetermined"
    band = f"up to {cell.band}" if unsure else cell.band
    why = because(finding)
    accepted = finding.acceptance if finding.verdict == "accepted" and not fails else None
    return CheckResult(
        code=finding.verdict,
        name=finding.id,
        place=place,
        message=f"{finding.threat.title} ({band}{', ' + why if why else ''})",
        rule=finding.threat.id,
        element=finding.target.id,
        band=cell.band,
        score=cell.score,
        fails=fails,
        unsure=unsure,
        do=assessment.library.controls[control].do if control else _next(finding),
        accepted=_justified(accepted, assessment) if accepted is not None else "",
        related=related,
    )


def _justified(accepted: Acceptance, assessment: Assessment) -> str:
    """Who took a risk, how much of it, until when and why."""
    work = tracked(accepted.ticket, accepted.due)
    owner = assessment.graph.system.reached(accepted.owner)
    said = f"{accepted.reason}; {owner} accepts a risk of {accepted.risk} until {accepted.expires}"
    return f"{said} ({work})" if work else said


def _next(finding: Finding) -> str:
    """The first control that is missing, as something to do."""
    if not finding.target.described:
        return f"describe the {finding.target.kind}"
    for answer in finding.answers:
        state = answer.state
        if state.level < 1 and state.state != "not-applicable":
            if state.asks:
                return _asked(state)
            return f"put {state.control} in place on {state.element}"
    return ""


def _asked(state: State) -> str:
    """What to do about the first thing that is not stated of a control."""
    ask = next((ask for ask in state.asks if ask.kind != "attest"), state.asks[0])
    match ask.kind:
        case "attest":
            return f"attest {state.control}@{state.element}"
        case "describe":
            return f"describe the {ask.element}"
        case "caller":
            return f"state at each route of {ask.element} whether Slack calls it"
        case _:
            return f"state {ask.name} of {ask.element}, or let evidence show it"
