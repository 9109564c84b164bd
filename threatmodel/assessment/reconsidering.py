"""What findings would be if controls were in place, or gone: only those are judged again that the controls answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Finding, Group
from threatmodel.assessment.outcomes import Counts, Outcome, Outcomes, Situation, outcome_of
from threatmodel.assessment.states import ASSUMED_COUNTS, Assumed, States
from threatmodel.graph.building import Element, Flow
from threatmodel.library.entries import Control
from threatmodel.model.vocabulary import PLANES


class Reconsidered(NamedTuple):
    """Findings with the same outcome: as they are, and under other states of their controls."""

    before: Outcome
    after: Outcome
    findings: Sequence[Finding]


class Reconsidering:
    """An assessment whose findings can be judged again."""

    def __init__(self, assessment: Assessment) -> None:
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
        changed = _Changed(states, touched, {})
        groups = {number: group for control in touched for number, group in self._groups.get(control, ())}
        for number in sorted(groups):
            yield from self._group(groups[number], self._counts[number], changed)

    def _group(self, group: Group, before: tuple[Counts, ...], changed: _Changed) -> Iterator[Reconsidered]:
        head = group.head
        situation = Situation(head.threat, head.inherent, head.proof, bool(head.applies), head.acceptance)
        places = [at for at, link in enumerate(head.threat.links) if link.control in changed.controls]
        for now, findings in _parts(group, places, changed):
            counts = [*before]
            for place, one in zip(places, now, strict=True):
                counts[place] = one
            yield Reconsidered(outcome_of(head), self._outcomes.of(situation, tuple(counts)), findings)


class _Changed(NamedTuple):
    """States as if something were so: the controls that this may change, and what they count for, once computed."""

    states: States
    controls: frozenset[str]
    known: dict[tuple[str, str], Counts]

    def counts(self, control: Control, target: Element | Flow) -> Counts:
        """Return what the state of a control counts for, for a target."""
        found = self.known.get((control.id, target.id))
        if found is None:
            found = self.known[control.id, target.id] = self.states.counting(control, target).counts
        return found


def _parts(
    group: Group, places: Sequence[int], changed: _Changed
) -> Iterator[tuple[tuple[Counts, ...], Sequence[Finding]]]:
    """The findings of a group whose controls at these places come into the same states, with what these count for."""
    head, states = group.head, changed.states
    controls = [states.library.controls[head.threat.links[place].control] for place in places]
    if all(control.scope in PLANES for control in controls):  # of which there is one, whatever the element
        yield tuple([changed.counts(control, head.target) for control in controls]), group.findings
        return
    found: dict[tuple[Counts, ...], list[Finding]] = {}
    if (
        len(controls) == 1
        and controls[0].scope == head.target.kind
        and changed.controls.isdisjoint(controls[0].requires)
    ):
        control, before = controls[0].id, head.answers[places[0]].state.counts  # which all of a group have
        for finding in group.findings:
            assumed = states.assumed.get((control, finding.target.id))
            now = before if assumed is None else ASSUMED_COUNTS[assumed]
            found.setdefault((now,), []).append(finding)
    else:
        for finding in group.findings:
            all_now = tuple([changed.counts(control, finding.target) for control in controls])
            found.setdefault(all_now, []).append(finding)
    yield from found.items()
