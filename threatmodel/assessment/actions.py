"""What to do: the controls that are missing, which comes first, and the effect of each on this system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Literal, NamedTuple

from threatmodel.assessment.assessed import DONE, Assessment, Finding, Group
from threatmodel.assessment.causes import causes, helps
from threatmodel.assessment.control_state import ControlState, State
from threatmodel.assessment.outcomes import Outcome
from threatmodel.assessment.ranking import STRONG, Rank, is_entry_point, rank
from threatmodel.assessment.reconsidering import Reconsidered, Reconsidering
from threatmodel.assessment.risk import BANDS, MOVES, Band
from threatmodel.assessment.standings import Standing, standings
from threatmodel.library.entries import EFFECTS, Control, ControlEffect
from threatmodel.model.facts import Statement
from threatmodel.model.vocabulary import FACTS, INPUTS, Kind
from threatmodel.reading.grouping import grouped
from threatmodel.reading.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """What a control in place would change: the findings that close, go down a band, or stay, claimed and proven apart.

    `closed` and `lowered` have findings with the same outcome together; `stay` counts the findings that it answers and
    does not move.  `claimed` and `proven` count the moves of bands: from, to, how many.
    """

    closed: tuple[Sequence[Finding], ...]
    lowered: tuple[Sequence[Finding], ...]
    stay: int
    claimed: tuple[tuple[Band, Band, int], ...]
    proven: tuple[tuple[Band, Band, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A control to put in place: on which elements, in what state it is there, and what that changes.

    `states` has the elements by the control's state: all on which it is missing, and those on which an unknown one
    would lower a band.  `lacks` has the state for each.  `findings` are those whose band it alone would lower, `worst`
    is the highest of their scores, `effect` the strongest that it has on one of them, `change` what it changes with all
    that depends on it.  `entry_point`: it closes a public endpoint.
    """

    control: Control
    states: Mapping[ControlState, tuple[str, ...]]
    lacks: Mapping[str, Standing]
    findings: tuple[str, ...]
    worst: int
    effect: ControlEffect
    entry_point: bool
    change: Improvement

    @property
    def minor(self) -> bool:
        """Whether it keeps no attack off: it only detects one, or helps to respond."""
        return self.effect not in STRONG

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements that lack it, by its state on them."""
        return tuple(chain.from_iterable(self.states.values()))

    @property
    def is_known(self) -> bool:
        """Whether the control is known to be missing somewhere, so that this is no question."""
        return any(lack.alike.level < 0 for lack in self.lacks.values())


def actions(assessment: Assessment) -> tuple[Action, ...]:
    """Return the controls that would lower the band of a finding, in the order in which to put them in place.

    First what closes an open public endpoint, then what is known to be missing.  Of these first what is written to be
    the cause of a finding, in the order of issues, and then what removes most: band steps of findings as proven,
    those that leave critical first, then as claimed.  The kind of effect breaks ties.
    """
    moved: dict[str, list[_Moved]] = {}
    for group in assessment.groups:
        head = group.head
        if head.verdict not in DONE and (head.applies or is_entry_point(head)):
            for at in _would_help(head):
                answer = head.answers[at]
                doubt = int(answer.state.level == 0 or answer.state.state == "ineffective")
                closes = is_entry_point(head) and answer.link.effect == "stops"
                one = _Moved(rank(head, [answer], doubt).unnamed, group, at, answer.link.effect, closes)
                moved.setdefault(answer.link.control, []).append(one)
    missing = _missing(assessment, moved)
    again, controls = Reconsidering(assessment), assessment.library.controls
    found = [
        _action(again, controls[name], _lacking(assessment, there) | missing.get(name, {}), there)
        for name, there in moved.items()
    ]
    first = _caused(assessment.groups)
    return tuple(sorted(found, key=lambda action: _order(action, first.get(action.control.id, _NO_CAUSE))))


_Place = tuple[int, tuple[object, ...]]
_NO_CAUSE: _Place = (1, ())


def _caused(groups: Iterable[Group]) -> Mapping[str, _Place]:
    """Return the place of the first finding that a written lack of a control causes, by control: its band, its rank."""
    found: dict[str, _Place] = {}
    for group, cause in causes(group for group in groups if group.head.verdict in {"open", "reduced"}):
        if cause is not None and cause.written:
            name, at = cause.state.control, (-BANDS.index(group.head.claimed.band), tuple(rank(group.head).unnamed))
            found[name] = min(at, found.get(name, at))
    return found


class _Moved(NamedTuple):
    """Findings that an action would move, through which answer; `closes`: that closes an open public endpoint."""

    rank: Rank
    group: Group
    at: int
    effect: ControlEffect
    closes: bool


def _lacking(assessment: Assessment, moved: Iterable[_Moved]) -> dict[str, Standing]:
    """The elements that lack a control which would move these findings, the elements of the first findings first."""
    found: dict[str, Standing] = {}
    for _, equal in groupby(sorted(moved, key=_rank), key=_rank):
        lacks = [one for part in equal for one in standings(assessment, part.group, part.at, found)]
        for element, lack in sorted(lacks, key=lambda pair: pair[1].finding.id):
            found.setdefault(element, lack)
    return found


def _rank(one: _Moved) -> Rank:
    return one.rank


def _missing(assessment: Assessment, wanted: Container[str]) -> Mapping[str, dict[str, Standing]]:
    """By control, the elements on which it is known to be missing, whatever finding depends on it."""
    found: dict[str, dict[str, Standing]] = {}
    for group in assessment.groups:
        for at, answer in enumerate(group.head.answers):
            if answer.state.level < 0 and answer.is_missing and answer.link.control in wanted:
                lacks = found.setdefault(answer.link.control, {})
                for element, lack in standings(assessment, group, at, lacks):
                    lacks.setdefault(element, lack)
    return {control: dict(sorted(lacks.items())) for control, lacks in found.items()}


def _action(again: Reconsidering, control: Control, lacks: Mapping[str, Standing], moved: Sequence[_Moved]) -> Action:
    ranked = (equal for _, equal in groupby(sorted(moved, key=_rank), key=_rank))
    ids = (sorted(finding.id for one in equal for finding in one.group.findings) for equal in ranked)
    return Action(
        control=control,
        states=_by_state(lacks),
        lacks=lacks,
        findings=tuple(chain.from_iterable(ids)),
        worst=max(one.group.head.claimed.score for one in moved),
        effect=min((one.effect for one in moved), key=EFFECTS.index),
        entry_point=any(one.closes for one in moved),
        change=difference(again.under({(control.id, element): True for element in lacks})),
    )


def _by_state(lacks: Mapping[str, Standing]) -> Mapping[ControlState, tuple[str, ...]]:
    found = grouped((lack.alike.state, element) for element, lack in lacks.items())
    return {name: tuple(elements) for name, elements in found.items()}


def _order(action: Action, first: _Place) -> tuple[object, ...]:
    effect, name = EFFECTS.index(action.effect), action.control.id
    steps = (*_steps(action.change.proven), *_steps(action.change.claimed))
    return not action.entry_point, not action.is_known, first, *steps, effect, name


def _steps(moves: Iterable[tuple[Band, Band, int]]) -> tuple[int, ...]:
    """How many bands findings go down, those that leave the worst band first; most is least."""
    down = dict.fromkeys(reversed(BANDS), 0)
    for before, after, number in moves:
        down[before] -= number * (BANDS.index(before) - BANDS.index(after))
    return tuple(down.values())


def _would_help(finding: Finding) -> Iterator[int]:
    """Which answers, if their control came into place, would lower the claimed band."""
    for at, answer in enumerate(finding.answers):
        if answer.is_missing and answer.link.effect in MOVES and helps(finding, answer):
            yield at


# --- the cause, and what shows that it is fixed


class FaultyValue(NamedTuple):
    """A value that is a cause: the element, the fact, its value, and the source and place of the statement."""

    element: str
    fact: str
    value: object
    said: Statement


def faults(action: Action) -> Iterator[FaultyValue]:
    """The values that keep a control from being in place; written values come before defaults."""
    yield from _faults(action, [(element, lack.state) for element, lack in action.lacks.items()])


def first_fault(action: Action) -> FaultyValue | None:
    """The first of the values that keep a control from being in place."""
    first: dict[int, tuple[str, Standing]] = {}
    for element, lack in action.lacks.items():
        first.setdefault(id(lack.alike), (element, lack))
    return next(_faults(action, [(element, lack.state) for element, lack in first.values()]), None)


def _faults(action: Action, states: Iterable[tuple[str, State]]) -> Iterator[FaultyValue]:
    order = list(FACTS[action.control.scope])
    missing = [(name, item) for name, state in states if state.level < 0 for item in state.support if item.known]
    for name, item in sorted(missing, key=lambda pair: (pair[1].said.omitted, order.index(pair[1].fact))):
        yield FaultyValue(name, item.fact, item.value, item.said)


Proof = Literal["probe", "template", "aws", "host", "attestation"]
"""What can show that a control is in place."""


def proofs(control: Control) -> tuple[Proof, ...]:
    """What proves a control, the strongest that is easily had first; a person's word where nothing can see it."""
    names = sorted(control.in_place.facts) if control.in_place else []
    seen = {seen for name in names for seen in _seen_by(control.scope, name)}
    return tuple(kind for kind in _SEEING if kind in seen) or ("attestation",)


_SEEING: tuple[Proof, ...] = ("probe", "template", "aws", "host")


def _seen_by(kind: Kind, name: str) -> frozenset[str]:
    """What can see a fact: of one that follows from others, what can see all of these (a template has every list)."""
    inputs = INPUTS.get((kind, name), ())
    if not inputs:
        row = FACTS[kind].get(name)
        return frozenset(row.seen_by) if row is not None else frozenset({"template"})
    return frozenset(_SEEING).intersection(*(_seen_by(one.kind, one.name) for one in inputs))


# --- what it would change


def difference(found: Iterable[Reconsidered]) -> Improvement:
    """Return what changes between findings as they are and as they would be."""
    closed: list[Sequence[Finding]] = []
    lowered: list[Sequence[Finding]] = []
    numbers: Counter[tuple[Outcome, Outcome]] = Counter()
    for before, after, twins in found:
        numbers[before, after] += sum([len(some) for some in twins])
        if before.verdict not in DONE and after.verdict in DONE:
            closed += twins
        elif after.claimed != before.claimed and BANDS.index(after.claimed.band) < BANDS.index(before.claimed.band):
            lowered += twins
    stay = 0
    claimed: Counter[tuple[Band, Band]] = Counter()
    proven: Counter[tuple[Band, Band]] = Counter()
    for (before, after), number in numbers.items():
        stay += number if (before.claimed, before.proven) == (after.claimed, after.proven) else 0
        claimed[before.claimed.band, after.claimed.band] += number
        proven[before.proven.band, after.proven.band] += number
    return Improvement(
        closed=tuple(closed),
        lowered=tuple(lowered),
        stay=stay,
        claimed=_moves(claimed),
        proven=_moves(proven),
    )


def _moves(found: Mapping[tuple[Band, Band], int]) -> tuple[tuple[Band, Band, int], ...]:
    counts = {pair: number for pair, number in found.items() if pair[0] != pair[1]}
    ranked = sorted(counts, key=lambda pair: (-BANDS.index(pair[0]), -BANDS.index(pair[1])))
    return tuple((before, after, counts[before, after]) for before, after in ranked)
