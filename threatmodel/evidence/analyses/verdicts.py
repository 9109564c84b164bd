"""Answers in three values: what single statements say becomes one answer only if nothing unknown could change it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from threatmodel.evidence.answers import Answer, Gathered, Outcome, Unanswered
from threatmodel.evidence.policies.grants import Grant
from threatmodel.reading.problems import Place
from threatmodel.stacks.values import Unknown

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
