"""Answers in three values: what single statements say becomes one answer only if nothing unknown could change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import wraps
from typing import NamedTuple

from threatmodel.evidence.answers import AnalysisFunction, Answer, Gathered, Outcome, Unanswered
from threatmodel.evidence.policies.grants import Grant
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown, unknowns

MOST_PLACES = 12
"""Places that one answer names."""


class Verdict(NamedTuple):
    """What one statement says to a question: yes, no, or (None) that nobody can tell, and `note` why."""

    truth: bool | None
    place: Place
    note: str = ""


def unknown(found: Unknown) -> Verdict:
    """That nobody can tell because of something unknown."""
    return Verdict(None, found.place, found.why)


def unless_open(grant: Grant, verdict: Verdict, *, decides: bool = True) -> Verdict:
    """A verdict on a statement; none, where it would decide and the statement itself may be another or not exist.

    `decides` is the truth of which one is enough for the question as a whole.
    """
    if grant.open is not None and (not grant.actions or verdict.truth is decides):
        return unknown(grant.open)
    return verdict


def some(verdicts: Iterable[Verdict], parts: Sequence[Gathered]) -> Outcome:
    """Whether one says yes: a yes decides; else what is unknown; else no, which rests on everything gathered."""
    found = list(verdicts)
    if any(one.truth for one in found):
        return answer(value=True, verdicts=[one for one in found if one.truth])
    open_one = next((one for one in found if one.truth is None), None)
    if open_one is not None:
        return Unanswered(open_one.note, open_one.place)
    return Answer(False, tuple(places(parts)))  # noqa: FBT003 - an answer's value


def every(verdicts: Iterable[Verdict], parts: Sequence[Gathered]) -> Outcome:
    """Whether all say yes: a no decides; else what is unknown; else yes.  Nothing where there are none."""
    found = list(verdicts)
    if any(one.truth is False for one in found):
        return answer(value=False, verdicts=[one for one in found if one.truth is False])
    open_one = next((one for one in found if one.truth is None), None)
    if open_one is not None:
        return Unanswered(open_one.note, open_one.place)
    return answer(value=True, verdicts=found) if found and parts else None


def answer(*, value: bool, verdicts: Sequence[Verdict]) -> Answer:
    """An answer that rests on some verdicts, with the first one's note."""
    found = dict.fromkeys(one.place for one in verdicts)
    return Answer(value, tuple(found)[:MOST_PLACES], next((one.note for one in verdicts if one.note), ""))


def places(parts: Sequence[Gathered]) -> list[Place]:
    """Where what was gathered stands."""
    return list(dict.fromkeys(part.node.place for part in parts))[:MOST_PLACES]


# --- what defaults would give


def with_usual(analysis: AnalysisFunction) -> AnalysisFunction:
    """An analysis that also says what it would answer if what is unknown were as parameter defaults give it."""

    @wraps(analysis)
    def asked(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
        outcome = analysis(parts, resource, stack)
        if isinstance(outcome, Unanswered) and any(_has_usual(part) for part in parts):
            again = analysis(list(_usual_parts(parts)), resource, stack)
            if isinstance(again, Answer):
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
            return Table(dict(_kept(entries.items())), place, keys)
        case List(items=children, place=place, given=given):
            return List(tuple(kept for child in children if (kept := _usual(child)) is not None), place, given)
        case Joined(parts=parts) if any(isinstance(part, Unknown) and part.usual is not None for part in parts):
            return _usual_text(node)
        case _:
            return node


def _kept(pairs: Iterable[tuple[str, Node]]) -> Iterator[tuple[str, Node]]:
    return ((name, kept) for name, child in pairs if (kept := _usual(child)) is not None)


def _usual_text(node: Joined) -> Node:
    given = list(node.given)
    parts: list[str | Link | Unknown] = []
    for part in node.parts:
        if isinstance(part, Unknown) and isinstance(part.usual, Scalar) and part.usual.value is not None:
            parts.append(str(part.usual.value))
            given += [name for name in (*part.given, *part.usual.given) if name not in given]
        else:
            parts.append(part)
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        return Scalar("".join(texts), node.place, tuple(given))
    return Joined(tuple(parts), node.place, tuple(given))


def registered(**analyses: Callable[[Sequence[Gathered], Resource, Stack], Outcome]) -> dict[str, AnalysisFunction]:
    """Analyses by their names (an underline stands for a hyphen), each also saying what defaults would give."""
    return {name.replace("_", "-"): with_usual(function) for name, function in analyses.items()}
