"""What people vouch for and take upon themselves, held to its terms: acceptances, attestations and plans."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.gate.rules import LONGEST_DAYS, WARN_DAYS, Rules
from threatmodel.assessment.priorities import expiries
from threatmodel.model.system import Acceptance


def terms(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    """The acceptances and attestations that do not hold or hold too long, then what ends soon."""
    if not rules.ignore_acceptances:
        yield from _acceptances(assessment, rules)
    yield from _attestations(assessment, rules)
    yield from _ending(assessment, rules)


def _acceptances(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    findings = {finding.id: finding for finding in (*assessment.findings, *assessment.possible)}
    needless = {id(one): why for one, why in assessment.needless}
    for one in assessment.graph.system.acceptances:
        who, finding = assessment.graph.system.reached(one.owner), findings.get(one.finding)
        if rules.acceptors and one.owner not in rules.acceptors:
            said = f"accepted by {who}, who may accept no risk by the policy"
            yield _wrong("not-an-acceptor", one, said, f"let one of {', '.join(rules.acceptors)} decide")
        if one.expires < assessment.today:
            said = f"accepted by {who} until {one.expires}, which has passed"
            yield _wrong("lapsed-acceptance", one, said, "treat it, or accept it anew until a later day")
        if one.expires - assessment.today > datetime.timedelta(days=rules.longest_acceptance):
            said = f"accepted until {one.expires}, more than {_days(rules.longest_acceptance)} ahead"
            latest = assessment.today + datetime.timedelta(days=rules.longest_acceptance)
            yield _wrong("long-acceptance", one, said, f"let it end on {latest} or before")
        if id(one) in needless:
            gone = finding is None and one.threat in assessment.library.threats
            said = f"it is accepted, but {needless[id(one)]}"
            result = _wrong("needless-acceptance", one, said, "remove the acceptance")
            yield result if gone else _only_warns(result)
        elif finding is not None and finding.claimed.score > one.risk:
            said = f"a risk of {one.risk} is accepted, and the claimed risk is {finding.claimed.score}"
            yield _wrong("exceeded-acceptance", one, said, "treat it, or let the owner accept the higher risk")


def _only_warns(result: CheckResult) -> CheckResult:
    return replace(result, fails=False, warns=True)


def _wrong(code: str, one: Acceptance, said: str, do: str) -> CheckResult:
    return CheckResult(
        code=code, name=one.finding, place=one.place, message=said, rule=code, element=one.element, fails=True, do=do
    )


def _attestations(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    longest = datetime.timedelta(days=rules.longest_attestation)
    for said in assessment.graph.system.controls:
        if not said.attested_by or said.on is None or said.expires is None:
            continue
        name = f"{said.control}@{said.element}" if said.element else said.control
        if said.expires - said.on > longest:
            message = f"attested from {said.on} to {said.expires}, for more than {_days(rules.longest_attestation)}"
            latest = said.on + longest
            yield CheckResult(
                code="long-attestation",
                name=name,
                place=said.place,
                message=message,
                rule="long-attestation",
                element=said.element,
                fails=True,
                do=f"let it end on {latest} or before",
            )


def _days(days: int) -> str:
    return "a year" if days == LONGEST_DAYS else f"{days} days"


def _ending(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    """What ends or is due within thirty days, and attestations, plans and due days that have passed."""
    for one in expiries(assessment, WARN_DAYS):
        if one.what == "acceptance" and (one.date < assessment.today or rules.ignore_acceptances):
            continue  # it fails, or nobody looks at it
        past = one.date < assessment.today
        what = f"{one.what} of {one.owner}" if one.what != "due" else f"work of {one.owner}"
        said = f"{what} {'ended' if past else 'ends'} on {one.date}"
        if one.what in {"plan", "due"}:
            said = f"{what} {'was' if past else 'is'} due on {one.date}"
        ticket = f" ({one.ticket})" if one.ticket else ""
        code = "overdue" if past and one.what in {"plan", "due"} else "lapsed" if past else "ends-soon"
        do = {
            "attestation": "look again, and attest it anew",
            "acceptance": "treat it, or let its owner accept it anew",
        }
        yield CheckResult(
            code=code,
            name=f"{one.name}:{one.what}",
            place=one.place,
            message=f"{said}{ticket}",
            rule=code,
            warns=True,
            do=do.get(one.what, "do it, or set another day"),
        )
