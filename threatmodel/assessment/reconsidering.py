"""What findings would be if controls were in place, or gone: only those are judged again that the controls answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Finding, Group
from threatmodel.assessment.outcomes import Counts, Outcome, Outcomes, Situation, outcome_of
from threatmodel.assessment.states import Assumed, States
from threatmodel.library.entries import Control


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
        for number, group in enumerate(assessment.groups):
            for control in {link.control for link in group.head.threat.links}:
                self._groups.setdefault(control, []).append((number, group))

    def under(self, assumed: Assumed) -> Iterator[Reconsidered]:
        """Yield the findings that a control answers which is assumed, or relies on one that is."""
        states, touched = self._assessment.states.assuming(assumed)
        alike = _alike(assumed, states)
        groups = {number: group for control in touched for number, group in self._groups.get(control, ())}
        for number in sorted(groups):
            group, before = groups[number], self._counts[number]
            head = group.head
            places = [at for at, link in enumerate(head.threat.links) if link.control in touched]
            controls = [states.library.controls[head.threat.links[at].control] for at in places]
            situation = Situation(head.threat, head.inherent, head.proof, bool(head.applies), head.acceptance)
            for now, findings in _parts(group.twins if alike else [(one,) for one in group.findings], controls, states):
                counts = [*before]
                for place, one in zip(places, now, strict=True):
                    counts[place] = one
                yield Reconsidered(outcome_of(head), self._outcomes.of(situation, tuple(counts)), findings)


def _alike(assumed: Assumed, states: States) -> bool:
    """Whether the same is assumed of all elements on which a control is alike, so that twins still are."""
    elements: dict[tuple[str, bool], list[str]] = {}
    for (control, element), in_place in assumed.items():
        elements.setdefault((control, in_place), []).append(element)
    controls = states.library.controls
    return all(states.twins.are_alike(controls[name], found) for (name, _), found in elements.items())


def _parts(
    twins: Iterable[Sequence[Finding]], controls: Sequence[Control], states: States
) -> Iterator[tuple[tuple[Counts, ...], Sequence[Finding]]]:
    """The findings for which these controls come into the same states, with what these count for."""
    found: dict[tuple[Counts, ...], list[Finding]] = {}
    for some in twins:
        target = some[0].target
        now = tuple([states.counting(control, target).counts for control in controls])
        found.setdefault(now, []).extend(some)
    yield from found.items()
