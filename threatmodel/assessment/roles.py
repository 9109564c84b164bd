"""Which elements correspond in the neighborhoods of two targets that a threat finds alike."""

from __future__ import annotations

from typing import NamedTuple

from threatmodel.graph.elements import NEIGHBORS, Element, Flow, Graph
from threatmodel.model.vocabulary import PLANES, Kind


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
