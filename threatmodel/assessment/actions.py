"""What to do: the controls that are wanting, what first, and what each would change here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal, NamedTuple

from threatmodel.assessment.assess import Reconsidered, in_order, reconsidered
from threatmodel.assessment.assessed import DONE, Answer, Assessment, Finding
from threatmodel.assessment.causes import helps
from threatmodel.assessment.groups import Group, grouped
from threatmodel.assessment.ranking import STRONG, Rank, at_the_door, rank
from threatmodel.assessment.risk import BANDS, MOVES, Band
from threatmodel.assessment.states import State
from threatmodel.library.entries import Control, ControlEffect
from threatmodel.model.facts import Statement
from threatmodel.model.vocabulary import FACTS, INPUTS, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A control that is not in place, each state with the elements that it is in, and the findings that it would move.

    `findings` are those whose band it would lower, what comes first first; `worst` is the highest of their scores,
    `effect` what it does to the first of them.  `door`: it would close a public endpoint that is open to anybody.
    """

    control: Control
    states: Mapping[str, tuple[State, ...]]
    findings: tuple[str, ...]
    worst: int
    effect: ControlEffect
    door: bool
    rank: Rank

    @property
    def minor(self) -> bool:
        """Whether it keeps no attack off: it would only be noticed, or answered."""
        return self.effect not in STRONG

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements that lack it."""
        return tuple(state.element for states in self.states.values() for state in states)


def actions(assessment: Assessment, most: int | None = 3, groups: Sequence[Group] | None = None) -> tuple[Action, ...]:
    """The controls not in place that would lower the band of a finding, what comes first first: one action a control.

    First what closes an open front door, then the worst band that evidence leaves, then what is known to be wanting,
    what somebody wrote before what nobody set, what the Internet reaches, `stops` before `hinders` before `contains`,
    and what moves most findings.  What would only detect or respond comes after all of that.  `groups` are the
    assessment's, where they are known already.
    """
    collected: dict[str, list[_Moved]] = {}
    for group in grouped(assessment) if groups is None else groups:
        head = group.head
        if head.verdict not in DONE and (head.applies or at_the_door(head)):
            for at in _would_help(head):
                state, control = head.answers[at].state, head.answers[at].link.control
                doubt = int(state.level == 0 or state.state == "ineffective")
                place = rank(head, [head.answers[at]], doubt).unnamed
                moved = (_Moved(place, one.id, one, one.answers[at]) for one in group.findings)
                collected.setdefault(control, []).extend(moved)
    found = [_action(assessment.library.controls[control], moved) for control, moved in collected.items()]
    return tuple(sorted(found, key=lambda action: (action.minor, action.rank))[:most])


class _Moved(NamedTuple):
    """A finding that an action would move, through which answer."""

    rank: Rank
    id: str
    finding: Finding
    answer: Answer


def _action(control: Control, moved: Sequence[_Moved]) -> Action:
    ranked = sorted(moved, key=itemgetter(0, 1))
    first = ranked[0]
    states = {one.answer.state.element: one.answer.state for one in reversed(ranked)}
    return Action(
        control=control,
        states=_by_state(states[name] for name in dict.fromkeys(one.answer.state.element for one in ranked)),
        findings=tuple(one.finding.id for one in ranked),
        worst=max(one.finding.claimed.score for one in ranked),
        effect=first.answer.link.effect,
        door=any(at_the_door(one.finding) and one.answer.link.effect == "stops" for one in ranked),
        rank=first.rank._replace(fewer=-len(ranked), name=control.id),
    )


def _by_state(states: Iterable[State]) -> Mapping[str, tuple[State, ...]]:
    found: dict[str, list[State]] = {}
    for state in states:
        found.setdefault(state.state, []).append(state)
    return {name: tuple(alike) for name, alike in found.items()}


def _would_help(finding: Finding) -> Iterator[int]:
    """Which answers, if their control came into place, would lower the claimed band."""
    for at, answer in enumerate(finding.answers):
        if answer.state.is_wanting and answer.link.effect in MOVES and helps(finding, answer):
            yield at


# --- what is at fault, and what shows that it no longer is


class FaultyValue(NamedTuple):
    """A value at fault: of which element, which fact has which value, and who says so where."""

    element: str
    fact: str
    value: object
    said: Statement


def faults(action: Action) -> Iterator[FaultyValue]:
    """The values that keep a control from being in place, those that somebody wrote first."""
    order = list(FACTS[action.control.scope])
    found = [(state, item) for states in action.states.values() for state in states for item in state.support]
    wanting = [(state, item) for state, item in found if item.known and state.level < 0]
    for state, item in sorted(wanting, key=lambda pair: (pair[1].said.omitted, order.index(pair[1].fact))):
        yield FaultyValue(state.element, item.fact, item.value, item.said)


Proof = Literal["probe", "template", "aws", "attestation"]
"""What can show that a control is in place."""


def proofs(control: Control) -> tuple[Proof, ...]:
    """What proves a control, the strongest that is easily had first; a person's word where nothing can see it."""
    names = sorted(control.in_place.facts) if control.in_place else []
    seen = {seen for name in names for seen in _seen_by(control.scope, name)}
    return tuple(kind for kind in _SEEING if kind in seen) or ("attestation",)


_SEEING: tuple[Proof, ...] = ("probe", "template", "aws")


def _seen_by(kind: Kind, name: str) -> frozenset[str]:
    """What can see a fact: of one that follows from others, what can see all of these (a template has every list)."""
    inputs = INPUTS.get((kind, name), ())
    if not inputs:
        row = FACTS[kind].get(name)
        return frozenset(row.seen_by) if row is not None else frozenset({"template"})
    return frozenset(_SEEING).intersection(*(_seen_by(one.kind, one.name) for one in inputs))


# --- what it would change


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """What a control in place would change: the findings that close, go down a band, or stay, claimed and proven apart.

    `closed` and `lowered` hold ids; `stay` counts the findings that it answers and does not move.  `claimed` and
    `proven` count the moves of bands: from, to, how many.
    """

    closed: tuple[str, ...]
    lowered: tuple[str, ...]
    stay: int
    claimed: tuple[tuple[Band, Band, int], ...]
    proven: tuple[tuple[Band, Band, int], ...]


def change(assessment: Assessment, action: Action, groups: Sequence[Group]) -> Improvement:
    """What an action would change on this model, worked out with its control in place wherever it is wanting.

    `groups` are the assessment's.
    """
    assumed = {(action.control.id, name): True for name in action.elements}
    return difference(reconsidered(assessment, assumed, groups))


def difference(found: Iterable[Reconsidered]) -> Improvement:
    """What changes between findings as they are and as they would be; ids in the order of an assessment's findings."""
    closed: list[Finding] = []
    lowered: list[Finding] = []
    stay = 0
    claimed: Counter[tuple[Band, Band]] = Counter()
    proven: Counter[tuple[Band, Band]] = Counter()
    for before, after, findings in found:
        if before.verdict not in DONE and after.verdict in DONE:
            closed += findings
        elif BANDS.index(after.claimed.band) < BANDS.index(before.claimed.band):
            lowered += findings
        stay += len(findings) if (before.claimed, before.proven) == (after.claimed, after.proven) else 0
        claimed[before.claimed.band, after.claimed.band] += len(findings)
        proven[before.proven.band, after.proven.band] += len(findings)
    return Improvement(
        closed=tuple(finding.id for finding in sorted(closed, key=in_order)),
        lowered=tuple(finding.id for finding in sorted(lowered, key=in_order)),
        stay=stay,
        claimed=_moves(claimed),
        proven=_moves(proven),
    )


def _moves(found: Mapping[tuple[Band, Band], int]) -> tuple[tuple[Band, Band, int], ...]:
    counts = {pair: number for pair, number in found.items() if pair[0] != pair[1]}
    ranked = sorted(counts, key=lambda pair: (-BANDS.index(pair[0]), -BANDS.index(pair[1])))
    return tuple((before, after, counts[before, after]) for before, after in ranked)
