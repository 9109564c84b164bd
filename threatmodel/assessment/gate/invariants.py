"""What a check reports about a team's own rules: what breaks one, what may, and what is exempt."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.gate.rules import Rules
from threatmodel.assessment.invariants import BoundElement
from threatmodel.assessment.risk import BANDS
from threatmodel.model.system import Invariant


def invariants(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    """The elements of which an invariant does not hold, by the proof that the rules ask for."""
    enough = {"proven"} if rules.require_proof else {"proven", "claimed"}
    for one in assessment.invariants:
        for element in one.bound:
            if element.holds not in enough:
                yield _result(one.rule, element, assessment, rules)


_WHY = {"unknown": ": not stated", "claimed": ": only claimed, not proven", "broken": ""}


def _result(rule: Invariant, element: BoundElement, assessment: Assessment, rules: Rules) -> CheckResult:
    exemption = element.exemption
    accepted = ended = ""
    if exemption is not None and element.is_exempt:
        who = assessment.graph.system.reached(exemption.owner)
        accepted = f"{exemption.reason}; {who} exempts it until {exemption.expires}"
        accepted += f" ({exemption.ticket})" if exemption.ticket else ""
    elif exemption is not None:
        past = exemption.expires < assessment.today
        ended = f" (its exemption {'ended' if past else 'reaches too far ahead, and does not count: it ends'}"
        ended += f" on {exemption.expires})"
    unsure = element.holds == "unknown"
    least = next(at for at, band in enumerate(BANDS) if band == rules.fail_on)
    severe = next(at for at, band in enumerate(BANDS) if band == rule.severity) >= least
    fails = severe and not accepted and not (unsure and rules.allow_undetermined)
    return CheckResult(
        code="invariant",
        name=f"{rule.id}@{element.id}",
        place=element.place,
        message=f"{rule.message}{_WHY[element.holds]}{ended}",
        rule="invariant",
        element=element.id,
        band=rule.severity,
        fails=fails,
        warns=not fails and not accepted,
        unsure=unsure,
        accepted=accepted,
        do=f"fix it, or see the rule at {rule.place.short}",
    )
