"""The summary of an assessment: the counts, what ends soon, single points of failure, and the risk of each element."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from threatmodel.assessment.assessed import DONE, VERDICTS, Assessment
from threatmodel.assessment.risk import BANDS, Cell, Risk, residual
from threatmodel.library.entries import Threat
from threatmodel.model.facts import STATED
from threatmodel.reading.problems import Place


class Expiry(NamedTuple):
    """Something that ends or is due: of what, when, who answers for it, and where it is tracked.

    `what` is attestation, acceptance, exemption or plan, or 'due' for the day by which a finding or
    control is to be treated.
    """

    what: str
    name: str
    date: datetime.date
    owner: str
    place: Place
    ticket: str = ""


class Summary(NamedTuple):
    """Counts of all findings: by verdict and by band of each cell; of the undetermined ones, by claimed band."""

    verdicts: Mapping[str, int]
    inherent: Mapping[str, int]
    claimed: Mapping[str, int]
    proven: Mapping[str, int]
    undetermined: Mapping[str, int]


def summary(assessment: Assessment) -> Summary:
    """Return the counts of an assessment's findings, those that are only possible included."""
    findings = assessment.findings
    verdicts = Counter(finding.verdict for finding in findings)
    return Summary(
        verdicts={verdict: verdicts[verdict] for verdict in VERDICTS},
        inherent=_by_band(finding.inherent for finding in findings),
        claimed=_by_band(finding.claimed for finding in findings),
        proven=_by_band(finding.proven for finding in findings),
        undetermined=_by_band(finding.claimed for finding in findings if finding.verdict == "undetermined"),
    )


def _by_band(cells: Iterator[Cell]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for cell, count in Counter(cells).items():
        found[cell.band] += count
    return {band: found[band] for band in BANDS}


def reached(assessment: Assessment, threat: Threat) -> tuple[str, ...]:
    """The elements that a threat hits through its target: all of the kind that the library names."""
    if not threat.reaches:
        return ()
    return tuple(t.id for t in assessment.graph.targets() if t.kind == threat.reaches and not t.out_of_scope)


def carried_alone(assessment: Assessment) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The controls without which a finding would be critical again, with those findings, the busiest first."""
    found: dict[str, list[str]] = {}
    for finding in assessment.applying:
        if finding.inherent.band == BANDS[-1] and finding.claimed.band != BANDS[-1]:
            held = [answer for answer in finding.answers if answer.state.level >= STATED]
            for answer in held:
                others = [other.link.effect for other in held if other is not answer]
                if residual(finding.inherent, others).band == BANDS[-1]:
                    found.setdefault(f"{answer.state.control}@{answer.state.element}", []).append(finding.id)
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple((control, tuple(findings)) for control, findings in ranked)


def expiries(assessment: Assessment, days: int = 60) -> tuple[Expiry, ...]:
    """What has ended, or ends within so many days, soonest first."""
    until = assessment.today + datetime.timedelta(days=days)
    return tuple(sorted((e for e in _dated(assessment) if e.date <= until), key=lambda e: (e.date, e.name)))


def _dated(assessment: Assessment) -> Iterator[Expiry]:
    system = assessment.graph.system
    for said in system.controls:
        if said.control not in assessment.library.controls:
            continue  # a team's library switched it off
        control = assessment.library.controls[said.control]
        name = f"{said.control}@{said.element or control.scope}"
        owner = system.reached(said.owner or said.attested_by or control.owner)
        if said.expires is not None:
            who = system.reached(said.attested_by)
            until = system.longest_terms.attested_until(said.on, said.expires)
            yield Expiry("attestation", name, until, who, said.place, said.ticket)
        if said.planned_for is not None:
            planner = system.reached(said.owner or control.owner)
            yield Expiry("plan", name, said.planned_for, planner, said.place, said.ticket)
        if said.due is not None:
            yield Expiry("due", name, said.due, owner, said.place, said.ticket)
    for acceptance in system.acceptances:
        owner = system.reached(acceptance.owner)
        yield Expiry("acceptance", acceptance.finding, acceptance.expires, owner, acceptance.place, acceptance.ticket)
        if acceptance.due is not None:
            yield Expiry("due", acceptance.finding, acceptance.due, owner, acceptance.place, acceptance.ticket)
    for exemption in system.exemptions:
        owner = system.reached(exemption.owner)
        yield Expiry("exemption", exemption.name, exemption.expires, owner, exemption.place, exemption.ticket)


def risks(assessment: Assessment) -> dict[str, Risk]:
    """For each element with findings, the worst left after claimed controls, and how many need attention."""
    worst: dict[str, int] = {}
    waiting: set[str] = set()
    counts: Counter[str] = Counter()
    for finding in assessment.findings:
        element = finding.target.id
        if finding.verdict == "undetermined":
            waiting.add(element)
        if finding.applies:
            worst[element] = max(worst.get(element, 0), BANDS.index(finding.claimed.band))
        counts[element] += finding.verdict not in DONE
    found = {}
    for element in counts:
        band = BANDS[worst[element]] if element in worst else "undetermined"
        unsure = element in waiting and band == BANDS[0]
        found[element] = Risk("undetermined" if unsure else band, counts[element])
    return found
