"""The terms of decisions and attestations: acceptances, exemptions, exclusions, attestations, plans."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.results import WARN_DAYS, CheckResult, Rules
from threatmodel.assessment.priorities import expiries
from threatmodel.assessment.risk import band
from threatmodel.model.longest import YEAR, LongestTerms
from threatmodel.model.system import Acceptance, Exclusion, Exemption
from threatmodel.reading.values import replace


def terms(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    """The acceptances, exemptions and attestations that do not hold or hold too long, then what ends soon."""
    system = assessment.graph.system
    if not rules.ignore_acceptances:
        for acceptance in system.acceptances:
            one = _Taken("acceptance", "accepted", acceptance)
            yield from _held_to(one, assessment, rules)
            yield from _acceptance(one, acceptance, assessment)
        for exemption in system.exemptions:
            one = _Taken("exemption", "exempted", exemption)
            yield from _held_to(one, assessment, rules)
            yield from _exemption(one, exemption, assessment)
        for exclusion in system.exclusions:
            yield from _held_to(_Taken("exclusion", "excluded", exclusion), assessment, rules)
    yield from _attestations(assessment, rules)
    yield from _ending(assessment, rules)


class _Taken(NamedTuple):
    """A decision with an expiry date: an accepted risk, an exemption from a rule, or an excluded threat."""

    what: str
    done: str
    by: Acceptance | Exemption | Exclusion

    def wrong(self, code: str, said: str, do: str) -> CheckResult:
        """The result of one that may not be as it is."""
        element, place = self.by.element, self.by.place
        return CheckResult(
            code=code, name=self.by.name, place=place, message=said, rule=code, element=element, fails=True, do=do
        )


def _held_to(one: _Taken, assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    """What is wrong with who took it and until when."""
    owner, expires = one.by.owner, one.by.expires
    who = assessment.graph.system.reached(owner)
    if rules.acceptors and owner not in rules.acceptors:
        said = f"{one.done} by {who}, who may accept nothing by the policy"
        yield one.wrong("not-an-acceptor", said, f"let one of {', '.join(rules.acceptors)} decide")
    if expires < assessment.today:
        yield one.wrong(
            f"lapsed-{one.what}", f"{one.done} by {who} until {expires}, which has passed", _AGAIN[one.what]
        )
    longest = _longest(assessment, rules).acceptance
    if expires - assessment.today > datetime.timedelta(days=longest):
        said = f"{one.done} until {expires}, more than {_days(longest)} ahead, and does not count"
        latest = assessment.today + datetime.timedelta(days=longest)
        yield one.wrong(f"long-{one.what}", said, f"let it end on {latest} or before")


def _longest(assessment: Assessment, rules: Rules) -> LongestTerms:
    """The longest terms of the model, and never longer than the rules let it state."""
    return assessment.graph.system.longest_terms.bounded(rules.longest_acceptance, rules.longest_attestation)


_AGAIN = {
    "acceptance": "treat it, or accept it again until a later date",
    "exemption": "fix it, or exempt it again until a later date",
    "exclusion": "remove it, or exclude the threat again until a later date",
}
"""What to do about a decision that has ended."""


def _acceptance(one: _Taken, accepted: Acceptance, assessment: Assessment) -> Iterator[CheckResult]:
    """What is wrong with the risk that is accepted: there is none, or more."""
    findings = assessment.findings
    needless = next((why for by, why in assessment.needless if by is accepted), "")
    finding = next((found for found in findings if found.id == accepted.name), None)
    if needless:
        gone = finding is None and accepted.threat in assessment.library.threats
        result = one.wrong("needless-acceptance", f"it is accepted, but {needless}", "remove the acceptance")
        yield result if gone else _only_warns(result)
    elif finding is not None and finding.claimed.score > accepted.risk:
        said = f"a risk of {accepted.risk} is accepted, and the claimed risk is {finding.claimed.score}"
        yield one.wrong("exceeded-acceptance", said, "treat it, or let the owner accept the higher risk")
    elif finding is not None and band(accepted.risk) != finding.claimed.band:
        said = f"{accepted.risk} ({band(accepted.risk)}) is accepted, and {finding.claimed.score}"
        said += f" ({finding.claimed.band}) is left: what rises up to there is accepted already"
        yield _only_warns(one.wrong("wide-acceptance", said, f"let the owner accept {finding.claimed.score}"))


def _exemption(one: _Taken, exemption: Exemption, assessment: Assessment) -> Iterator[CheckResult]:
    """Warns of an exemption from what holds, or binds the element no more."""
    bound = (element for held in assessment.invariants for element in held.bound if element.exemption is exemption)
    element = next(bound, None)
    if element is None or element.holds == "proven":
        why = "the rule does not bind it" if element is None else "evidence shows that the rule holds"
        yield _only_warns(one.wrong("needless-exemption", f"it is exempt, but {why}", "remove the exemption"))


def _only_warns(result: CheckResult) -> CheckResult:
    return replace(result, fails=False, warns=True)


def _attestations(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    terms_of = _longest(assessment, rules)
    for said in assessment.graph.system.controls:
        if not said.attested_by or said.on is None or said.expires is None:
            continue
        latest = terms_of.attested_until(said.on, said.expires)
        if latest < said.expires:
            message = f"attested from {said.on} to {said.expires}, for more than {_days(terms_of.attestation)}"
            message += f"; it counts until {latest}"
            yield CheckResult(
                code="long-attestation",
                name=said.name,
                place=said.place,
                message=message,
                rule="long-attestation",
                element=said.element,
                fails=True,
                do=f"let it end on {latest} or before",
            )


def _days(days: int) -> str:
    return "a year" if days == YEAR else f"{days} days"


def _ending(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    """What ends or is due within thirty days, and attestations, plans and due days that have passed."""
    for one in expiries(assessment, WARN_DAYS):
        if one.what in _AGAIN and (one.date < assessment.today or rules.ignore_acceptances):
            continue  # it fails, or it is ignored
        past = one.date < assessment.today
        what = f"{one.what} of {one.owner}" if one.what != "due" else f"work of {one.owner}"
        said = f"{what} {'ended' if past else 'ends'} on {one.date}"
        if one.what in {"plan", "due"}:
            said = f"{what} {'was' if past else 'is'} due on {one.date}"
        ticket = f" ({one.ticket})" if one.ticket else ""
        code = "overdue" if past and one.what in {"plan", "due"} else "lapsed" if past else "ends-soon"
        do = {
            "attestation": "check it, and attest it again",
            "acceptance": "treat it, or let its owner accept it again",
            "exemption": "fix it, or let its owner exempt it again",
            "exclusion": "remove it, or let its owner exclude the threat again",
        }
        yield CheckResult(
            code=code,
            name=f"{one.name}:{one.what}",
            place=one.place,
            message=f"{said}{ticket}",
            rule=code,
            warns=True,
            do=do.get(one.what, "do it, or set another date"),
        )
