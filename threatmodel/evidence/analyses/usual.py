"""What an analysis would answer if parameters had their defaults, beside that it cannot answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import wraps

from threatmodel.evidence.answers import AnalysisFunction, Answered, Gathered, Outcome, Unanswered
from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.texts import joined
from threatmodel.stacks.values import Joined, List, Node, Scalar, Table, Unknown, unknowns


def with_usual(analysis: AnalysisFunction) -> AnalysisFunction:
    """An analysis that also says what it would answer if what is unknown were as parameter defaults give it."""

    @wraps(analysis)
    def asked(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
        outcome = analysis(parts, resource, stack)
        if isinstance(outcome, Unanswered) and any(_has_usual(part) for part in parts):
            usual = list(_usual_parts(parts))
            again = analysis(usual, resource, stack) if usual else None
            if isinstance(again, Answered):
                return outcome._replace(usual=again)
        return outcome

    return asked


def _has_usual(part: Gathered) -> bool:
    doubt = part.resource.doubt
    return (doubt is not None and doubt.usual is not None) or any(one.usual is not None for one in unknowns(part.node))


def _usual_parts(parts: Sequence[Gathered]) -> Iterator[Gathered]:
    for part in parts:
        doubt, resource = part.resource.doubt, part.resource
        if doubt is not None and isinstance(doubt.usual, Scalar):
            if doubt.usual.value is not True:
                continue
            resource = replace(resource, doubt=None)
        node = _usual(part.node)
        if node is not None:
            yield Gathered(part.part, node, resource)


def _usual(node: Node) -> Node | None:
    """The node as defaults make it; None where they leave it out."""
    match node:
        case Unknown(usual=Scalar(value=None)):
            return None
        case Unknown(usual=usual) if usual is not None:
            return _usual(usual)
        case Table(entries=entries, place=place, keys=keys):
            found = {name: kept for name, child in entries.items() if (kept := _usual(child)) is not None}
            return Table(found, place, keys)
        case List(items=children, place=place, given=given):
            return List(tuple(kept for child in children if (kept := _usual(child)) is not None), place, given)
        case Joined(parts=parts) if any(isinstance(part, Unknown) and part.usual is not None for part in parts):
            return _usual_text(node)
        case _:
            return node


def _usual_text(node: Joined) -> Node:
    pieces: list[Node | str] = []
    for part in node.parts:
        if isinstance(part, Unknown) and isinstance(part.usual, Scalar) and part.usual.value is not None:
            pieces.append(part.usual._replace(given=(*part.given, *part.usual.given)))
        else:
            pieces.append(part)
    return joined([Scalar("", node.place, node.given), *pieces], node.place)
