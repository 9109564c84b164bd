"""The findings of an assessment as results: which of them fail, and where to fix them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from threatmodel.assessment.assessed import DONE, Assessment, Finding
from threatmodel.assessment.control_state import State
from threatmodel.assessment.gate.faults import because, places
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.gate.rules import Rules
from threatmodel.assessment.issues import Issue, controls_at_fault, issues
from threatmodel.assessment.risk import BANDS, STRICTEST, Cell, within
from threatmodel.model.system import Acceptance, tracked

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
