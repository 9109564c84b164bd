"""The summary of an assessment: the counts, what ends soon, single points of failure, and the risk of each element."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from threatmodel.assessment.assessed import DONE, VERDICTS, Assessment
from threatmodel.assessment.ranking import DISCOUNT, doubt_of
from threatmodel.assessment.risk import BANDS, Band, Cell, Risk, residual
from threatmodel.assessment.standings import standings
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
    inherent: Mapping[Band, int]
    claimed: Mapping[Band, int]
    proven: Mapping[Band, int]
    undetermined: Mapping[Band, int]


def summary(assessment: Assessment) -> Summary:
    """Return the counts of an assessment's findings, those that are only possible included."""
    outlines = assessment.outlines
    verdicts: Counter[str] = Counter()
    for one, number in outlines.items():
        verdicts[one.verdict] += number
    return Summary(
        verdicts={verdict: verdicts[verdict] for verdict in VERDICTS},
        inherent=by_band((one.inherent, number) for one, number in outlines.items()),
        claimed=by_band((one.claimed, number) for one, number in outlines.items()),
        proven=by_band((one.proven, number) for one, number in outlines.items()),
        undetermined=by_band(
            (one.claimed, number) for one, number in outlines.items() if one.verdict == "undetermined"
        ),
    )


def by_band(cells: Iterable[tuple[Cell, int]]) -> dict[Band, int]:
    """Return how many findings there are by the band of a cell, the mildest first; `cells` has some with the number."""
    found = dict.fromkeys(BANDS, 0)
    for cell, number in cells:
        found[cell.band] += number
    return found


def reached(assessment: Assessment, threat: Threat) -> tuple[str, ...]:
    """The elements that a threat hits through its target: all of the kind that the library names."""
    if not threat.reaches:
        return ()
    return tuple(t.id for t in assessment.graph.targets() if t.kind == threat.reaches and not t.out_of_scope)


def carried_alone(assessment: Assessment) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The controls without which a finding would be critical again, with those findings, the busiest first."""
    found: dict[str, list[str]] = {}
    for group in assessment.groups:
        head = group.head
        if head.applies and head.inherent.band == BANDS[-1] and head.claimed.band != BANDS[-1]:
            held = [(at, answer) for at, answer in enumerate(head.answers) if answer.state.level >= STATED]
            for at, answer in held:
                others = [other.link.effect for place, other in held if place != at]
                if residual(head.inherent, others).band == BANDS[-1]:
                    for element, standing in standings(assessment, group, at):
                        found.setdefault(f"{answer.state.control}@{element}", []).append(standing.finding.id)
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
    for what, decisions in (
        ("acceptance", system.acceptances),
        ("exemption", system.exemptions),
        ("exclusion", system.exclusions),
    ):
        for one in decisions:
            yield Expiry(what, one.name, one.expires, system.reached(one.owner), one.place, one.ticket)
    for one in system.acceptances:
        if one.due is not None:
            yield Expiry("due", one.name, one.due, system.reached(one.owner), one.place, one.ticket)


_SHOWN: tuple[Band | Literal["undetermined"], ...] = (BANDS[0], "undetermined", *BANDS[1:])
"""What an element is marked with, from least to most pressing."""


def risks(assessment: Assessment) -> dict[str, Risk]:
    """For each element with findings, the worst left after claimed controls, and how many need attention.

    The worst element is first: of those with the worst band, the one with most findings at the first place of the order
    of findings, then at the next place and so on. In that order, a possible finding counts one band less than a
    confirmed one. Of elements that are equal, those that anyone on the internet reaches are first, directly or through
    one other element. The others are in the order of the system.
    """
    worst: dict[str, int] = {}
    waiting: set[str] = set()
    counts: Counter[str] = Counter()
    pressing: dict[tuple[int, int], Counter[str]] = {}
    for group in sorted(assessment.groups, key=lambda group: BANDS.index(group.head.claimed.band)):
        head, elements = group.head, [finding.target.id for finding in group.findings]
        if head.verdict == "undetermined":
            waiting.update(elements)
        if head.applies:
            worst.update(dict.fromkeys(elements, BANDS.index(head.claimed.band)))
        done, doubt = head.verdict in DONE, doubt_of(head)
        place = DISCOUNT[doubt] - BANDS.index(head.claimed.band), doubt
        counts.update(dict.fromkeys(elements, 0) if done else elements)
        if not done:
            pressing.setdefault(place, Counter()).update(elements)
    places = [pressing[place] for place in sorted(pressing)]
    order: dict[str, tuple[int, tuple[int, ...]]] = {}
    for target in assessment.graph.targets():
        if target.id in counts:
            band = BANDS[worst[target.id]] if target.id in worst else "undetermined"
            shown = "undetermined" if target.id in waiting and band == BANDS[0] else band
            order[target.id] = -_SHOWN.index(shown), tuple([-number.get(target.id, 0) for number in places])
    at = {found: place for place, found in enumerate(sorted(set(order.values())))}
    reached = _reached(assessment)
    ordered = sorted(order, key=lambda element: (at[order[element]], element not in reached))
    return {one: Risk(_SHOWN[-order[one][0]], counts[one], at[order[one]]) for one in ordered}


def _reached(assessment: Assessment) -> frozenset[str]:
    """The elements that anyone on the internet sends to, directly or through one other element."""
    flows = [flow for flow in assessment.graph.flows.values() if flow.view == "runtime"]
    first = {flow.target for flow in flows if flow.source == "internet"}
    return frozenset(first | {flow.target for flow in flows if flow.source in first})
