"""A issue in words, the same in a check, a report and everywhere else: what it is, what shows it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Question
from threatmodel.assessment.issues import Issue
from threatmodel.assessment.states import Support, shown
from threatmodel.model.vocabulary import FACTS, Look
from threatmodel.reading.problems import Place
from threatmodel.render.plain import STATE

_MOST_FACTS = 2


class _LookWords(NamedTuple):
    of: str
    do: str


_LOOKS: Mapping[Look, _LookWords] = {
    "handler": _LookWords("the code", "read the code, or ask who wrote it, and answer with tm ask"),
    "deployment": _LookWords(
        "the set-up", "name the template as evidence, which answers most of it, and the rest with tm ask"
    ),
    "data": _LookWords("the data", "say it with tm ask"),
    "platform": _LookWords(
        "the platform", "describe it once for all systems, in a file under uses; tm ask goes through it"
    ),
}
"""What one look answers: what is looked at, and how it gets known."""


_LEFT_OPEN = "the evidence leaves it open: answer with tm ask"


def asks(issue: Issue) -> str:
    """What is asked: what the first finding waits for, and how many other questions the same look answers."""
    deciding = (question for question in issue.questions if issue.head.id in question.decides)
    first = next(deciding, issue.questions[0])
    more = len(issue.questions) - 1
    if first.look is None or not more:
        return first.ask
    return f"{first.ask} And {more} more question{'s' if more > 1 else ''} about {_LOOKS[first.look].of}"


def shows(issue: Issue) -> str:
    """What shows that a known issue is so: the values at fault, with what to know of them, or what is wanting."""
    items = issue.cause.items if issue.cause is not None else ()
    written = [item for item in items if not item.said.omitted] or items[:1]
    told = [_value(item) for item in written[:_MOST_FACTS]]
    return "; ".join(told) or ", ".join(f"{name} {STATE[state]}" for name, state in issue.wanting[:_MOST_FACTS])


def _value(item: Support) -> str:
    value = f"{item.fact}: {shown(item.value)}"
    return f"{value} ({item.said.note})" if item.said.note else value


def place(issue: Issue) -> Place | None:
    """Where what shows it stands, if it stands in a file."""
    items = issue.cause.items if issue.cause is not None else ()
    return items[0].said.place if items else None


def orders(issue: Issue, assessment: Assessment) -> str:
    """What to do first: what would put the control at fault in place, or how to answer."""
    if issue.questions:
        return _answering(issue.questions, read=bool(assessment.graph.evidence))
    return "; ".join(_deeds(issue, assessment))


def _deeds(issue: Issue, assessment: Assessment) -> Iterator[str]:
    names = dict.fromkeys(name for name, _ in issue.wanting)
    if issue.cause is not None:
        names = {issue.cause.state.control: None, **names}
    deeds = [assessment.library.controls[name].do for name in names]
    yield from deeds[:1]
    if len(deeds) > 1 and issue.cause is not None:
        yield f"and {len(deeds) - 1} more"


def _answering(questions: Sequence[Question], *, read: bool) -> str:
    """What an answer is: the facts to state, or whose word; `read`: evidence is named that leaves it open."""
    question = questions[0]
    if len(questions) > 1 and question.look is not None:
        return _LEFT_OPEN if read and question.look == "deployment" else _LOOKS[question.look].do
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
            facts = _to_state(question)
            more = f" and {len(facts) - _MOST_FACTS} more" if len(facts) > _MOST_FACTS else ""
            return f"state {', '.join(facts[:_MOST_FACTS])}{more}, or let evidence show it"


def _to_state(question: Question) -> Sequence[str]:
    """The names to state; of a derived fact, what it follows from."""
    rows = [FACTS[question.of][name] for name in question.facts]
    names = [given.name for row in rows for given in row.follows_from] or [row.name for row in rows]
    return names or [question.name]
