"""What findings would be if controls were in place, or gone: only those are judged again that the controls answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Finding, Group
from threatmodel.assessment.outcomes import Counts, Outcome, Outcomes, Situation, outcome_of
from threatmodel.assessment.states import Assumed, States
from threatmodel.library.entries import Control, ControlLink
from threatmodel.model.vocabulary import PLANES, Kind


class Reconsidered(NamedTuple):
    """Findings with the same outcome: as they are, and under other states of their controls."""

    before: Outcome
    after: Outcome
    findings: Sequence[Finding]


class Reconsidering:
    """An assessment whose findings can be judged again; `places` has the place of each finding, by id."""

    def __init__(self, assessment: Assessment) -> None:
        self.places = {finding.id: at for at, finding in enumerate(assessment.findings)}
        self._assessment = assessment
        self._outcomes = Outcomes(assessment.graph.system, assessment.today)
        self._groups: dict[str, list[tuple[int, Group]]] = {}
        self._counts = [tuple([one.state.counts for one in group.head.answers]) for group in assessment.groups]
        self._ids: dict[int, frozenset[str]] = {}
        library = assessment.library
        self._required = {name: frozenset(library.with_required([name])) for name in library.controls}
        for number, group in enumerate(assessment.groups):
            for control in {link.control for link in group.head.threat.links}:
                self._groups.setdefault(control, []).append((number, group))

    def under(self, assumed: Assumed) -> Iterator[Reconsidered]:
        """Yield the findings that a control answers which is assumed, or relies on one that is."""
        states, touched = self._assessment.states.assuming(assumed)
        elements: dict[str, dict[bool, set[str]]] = {}
        for (control, element), in_place in assumed.items():
            elements.setdefault(control, {}).setdefault(in_place, set()).add(element)
        groups = {number: group for control in touched for number, group in self._groups.get(control, ())}
        for number in sorted(groups):
            group, before = groups[number], self._counts[number]
            head = group.head
            places = [at for at, link in enumerate(head.threat.links) if link.control in touched]
            links = [head.threat.links[at] for at in places]
            situation = Situation(head.threat, head.inherent, head.proof, bool(head.applies), head.acceptance)
            controls = [states.library.controls[link.control] for link in links]
            for now, findings in _parts(self._alike(group.twins, controls, elements), links, states):
                counts = [*before]
                for place, one in zip(places, now, strict=True):
                    counts[place] = one
                yield Reconsidered(outcome_of(head), self._outcomes.of(situation, tuple(counts)), findings)

    def _alike(
        self, twins: Iterable[Sequence[Finding]], controls: Sequence[Control], elements: Mapping[str, _Elements]
    ) -> Iterator[Sequence[Finding]]:
        """Twins of which the same is assumed, and each of the others by itself."""
        for some in twins:
            if len(some) == 1 or all(self._same(some, control, elements) for control in controls):
                yield some
            else:
                yield from ((one,) for one in some)

    def _same(self, twins: Sequence[Finding], control: Control, elements: Mapping[str, _Elements]) -> bool:
        """Whether the same is assumed of a control, and of those that it requires, as far as these count for twins."""
        library, kind = self._assessment.library, twins[0].target.kind
        for name in self._required[control.id] & elements.keys():
            scope = library.controls[name].scope
            if scope == kind == control.scope:
                ids = self._ids_of(twins)
                if any(not ids.isdisjoint(some) and not ids <= some for some in elements[name].values()):
                    return False
            elif scope not in PLANES and (
                control.scope not in {kind, scope} or not self._same_neighbors(twins, scope, elements[name])
            ):
                return False
        return True

    def _ids_of(self, twins: Sequence[Finding]) -> frozenset[str]:
        found = self._ids.get(id(twins))
        if found is None:
            found = self._ids[id(twins)] = frozenset([one.target.id for one in twins])
        return found

    def _same_neighbors(self, twins: Sequence[Finding], scope: Kind, elements: _Elements) -> bool:
        """Whether the same is assumed of the neighbors of each twin, one by one."""
        graph, every = self._assessment.graph, list(elements.values())
        first: list[bool] | None = None
        for twin in twins:
            ids = graph.related(twin.target, scope).ids
            found = [one in some for some in every for one in ids]
            if first is not None and found != first:
                return False
            first = found
        return True


_Elements = Mapping[bool, AbstractSet[str]]
"""The elements on which a control is assumed to be in place, and to be gone."""


def _parts(
    twins: Iterable[Sequence[Finding]], links: Sequence[ControlLink], states: States
) -> Iterator[tuple[tuple[Counts, ...], Sequence[Finding]]]:
    """The findings for which the controls of these links come into the same states, with what these count for."""
    found: dict[tuple[Counts, ...], list[Finding]] = {}
    for some in twins:
        target = some[0].target
        now = tuple([states.answer(link, target).state.counts for link in links])
        found.setdefault(now, []).extend(some)
    yield from found.items()
