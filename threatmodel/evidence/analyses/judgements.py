"""Answers in three values: what single statements say becomes one answer only if nothing unknown could change it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered
from threatmodel.evidence.policies.grants import Grant
from threatmodel.reading.problems import Place
from threatmodel.stacks.values import Unknown

MOST_PLACES = 12
"""Places that one answer names."""
_MOST_NOTES = 6
"""Notes that one answer tells."""


class Judgement(NamedTuple):
    """What one statement answers to a question: yes, no, or None for unknown, and `note` why."""

    truth: bool | None
    place: Place
    note: str = ""


def unknown(found: Unknown) -> Judgement:
    """Return that the answer is unknown because of something unknown."""
    return Judgement(None, found.place, found.why)


def unless_open(grant: Grant, judgement: Judgement, *, decides: bool = True) -> Judgement:
    """Return a judgment on a statement; none if it would decide, and the statement itself may differ or not exist.

    `decides` is the truth of which one is enough for the question as a whole.
    """
    if grant.open is not None and (not grant.actions or judgement.truth is decides):
        return unknown(grant.open)
    return judgement


def some(judgements: Iterable[Judgement], parts: Sequence[Gathered]) -> Outcome:
    """Whether one says yes: a yes decides; else what is unknown; else no, which rests on everything gathered."""
    found = list(judgements)
    if any(one.truth for one in found):
        return answer(value=True, judgements=[one for one in found if one.truth])
    open_one = next((one for one in found if one.truth is None), None)
    if open_one is not None:
        return Unanswered(open_one.note, open_one.place)
    return Answered(False, tuple(places(parts)))  # noqa: FBT003 - an answer's value


def every(judgements: Iterable[Judgement], parts: Sequence[Gathered]) -> Outcome:
    """Whether all say yes: a no decides; else what is unknown; else yes.  Nothing where there are none."""
    found = list(judgements)
    if any(one.truth is False for one in found):
        return answer(value=False, judgements=[one for one in found if one.truth is False])
    open_one = next((one for one in found if one.truth is None), None)
    if open_one is not None:
        return Unanswered(open_one.note, open_one.place)
    return answer(value=True, judgements=found) if found and parts else None


def answer(*, value: bool, judgements: Sequence[Judgement]) -> Answered:
    """Return an answer that is based on some judgments, with all their notes."""
    found = dict.fromkeys(one.place for one in judgements)
    notes = tuple(dict.fromkeys(one.note for one in judgements if one.note))
    more = f"; {len(notes) - _MOST_NOTES} more" if len(notes) > _MOST_NOTES else ""
    return Answered(value, tuple(found)[:MOST_PLACES], "; ".join(notes[:_MOST_NOTES]) + more)


def places(parts: Sequence[Gathered]) -> list[Place]:
    """Return the place of what was gathered."""
    return list(dict.fromkeys(part.node.place for part in parts))[:MOST_PLACES]
