"""What findings would be if controls were in place, or gone: only those are judged again that the controls answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Finding, Group
from threatmodel.assessment.outcomes import Counts, Outcome, Outcomes, Situation, outcome_of
from threatmodel.assessment.states import Assumed, States
from threatmodel.library.entries import Control, ControlLink
from threatmodel.model.vocabulary import PLANES, Kind
from threatmodel.reading.grouping import grouped


class Reconsidered(NamedTuple):
    """Findings with the same outcome: as they are, and under other states of their controls."""

    before: Outcome
    after: Outcome
    twins: Sequence[Sequence[Finding]]


class Reconsidering:
    """An assessment whose findings can be judged again."""

    def __init__(self, assessment: Assessment) -> None:
        self._assessment = assessment
        self._outcomes = Outcomes(assessment.graph.system, assessment.today)
        self._groups: dict[str, list[tuple[int, Group]]] = {}
        self._counts = [tuple([one.state.counts for one in group.head.answers]) for group in assessment.groups]
        self._ids: dict[int, frozenset[str]] = {}  # by the identity of twins
        self._neighbors: dict[tuple[int, Kind], list[tuple[str, ...]]] = {}
        library = assessment.library
        self._required = {name: frozenset(library.with_required([name])) for name in library.controls}
        for number, group in enumerate(assessment.groups):
            for control in {link.control for link in group.head.threat.links}:
                self._groups.setdefault(control, []).append((number, group))

    def under(self, assumed: Assumed) -> Iterator[Reconsidered]:
        """Yield the findings that a control answers which is assumed, or relies on one that is."""
        states, touched = self._assessment.states.assuming(assumed)
        alike: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
        for (control, element), in_place in assumed.items():
            alike[control, in_place].add(element)
        elements: dict[str, dict[bool, set[str]]] = {}
        for (control, in_place), some in alike.items():
            elements.setdefault(control, {})[in_place] = some
        groups = {number: group for control in touched for number, group in self._groups.get(control, ())}
        for number in sorted(groups):
            group, before = groups[number], self._counts[number]
            head = group.head
            places = [at for at, link in enumerate(head.threat.links) if link.control in touched]
            links = [head.threat.links[at] for at in places]
            situation = Situation(head.threat, head.inherent, head.proof, bool(head.applies), head.acceptance)
            controls = [states.library.controls[link.control] for link in links]
            for now, twins in _parts(self._alike(group.twins, controls, elements), links, states):
                counts = [*before]
                for place, one in zip(places, now, strict=True):
                    counts[place] = one
                yield Reconsidered(outcome_of(head), self._outcomes.of(situation, tuple(counts)), twins)

    def _alike(
        self, twins: Iterable[Sequence[Finding]], controls: Sequence[Control], elements: Mapping[str, _Elements]
    ) -> Iterator[Sequence[Finding]]:
        """Twins of which the same is assumed, as far as these controls and those that they require count for them."""
        for some in twins:
            assumed = list(self._assumed(some, controls, elements)) if len(some) > 1 else []
            if not assumed:
                yield some
                continue
            found = grouped(zip(zip(*assumed, strict=True), some, strict=True))
            yield from found.values()

    def _assumed(
        self, twins: Sequence[Finding], controls: Sequence[Control], elements: Mapping[str, _Elements]
    ) -> Iterator[Sequence[Hashable]]:
        """Yield what is assumed of a control for each of the twins, for each control of which that may differ."""
        library, kind = self._assessment.library, twins[0].target.kind
        for control in controls:
            for name in self._required[control.id] & elements.keys():
                scope, every = library.controls[name].scope, list(elements[name].values())
                if scope == kind == control.scope:
                    ids = self._ids_of(twins)
                    if not all(ids.isdisjoint(some) or ids <= some for some in every):
                        yield [tuple([one.target.id in some for some in every]) for one in twins]
                elif scope not in PLANES:
                    is_known = control.scope in {kind, scope}  # through which element a control counts
                    yield self._of_neighbors(twins, scope, every) if is_known else range(len(twins))

    def _ids_of(self, twins: Sequence[Finding]) -> frozenset[str]:
        found = self._ids.get(id(twins))
        if found is None:
            found = self._ids[id(twins)] = frozenset([one.target.id for one in twins])
        return found

    def _of_neighbors(
        self, twins: Sequence[Finding], scope: Kind, every: Sequence[AbstractSet[str]]
    ) -> Sequence[Hashable]:
        """What is assumed of the neighbors of each twin, one by one."""
        neighbors = self._neighbors.get((id(twins), scope))
        if neighbors is None:
            related = self._assessment.graph.related
            neighbors = self._neighbors[id(twins), scope] = [related(one.target, scope).ids for one in twins]
        return [tuple([name in some for some in every for name in ids]) for ids in neighbors]


_Elements = Mapping[bool, AbstractSet[str]]
"""The elements on which a control is assumed to be in place, and to be gone."""


def _parts(
    twins: Iterable[Sequence[Finding]], links: Sequence[ControlLink], states: States
) -> Iterator[tuple[tuple[Counts, ...], Sequence[Sequence[Finding]]]]:
    """The findings for which the controls of these links come into the same states, with what these count for."""
    found: dict[tuple[Counts, ...], list[Sequence[Finding]]] = {}
    for some in twins:
        target = some[0].target
        now = tuple([states.answer(link, target).state.counts for link in links])
        found.setdefault(now, []).append(some)
    yield from found.items()
