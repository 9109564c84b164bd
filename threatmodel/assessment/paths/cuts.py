"""The smallest set of controls that cuts every path: exact where that is within the limit, greedy where it is not.

A step is cut where a control stops it, or where controls that hinder it bring its likelihood to 2. So each step has
options: sets of missing controls of which each one cuts it. A path has the options of all its steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, islice
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.control_state import Answer, ControlState, State
from threatmodel.assessment.paths.search import Network, Work, chain, shortest
from threatmodel.assessment.paths.steps import SIZES, could_hinder
from threatmodel.assessment.paths.values import AIM_OF, UNLIKELY, Choice, Cut, Level, Step
from threatmodel.graph.elements import Element, Flow
from threatmodel.library.entries import Control, ControlLink
from threatmodel.model.vocabulary import PLANES

TRIES = 5_000
"""Sets of controls that are tried before a cut is only a small one and not shown to be the smallest."""

_AT_ONCE = 50
"""Open paths whose options are added before the set is computed again."""

Option = frozenset[str]
Options = frozenset[Option]
"""Sets of controls of which each one, in place, cuts a step or a path."""


def cut(assessment: Assessment, network: Network, level: Level, work: Work) -> Cut:
    """Return the smallest set of controls that, in place at a level, cuts all paths that controls can cut.

    Aims that are reached over steps without options are `uncut`; the cut is that of all other aims.
    """
    asked = _Asked(assessment, level)
    smallest = _Smallest()
    options = [asked.of(step) for step in network.steps]
    aims = {number for number, position in enumerate(network.positions) if position.hold in AIM_OF}
    bare = shortest(network.starts, network, [one is not None and not one for one in options], work)
    uncut = [goal for goal in bare if goal in aims]
    aims.difference_update(uncut)
    kinds = set(options)
    while True:
        is_open = {kind: kind is not None and not any(one <= smallest.found for one in kind) for kind in kinds}
        last = shortest(network.starts, network, [is_open[one] for one in options], work)
        goals = [goal for goal in last if goal in aims]
        if not goals:
            states = asked.states(network.steps, smallest.found)
            choices = tuple(Choice(control, states[control]) for control in sorted(smallest.found))
            return Cut(choices, smallest.exact and work.is_done, tuple(network.positions[goal] for goal in uncut))
        chains = (chain(goal, last, network) for goal in goals)
        found = (frozenset(one for step in some for one in options[step] or ()) for some in chains)
        smallest.add(islice(dict.fromkeys(found), _AT_ONCE))


_Part = tuple[Control, ControlLink | None]
"""A control that an option has, with its link to the threat; None where another control requires it."""


class _Known(NamedTuple):
    """The options of a step (None: it is cut already), and the controls of which they consist."""

    options: Options | None
    parts: Sequence[_Part] = ()


_BY_DESIGN = _Known(frozenset())


class _Asked:
    """The options of steps at a level, computed once for the steps of twins."""

    def __init__(self, assessment: Assessment, level: Level) -> None:
        self._states = assessment.states
        self._library = assessment.library
        self._level = level
        self._size = SIZES[level]
        self._first = {one.id: some[0].id for group in assessment.groups for some in group.twins for one in some}
        self._required: dict[str, tuple[Control, ...]] = {}
        self._steps: dict[str, _Known] = {}

    def of(self, step: Step) -> Options | None:
        """Return what would cut a step: no options where nothing would, None where it is cut already."""
        return self._known(step).options

    def states(self, steps: Iterable[Step], controls: Option) -> Mapping[str, Mapping[str, ControlState]]:
        """Return the states of some controls, by control and element, for the steps that they could cut."""
        found: dict[str, dict[str, ControlState]] = {name: {} for name in controls}
        chosen = {
            first: parts
            for first, known in self._steps.items()
            if (parts := [part for part in known.parts if part[0].id in controls])
        }
        targets = {step.finding: step.element for step in steps if step.element is not None}
        alike: dict[tuple[str, str], ControlState] = {}
        for finding, target in targets.items():
            first = self._first.get(finding, finding)
            for control, link in chosen.get(first, ()):
                element = target.id if control.scope == target.kind else control.scope
                at = (first, control.id)
                if link is None or (element != target.id and element not in PLANES):  # twins have other neighbors
                    state = self._state(control, link, target)
                    found[control.id][state.element] = state.state
                    continue
                if at not in alike:
                    alike[at] = self._state(control, link, target).state
                found[control.id][element] = alike[at]
        return found

    def _known(self, step: Step) -> _Known:
        if step.element is None:
            return _BY_DESIGN
        finding = step.finding
        first = self._first.get(finding, finding)
        if first not in self._steps:
            self._steps[first] = self._computed(step, step.element)
        return self._steps[first]

    def _computed(self, step: Step, target: Element | Flow) -> _Known:
        barrier = step.at(self._level)
        if barrier.strength in {"unlikely", "stopped"}:
            return _Known(None)
        missing = [answer for answer in step.answers if self._is_missing(answer.state)]
        stops, hinders = (
            [self._needed(answer, target) for answer in missing if answer.link.effect == effect]
            for effect in ("stops", "hinders")
        )
        options = set(map(_option, stops))
        needed = barrier.likelihood - UNLIKELY
        if needed <= could_hinder(step.answers, self._size):
            options.update(frozenset().union(*some) for some in combinations(map(_option, hinders), needed))
        least = frozenset(option for option in options if not any(other < option for other in options))
        return _Known(least, [part for parts in (*stops, *hinders) for part in parts])

    def _state(self, control: Control, link: ControlLink | None, target: Element | Flow) -> State:
        return self._states.answer(link, target).state if link else self._states.counting(control, target)

    def _is_missing(self, state: State) -> bool:
        """Whether a control is not in place at the level, and could be."""
        return state.level < self._size and state.state != "not-applicable" and not state.unwanted

    def _needed(self, answer: Answer, target: Element | Flow) -> Sequence[_Part]:
        """What has to be put in place for a missing control to work: itself, and what it requires."""
        name = answer.state.control
        required = self._required.get(name)
        if required is None:
            found = self._library.with_required([name]).values()
            required = self._required[name] = tuple(one for one in found if one.id != name)
        needed: list[_Part] = [(one, None) for one in required if self._is_missing(self._states.counting(one, target))]
        if answer.state.state != "ineffective" or not needed:  # else it works as soon as what it requires does
            needed.append((self._library.controls[name], answer.link))
        return needed


def _option(parts: Iterable[_Part]) -> Option:
    return frozenset(control.id for control, _ in parts)


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
