"""What to do about an assessment: the actions that move most, what ends soon, what stands alone, and the counts."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from threatmodel.assessment.assess import VERDICTS, Answer, Assessment, Finding, Verdict
from threatmodel.assessment.risk import BANDS, MOVES, Cell, Risk, residual
from threatmodel.assessment.states import State
from threatmodel.library.format import Control, Threat
from threatmodel.model.facts import WORD
from threatmodel.reading.problems import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A control that is not in place, each state with the elements that it is in, and the findings that it would move.

    `findings` are those whose band it would lower, `worst` the highest of their scores.
    """

    control: Control
    states: Mapping[str, tuple[State, ...]]
    findings: tuple[str, ...]
    worst: int

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements that lack it."""
        return tuple(state.element for states in self.states.values() for state in states)


class Expiry(NamedTuple):
    """Something that ends or is due: 'attestation', 'acceptance' or 'plan', of what, when, and who answers for it."""

    what: str
    name: str
    date: datetime.date
    owner: str
    place: Place


class Summary(NamedTuple):
    """Counts: findings by verdict, by band of each cell, and what waits for an answer by its claimed band."""

    verdicts: Mapping[str, int]
    inherent: Mapping[str, int]
    claimed: Mapping[str, int]
    proven: Mapping[str, int]
    undetermined: Mapping[str, int]


DONE: frozenset[Verdict] = frozenset({"mitigated", "transferred", "accepted", "unproven"})
"""Verdicts under which nothing needs to be done now (unproven ones still want evidence)."""


def summary(assessment: Assessment) -> Summary:
    """The counts of an assessment; what waits for an answer is counted whether or not it is known to apply."""
    waiting = [f for f in assessment.findings if f.verdict == "undetermined"] + list(assessment.possible)
    verdicts = Counter(finding.verdict for finding in assessment.findings)
    verdicts["undetermined"] = len(waiting)
    return Summary(
        verdicts={verdict: verdicts[verdict] for verdict in VERDICTS},
        inherent=_by_band(finding.inherent for finding in assessment.findings),
        claimed=_by_band(finding.claimed for finding in assessment.findings),
        proven=_by_band(finding.proven for finding in assessment.findings),
        undetermined=_by_band(finding.claimed for finding in waiting),
    )


def _by_band(cells: Iterator[Cell]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for cell, count in Counter(cells).items():
        found[cell.band] += count
    return {band: found[band] for band in BANDS}


def actions(assessment: Assessment, most: int | None = 3) -> tuple[Action, ...]:
    """The controls not in place that would lower the band of most findings: one action a control, however often."""
    moved: dict[str, dict[str, Finding]] = {}
    states: dict[str, dict[str, State]] = {}
    helping: dict[tuple[object, ...], tuple[int, ...]] = {}
    for finding in assessment.findings:
        if finding.verdict not in DONE:
            alike = (finding.threat.id, finding.inherent, tuple(_missing(a) for a in finding.answers))
            if alike not in helping:
                helping[alike] = tuple(_would_help(finding))
            for at in helping[alike]:
                state = finding.answers[at].state
                moved.setdefault(state.control, {})[finding.id] = finding
                states.setdefault(state.control, {}).setdefault(state.element, state)
    found = [
        Action(
            control=assessment.library.controls[control],
            states=_by_state(states[control].values()),
            findings=tuple(findings),
            worst=max(finding.claimed.score for finding in findings.values()),
        )
        for control, findings in moved.items()
    ]
    found.sort(key=lambda action: (-len(action.findings), -action.worst, action.control.id))
    return tuple(found[:most])


def _by_state(states: Iterable[State]) -> Mapping[str, tuple[State, ...]]:
    found: dict[str, list[State]] = {}
    for state in states:
        found.setdefault(state.state, []).append(state)
    return {name: tuple(alike) for name, alike in sorted(found.items())}


def reached(assessment: Assessment, threat: Threat) -> tuple[str, ...]:
    """The elements that a threat hits through its target: all of the kind that the library names."""
    if not threat.reaches:
        return ()
    return tuple(t.id for t in assessment.graph.targets() if t.kind == threat.reaches and not t.out_of_scope)


def _missing(answer: Answer) -> bool | None:
    """Whether a control is not in place where it could be; None where it is not applicable."""
    return None if answer.state.state == "not-applicable" else answer.state.level < WORD


def _would_help(finding: Finding) -> Iterator[int]:
    """Which answers, if their control came into place, would lower the claimed band."""
    held = [answer.link.effect for answer in finding.answers if answer.state.level >= WORD]
    for at, answer in enumerate(finding.answers):
        if _missing(answer) and answer.link.effect in MOVES:
            after = residual(finding.inherent, [*held, answer.link.effect])
            if BANDS.index(after.band) < BANDS.index(finding.claimed.band):
                yield at


def carried_alone(assessment: Assessment) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The controls without which a finding would be critical again, with those findings, the busiest first."""
    found: dict[str, list[str]] = {}
    for finding in assessment.findings:
        if finding.inherent.band == BANDS[-1] and finding.claimed.band != BANDS[-1]:
            held = [answer for answer in finding.answers if answer.state.level >= WORD]
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
        name = f"{said.control}@{said.element or assessment.library.controls[said.control].scope}"
        if said.expires is not None:
            yield Expiry("attestation", name, said.expires, said.attested_by, said.place)
        if said.planned_for is not None:
            yield Expiry("plan", name, said.planned_for, assessment.library.controls[said.control].owner, said.place)
    for acceptance in system.acceptances:
        name = f"{acceptance.threat}@{acceptance.element}"
        yield Expiry("acceptance", name, acceptance.expires, acceptance.owner, acceptance.place)


def risks(assessment: Assessment) -> dict[str, Risk]:
    """For each element with findings, the worst left after claimed controls, and how many need attention."""
    worst: dict[str, int] = {}
    waiting: set[str] = set()
    counts: Counter[str] = Counter()
    for finding in (*assessment.findings, *assessment.possible):
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
