"""A story in words, the same in a check, a report and everywhere else: what it is, what shows it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Question
from threatmodel.assessment.states import shown
from threatmodel.assessment.stories import Story
from threatmodel.model.vocabulary import Look
from threatmodel.reading.problems import Place
from threatmodel.render.plain import STATE

_MOST_TOPICS = 4
_MOST_FACTS = 2


class _LookWords(NamedTuple):
    what: str
    do: str


_LOOKS: Mapping[Look, _LookWords] = {
    "handler": _LookWords(
        "Not known of the code",
        "read it, or ask who wrote it, and answer with tm ask",
    ),
    "deployment": _LookWords(
        "Not known of the set-up",
        "name the template as evidence, which answers most of it, and the rest with tm ask",
    ),
    "data": _LookWords("Not known of the data", "say it with tm ask"),
    "platform": _LookWords(
        "Not known of the platform",
        "describe it once for all systems, in a file under uses; tm ask goes through it",
    ),
}
"""What one look answers: what is not known, and how it gets known."""


def asks(questions: Sequence[Question]) -> str:
    """What is asked: the one question, or what they have in common and what each is about."""
    first = questions[0]
    if len(questions) == 1 or first.look is None:
        return first.ask
    topics = list(dict.fromkeys(_topic(question) for question in questions))
    more = f" and {len(topics) - _MOST_TOPICS} more" if len(topics) > _MOST_TOPICS else ""
    return f"{_LOOKS[first.look].what}: {', '.join(topics[:_MOST_TOPICS])}{more} ({len(questions)} questions)"


def _topic(question: Question) -> str:
    return question.id.rpartition(".")[2].replace("-", " ").replace("_", " ")


def shows(story: Story) -> str:
    """What shows that a known story is so: the value at fault, with what to know of it, or what is wanting."""
    at_fault = story.cause
    if at_fault is not None and at_fault.item is not None:
        said = at_fault.item.said
        value = f"{at_fault.item.fact}: {shown(at_fault.item.value)}"
        return f"{value} ({said.note})" if said.note else value
    return ", ".join(f"{control} {STATE[state]}" for control, state in story.wanting[:_MOST_FACTS])


def place(story: Story) -> Place | None:
    """Where what shows it stands, if it stands in a file."""
    at_fault = story.cause
    return at_fault.item.said.place if at_fault is not None and at_fault.item is not None else None


def orders(story: Story, assessment: Assessment) -> str:
    """What to do first: what would put the control at fault in place, or how to answer."""
    if story.questions:
        return _answering(story.questions)
    return "; ".join(_deeds(story, assessment))


def _deeds(story: Story, assessment: Assessment) -> Iterator[str]:
    names = dict.fromkeys(name for name, _ in story.wanting)
    if story.cause is not None:
        names = {story.cause.state.control: None, **names}
    deeds = [assessment.library.controls[name].do for name in names]
    yield from deeds[:1]
    if len(deeds) > 1 and story.cause is not None:
        yield f"and {len(deeds) - 1} more"


def _answering(questions: Sequence[Question]) -> str:
    """What an answer is: the facts to state, or whose word."""
    question = questions[0]
    if len(questions) > 1 and question.look is not None:
        return _LOOKS[question.look].do
    match question.kind:
        case "attest":
            return f"let somebody attest {question.name}"
        case "caller":
            return "say at each route whether Slack calls it"
        case "public":
            return "say at each whether it is meant to be public"
        case "describe":
            return _LOOKS["platform"].do
        case _:
            facts = question.facts or (question.name,)
            more = f" and {len(facts) - _MOST_FACTS} more" if len(facts) > _MOST_FACTS else ""
            return f"state {', '.join(facts[:_MOST_FACTS])}{more}, or let evidence show it"
