"""The states of controls on elements, as findings have them: read for each element, computed once for all twins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Finding, Group
from threatmodel.assessment.risk import MOVES
from threatmodel.assessment.states import ControlState, State
from threatmodel.model.facts import STATED


class Standing(NamedTuple):
    """The state of a control on an element, as one of the answers of a finding has it.

    `alike` is a state that differs from the element's only in the names of elements.
    """

    alike: State
    finding: Finding
    at: int

    @property
    def state(self) -> State:
        """The state of the control on the element."""
        return self.finding.answers[self.at].state


def standings(
    assessment: Assessment, group: Group, at: int, known: set[tuple[str, int]] | None = None
) -> Iterator[tuple[str, Standing]]:
    """Return the element on which an answer's control is in the state that counts, for each finding of a group.

    Whatever the threat, a control is in the same state: what is in `known` (a control, a class of twins) is left out,
    and the rest is added to it.
    """
    twins, control = assessment.states.twins, group.head.threat.links[at].control
    for some in group.twins:
        first = some[0].target
        if known is not None:
            if (control, twins.of[first.id]) in known:
                continue
            known.add((control, twins.of[first.id]))
        alike = some[0].answers[at].state
        role = twins.role(first, alike.element)
        for finding in some:
            standing = Standing(alike, finding, at)
            yield twins.element(finding.target, role) if role is not None else standing.state.element, standing


class Relying(NamedTuple):
    """The findings that rely on a claimed control to be within the accepted level, and the elements that it is on."""

    findings: list[Finding]
    elements: dict[str, Standing]


def only_claimed(assessment: Assessment) -> Mapping[tuple[str, ControlState], Relying]:
    """Return the controls that are only claimed, by id and state, with what relies on them."""
    found: dict[tuple[str, ControlState], Relying] = {}
    for group in assessment.groups:
        if group.head.applies and group.head.verdict == "unproven":
            for at, (link, state) in enumerate(group.head.answers):
                if state.level == STATED and link.effect in MOVES:
                    relying = found.setdefault((state.control, state.state), Relying([], {}))
                    relying.findings.extend(group.findings)
                    for element, standing in sorted(
                        standings(assessment, group, at), key=lambda one: one[1].finding.id
                    ):
                        relying.elements.setdefault(element, standing)
    return found
