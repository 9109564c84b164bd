"""The smallest set of controls that cuts every path: exact where that is within the limit, greedy where it is not.

A step is cut where a control stops it, or where controls that hinder it bring its likelihood to 2. So each step has
options: sets of missing controls of which each one cuts it. A path has the options of all its steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations, islice

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.control_state import ControlState, State
from threatmodel.assessment.paths.search import Next, Work, chain, shortest
from threatmodel.assessment.paths.steps import SIZES, could_hinder
from threatmodel.assessment.paths.values import AIM_OF, UNLIKELY, Choice, Cut, Level, Position, Step
from threatmodel.library.entries import Control

TRIES = 5_000
"""Sets of controls that are tried before a cut is only a small one and not shown to be the smallest."""

_AT_ONCE = 50
"""Open paths whose options are added before the set is computed again."""

Option = frozenset[str]
Options = frozenset[Option]
"""Sets of controls of which each one, in place, cuts a step or a path."""


def cut(assessment: Assessment, starts: Sequence[Position], following: Next, level: Level, work: Work) -> Cut:
    """Return the smallest set of controls that, in place at a level, cuts all paths that controls can cut.

    Aims that are reached over steps without options are `uncut`; the cut is that of all other aims.
    """
    asked = _Asked(assessment, level)
    smallest = _Smallest()
    options = {id(step): asked.of(step) for some in following.values() for step in some}
    bare = shortest(starts, following, lambda step: options[id(step)] == frozenset(), work)
    uncut = dict.fromkeys(goal for goal in bare if goal.hold in AIM_OF)
    kinds = set(options.values())
    while True:
        is_open = {kind: kind is not None and not any(one <= smallest.found for one in kind) for kind in kinds}
        last = shortest(starts, following, lambda step, now=is_open: now[options[id(step)]], work)  # type: ignore[misc]
        goals = [one for one in last if one.hold in AIM_OF and one not in uncut]
        if not goals:
            choices = tuple(Choice(control, asked.states[control]) for control in sorted(smallest.found))
            return Cut(choices, smallest.exact and work.is_done, tuple(uncut))
        chains = (chain(goal, last) for goal in goals)
        found = (frozenset(one for step in some for one in options[id(step)] or ()) for some in chains)
        smallest.add(islice(dict.fromkeys(found), _AT_ONCE))


class _Asked:
    """The options of steps at a level, each computed once.

    `states` are those of the controls of all options, by control and element.
    """

    def __init__(self, assessment: Assessment, level: Level) -> None:
        self._states = assessment.states
        self._graph = assessment.graph
        self._library = assessment.library
        self._level = level
        self._size = SIZES[level]
        self.states: dict[str, dict[str, ControlState]] = {}
        self._required: dict[str, tuple[Control, ...]] = {}
        self._known: dict[tuple[str, str], Options | None] = {}

    def of(self, step: Step) -> Options | None:
        """Return what would cut a step: no options where nothing would, None where it is cut already."""
        if step.threat is None:
            return frozenset()
        key = (step.threat.id, step.target)
        if key not in self._known:
            self._known[key] = self._options(step)
        return self._known[key]

    def _options(self, step: Step) -> Options | None:
        barrier = step.at(self._level)
        if barrier.strength in {"unlikely", "stopped"}:
            return None
        missing = [answer for answer in step.answers if self._is_missing(answer.state)]
        options = {self._needed(answer.state, step) for answer in missing if answer.link.effect == "stops"}
        hinders = [self._needed(answer.state, step) for answer in missing if answer.link.effect == "hinders"]
        needed = barrier.likelihood - UNLIKELY
        if needed <= could_hinder(step.answers, self._size):
            for some in combinations(hinders, needed):
                options.add(frozenset().union(*some))
        return frozenset(option for option in options if not any(other < option for other in options))

    def _is_missing(self, state: State) -> bool:
        """Whether a control is not in place at the level, and could be."""
        return state.level < self._size and state.state != "not-applicable" and not state.unwanted

    def _needed(self, state: State, step: Step) -> Option:
        """What has to be put in place for a missing control to work: itself, and what it requires."""
        target = self._graph.elements.get(step.target) or self._graph.flows[step.target]
        required = self._required.get(state.control)
        if required is None:
            found = self._library.with_required([state.control]).values()
            required = self._required[state.control] = tuple(one for one in found if one.id != state.control)
        states = (self._states.counting(one, target) for one in required)
        needed = [one for one in states if self._is_missing(one)]
        if state.state != "ineffective" or not needed:  # else it works as soon as what it requires does
            needed.append(state)
        for one in needed:
            self.states.setdefault(one.control, {})[one.element] = one.state
        return frozenset(one.control for one in needed)


class _Smallest:
    """The smallest set of controls that has an option of each demand: `found`, and whether it is `exact`."""

    def __init__(self) -> None:
        self.found: Option = frozenset()
        self.exact = True
        self._demands: list[Options] = []
        self._left_to_try = TRIES

    def add(self, demands: Iterable[Options]) -> None:
        """Take more demands into account."""
        every = {*self._demands, *demands}
        least = (one for one in every if not any(other < one for other in every))
        self._demands = sorted(least, key=lambda one: (len(one), sorted(map(sorted, one))))
        self.found = self._greedy()
        self._branch(frozenset())

    def _greedy(self) -> Option:
        chosen: Option = frozenset()
        while left := self._unmet(chosen):
            counts = Counter(option for demand in left for option in demand)
            chosen |= min((-counts[option] / len(option - chosen), sorted(option), option) for option in counts)[2]
        return chosen

    def _unmet(self, chosen: Option) -> list[Options]:
        return [demand for demand in self._demands if not any(option <= chosen for option in demand)]

    def _branch(self, chosen: Option) -> None:
        self._left_to_try -= 1
        if self._left_to_try < 0:
            self.exact = False
            return
        left = self._unmet(chosen)
        if not left:
            if len(chosen) < len(self.found):
                self.found = chosen
            return
        if len(chosen) + _least(left, chosen) < len(self.found):
            for option in sorted(left[0], key=lambda one: (len(one - chosen), sorted(one))):
                self._branch(chosen | option)


def _least(demands: Iterable[Options], chosen: Option) -> int:
    """How many more controls are needed at least: demands that share none need at least one each."""
    taken: set[str] = set()
    number = 0
    for demand in demands:
        controls = frozenset().union(*demand) - chosen
        if controls.isdisjoint(taken):
            taken |= controls
            number += 1
    return number
