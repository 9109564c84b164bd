"""What a question about a file is answered: one value, known or unknown with its reason, and how several become one.

A known value is a yes or no, a number or a word (None: known not to be set), with the places that it rests on.  One
that rests on something that may not exist is in doubt: where it would decide, it alarms and proves nothing, and where
others decide, it says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Joined, Node, Scalar, Unknown, unknowns

NOT_UNDERSTOOD = "the value cannot be read"
_MOST_NOTES = 6
"""Notes that one answer tells."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """One value that a source of a `gather` led to.

    `part` is the source's `as`; `node` the value there (the resource's properties if the source has no path; an
    Unknown where it leads to something that cannot be read); `resource` where that is.
    """

    part: str
    node: Node
    resource: Resource

    @property
    def hidden(self) -> Unknown | None:
        """Return why a part that is a whole resource cannot be read as one."""
        return self.node if isinstance(self.node, Unknown) else self.resource.opaque


class Answered(NamedTuple):
    """The value of a fact, the places that it rests on (the first is cited), and what a reader should know.

    `doubt`: nothing that it rests on may exist, and then the value is another one.
    """

    value: Any
    places: tuple[Place, ...]
    note: str = ""
    doubt: Unknown | None = None


class Unanswered(NamedTuple):
    """That the value is unknown, with the reason and its place.

    `stands` is the value in the file, which something unread may change.
    """

    why: str
    place: Place
    stands: Answered | None = None


Answer: TypeAlias = "Answered | Unanswered"
Outcome: TypeAlias = "Answered | Unanswered | None"
"""None: nothing was said, and the next place may say something."""

AnalysisFunction: TypeAlias = "Callable[[Sequence[Gathered], Resource, Stack], Outcome]"
"""From what was gathered for an element, which resource that is, and the stack around it."""

# --- truths


def all_of(truths: Iterable[bool | None]) -> bool | None:
    """Whether all are true; None for unknown."""
    found = tuple(truths)
    return False if False in found else None if None in found else True


def one_of(truths: Iterable[bool | None]) -> bool | None:
    """Whether one is true; None for unknown."""
    found = tuple(truths)
    return True if True in found else None if None in found else False


def opposite(truth: bool | None) -> bool | None:  # noqa: FBT001 - a truth of three values is the whole argument
    """Whether it is false; None for unknown."""
    return None if truth is None else not truth


# --- one answer


def yes(place: Place, note: str = "") -> Answered:
    """Return a yes that rests on one place."""
    return Answered(value=True, places=(place,), note=note)


def no(place: Place, note: str = "") -> Answered:
    """Return a no that rests on one place."""
    return Answered(value=False, places=(place,), note=note)


def said(truth: bool | None, place: Place, why: str = NOT_UNDERSTOOD) -> Answer:  # noqa: FBT001 - as above
    """Return a truth as an answer; `why` where it is unknown."""
    return Unanswered(why, place) if truth is None else Answered(truth, (place,))


def unknown(found: Unknown) -> Unanswered:
    """Return that the answer is unknown because of something unknown."""
    return Unanswered(found.why, found.place)


def open_at(node: Node) -> Unanswered:
    """Return that a value is not known, for its own reason."""
    first = next(unknowns(node), None) if isinstance(node, Joined | Unknown) else None
    return Unanswered(first.why if first is not None else NOT_UNDERSTOOD, node.place)


def doubted(answer: Answer, doubt: Unknown | None) -> Answer:
    """Return an answer that rests on something whose existence depends on something else."""
    return answer if doubt is None or isinstance(answer, Unanswered) else answer._replace(doubt=answer.doubt or doubt)


def doubt_of(resource: Resource, element: Resource) -> Unknown | None:
    """Return what the existence of a resource depends on, unless the element depends on the same."""
    doubt = resource.doubt
    return None if doubt is None or (element.doubt is not None and element.doubt.why == doubt.why) else doubt


def judged(
    parts: Iterable[Gathered], element: Resource, judge: Callable[[Gathered], Answer | None]
) -> Iterator[Answer]:
    """Return what each part says: unknown where it cannot be read, in doubt where it may not exist with the element."""
    for part in parts:
        answer = judge(part) if part.hidden is None else unknown(part.hidden)
        if answer is not None:
            yield doubted(answer, doubt_of(part.resource, element))


# --- several answers


def some(answers: Iterable[Answer], note: str = "", otherwise: str = "", *, parts: Sequence[Gathered] = ()) -> Outcome:
    """Whether one is a yes, where none of the others could change that.

    `note` goes with yes, `otherwise` with no.  A no rests on all `parts`, where these are given: that none says yes is
    enough then.  None where there is nothing to ask about.
    """
    return _decided(tuple(answers), (note, otherwise), parts, value=True)


def every(answers: Iterable[Answer], note: str = "", otherwise: str = "") -> Outcome:
    """Whether all are a yes; a sure no decides.  None where there is nothing to ask about."""
    return _decided(tuple(answers), (otherwise, note), (), value=False)


def _decided(answers: Sequence[Answer], notes: tuple[str, str], parts: Sequence[Gathered], *, value: bool) -> Outcome:
    """The value of which one is enough; else what is unknown; else the other one, if something surely has it."""
    known = [one for one in answers if isinstance(one, Answered)]
    sure = [one for one in known if one.doubt is None]
    if deciding := [one for one in sure if one.value is value]:
        return _together(deciding, notes[0])
    for one in answers:
        if isinstance(one, Unanswered):
            return one
        if one.value is value and one.doubt is not None:
            usual = one.doubt.usual  # it alarms unless defaults leave out what it rests on
            out = isinstance(usual, Scalar) and usual.value is False
            return Unanswered(one.doubt.why, one.doubt.place, stands=None if out else one)
    if parts:
        return Answered(not value, places(parts))
    return _together(sure or known, notes[1])._replace(doubt=None if sure else known[0].doubt) if known else None


def _together(answers: Sequence[Answered], note: str) -> Answered:
    """Equal answers as one, with the places of all, and their notes unless it has one."""
    notes = [note] if note else list(dict.fromkeys(one.note for one in answers if one.note))
    more = f"; {len(notes) - _MOST_NOTES} more" if len(notes) > _MOST_NOTES else ""
    found = tuple(dict.fromkeys(place for one in answers for place in one.places))
    return Answered(answers[0].value, found, "; ".join(notes[:_MOST_NOTES]) + more)


def worst(answers: Iterable[Answer], order: Sequence[Any]) -> Outcome:
    """Return what comes first in an order of values: the first of the order decides, whatever is unknown beside it."""
    found = tuple(answers)
    known = [one for one in found if isinstance(one, Answered)]
    first = min((order.index(one.value) for one in known), default=None)
    hidden = next((one for one in found if isinstance(one, Unanswered)), None)
    if first is None or (hidden is not None and first):
        return hidden
    return _together([one for one in known if one.value == order[first]], "")


def covered(by: Iterable[tuple[str, Answer]], wanted: Sequence[str], missing: str) -> Outcome:
    """Whether everything wanted is covered by something that surely is there: yes, or unknown where some of it is.

    What a file lacks may be in another file, so the answer is never no.
    """
    answers = tuple(by)
    found = {what: one for what, one in answers if isinstance(one, Answered) and one.value and one.doubt is None}
    if all(what in found for what in wanted):
        return _together([found[what] for what in wanted], "")
    for _, one in answers:
        if isinstance(one, Unanswered):
            return one
        if one.value and one.doubt is not None:
            return unknown(one.doubt)
    return Unanswered(missing, next(iter(found.values())).places[0]) if found else None


def places(parts: Iterable[Gathered]) -> tuple[Place, ...]:
    """Return the places of what was gathered, each once."""
    return tuple(dict.fromkeys(part.node.place for part in parts))


def named(parts: Sequence[Gathered], *names: str) -> tuple[Gathered, ...]:
    """Return the parts of some names."""
    return tuple(part for part in parts if part.part in names)


def unless_unread(outcome: Outcome, stack: Stack, good: Sequence[bool | str | int]) -> Outcome:
    """Return an outcome, or that it is unknown because an unread part of the file might undo a good one."""
    if isinstance(outcome, Answered) and outcome.value in good and stack.unread:
        first = stack.unread[0]
        return Unanswered(f"{first.name} may hold more of these: {first.why}", first.place, stands=outcome)
    return outcome
