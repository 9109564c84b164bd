"""Whether a role may do more than its function uses: its rights held against what somebody else says of the function.

The grants are no witness of their own use.  What the function uses is told by the model's lists (word), or by the calls
that somebody saw it make (evidence): only what was seen proves that a role allows no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.relations.found import FunctionRelations, Use
from threatmodel.evidence.relations.rights import RELATIONS
from threatmodel.model.facts import Statement
from threatmodel.model.system import Node, Reference
from threatmodel.reading.problems import Place

_MAY = {"reads": "read", "writes": "write", "sends": "send to", "secrets": "read", "invokes": "call"}


def unused(
    node: Node,
    relations: FunctionRelations,
    element_of: Mapping[str, str],
    seen: frozenset[tuple[str, str]] | None,
    place: Place,
) -> Statement | Unanswered | None:
    """What is said of `role_reaches_unused`, with all reasons, the worst first; None where the grants are not known.

    `seen` are the actions (in small letters) that the function was seen to call, each with the resource of the file,
    None where nobody looked; `place` is where the function stands.
    """
    reasons = list(_more(node, relations, element_of))
    if reasons:
        return Statement(value=True, source="template", place=reasons[0][1], note="; ".join(why for why, _ in reasons))
    if any(name in relations.unknown for name in RELATIONS):
        return None
    if relations.beyond:
        told = "; ".join(one.told for one in relations.beyond)
        return Unanswered(f"nothing shows whether it uses {told}", relations.beyond[0].place)
    if seen is not None and relations.rights <= seen:
        return _not("template", place, "it was seen to use each action that its role allows, on what it allows it on")
    stated = next((node.relations[name] for name in RELATIONS if name in node.relations), None)
    if not relations.rights:
        return _not("template", place, "its role allows nothing on stores, queues and secrets")
    if stated is not None:
        return _not("model", stated.place, "each grant is for something that the model says it uses")
    return Unanswered("what it uses is read from the grants themselves: nothing else says so", place)


def _not(source: Literal["model", "template"], place: Place, note: str) -> Statement:
    return Statement(value=False, source=source, place=place, note=note)


def _more(node: Node, relations: FunctionRelations, element_of: Mapping[str, str]) -> Iterator[tuple[str, Place]]:
    """What the role surely allows beyond the function's work."""
    yield from ((one.told, one.place) for one in relations.beyond if one.changes)
    yield from ((f"{use.resource}, which nothing else names", use.places[0]) for use in relations.unused)
    if not any(name in node.relations for name in RELATIONS):
        return
    for name in RELATIONS:
        stated = node.relations.get(name)
        known = {one.id for one in stated.items if isinstance(one, Reference)} if stated is not None else set()
        for use in _granted(relations, name):
            element = element_of.get(use.resource)
            if element is not None and element not in known:
                yield f"it may {_MAY[name]} {element}, which the model says it does not", use.places[0]


def _granted(relations: FunctionRelations, name: str) -> Iterator[Use]:
    uses: tuple[Use, ...] = getattr(relations, name)
    return (use for use in uses if "grant" in use.how and "destination" not in use.how)
