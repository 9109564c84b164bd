"""The states of controls on elements, as findings have them: read for each element, computed once for all twins."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Finding, Group
from threatmodel.assessment.control_state import ControlState, State
from threatmodel.assessment.risk import MOVES
from threatmodel.graph.elements import NEIGHBORS, Element, Flow, Graph
from threatmodel.model.facts import STATED
from threatmodel.model.vocabulary import PLANES, Kind
from threatmodel.reading.values import new_tuple


class Role(NamedTuple):
    """Where an element is in the neighborhood of a target: at an end of a flow, and there the only neighbor of a kind.

    `end` is '' for the target itself; without a `scope` it is the target, or its end.  `fixed` is the element itself,
    where it is the same for all twins.
    """

    end: str = ""
    scope: Kind | None = None
    fixed: str = ""


def role_of(graph: Graph, target: Element | Flow, element: str) -> Role | None:
    """Return where an element is as seen from a target; None where it is not in its neighborhood."""
    if element == target.id:
        return Role()
    if element in PLANES:
        return Role(fixed=element)
    if isinstance(target, Flow):
        for end in ("source", "target"):
            node = graph.elements[getattr(target, end)]
            if node.id == element:
                return Role(end)
            if found := _neighbor(graph, node, element):
                return found._replace(end=end)
        return None
    return _neighbor(graph, target, element)


def _neighbor(graph: Graph, node: Element, element: str) -> Role | None:
    for scope in NEIGHBORS.get(node.kind, ()):
        if graph.related(node, scope).ids == (element,):
            return Role(scope=scope)
    return None


def in_role(graph: Graph, target: Element | Flow, role: Role) -> str | None:
    """Return the element that has a role in the neighborhood of a target; None where none, or no other, has it."""
    if role.fixed:
        return role.fixed
    name: str = getattr(target, role.end) if role.end else target.id
    if role.scope is None:
        return name
    ids = graph.related(graph.elements[name], role.scope).ids
    return ids[0] if len(ids) == 1 else None


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
    assessment: Assessment, group: Group, at: int, known: Collection[str] = ()
) -> Iterator[tuple[str, Standing]]:
    """Return the element on which an answer's control is in the state that counts, for each finding of a group.

    Whatever the threat, a control is in the same state: the elements in `known` are left out.
    """
    graph = assessment.graph
    for some in group.twins:
        alike = some[0].answers[at].state
        role = role_of(graph, some[0].target, alike.element)
        if role == Role():
            new = [one for one in some if one.target.id not in known] if known else some
            yield from [(one.target.id, new_tuple(Standing, (alike, one, at))) for one in new]
            continue
        for finding in some:
            element = in_role(graph, finding.target, role) if role is not None else None
            element = element or finding.answers[at].state.element
            if element not in known:
                yield element, Standing(alike, finding, at)


class Relying(NamedTuple):
    """The findings that rely on a claimed control to be within the accepted level, and the elements that it is on."""

    findings: list[Finding]
    elements: dict[str, Standing]


def only_claimed(assessment: Assessment) -> Mapping[tuple[str, ControlState], Relying]:
    """Return the controls that are only claimed, by id and state, with what relies on them."""
    found: dict[tuple[str, ControlState], Relying] = {}
    for group in assessment.groups:
        if group.head.applies and group.head.verdict == "unproven":
            for at, (link, state, _) in enumerate(group.head.answers):
                if state.level == STATED and link.effect in MOVES:
                    relying = found.setdefault((state.control, state.state), Relying([], {}))
                    relying.findings.extend(group.findings)
                    for element, standing in sorted(
                        standings(assessment, group, at), key=lambda one: one[1].finding.id
                    ):
                        relying.elements.setdefault(element, standing)
    return found
