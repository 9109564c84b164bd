"""An issue in words, the same in a check, a report and everywhere else: what it is, what shows it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Question
from threatmodel.assessment.control_state import ControlState, Support, shown
from threatmodel.assessment.issues import Issue
from threatmodel.model.vocabulary import FACTS, AnsweredFrom
from threatmodel.reading.problems import Place, listed
from threatmodel.render.plain import STATE
from threatmodel.render.report.words import counted

_MOST_FACTS = 2
_MOST_NAMES = 3
_MOST_REASONS = 3
_FEW = 2
"""Reasons that are left out, at least: one is as short as the sentence that it is left out."""


class _TopicWords(NamedTuple):
    of: str
    do: str


_TOPICS: Mapping[AnsweredFrom, _TopicWords] = {
    "handler": _TopicWords("the code", "read the code or ask its author, then answer with tm ask"),
    "deployment": _TopicWords(
        "the setup", "name the template as evidence, which answers most of them, and answer the rest with tm ask"
    ),
    "data": _TopicWords("the data", "answer with tm ask"),
    "platform": _TopicWords(
        "the platform", "describe it once for all systems, in a file under uses; tm ask guides you through it"
    ),
}
"""What the questions of a topic are about, and how to answer them."""


_LEFT_OPEN = "answer with tm ask, because the evidence does not decide them"

_LABELS: Mapping[ControlState, str] = {
    "absent": "Not in place",
    "planned": "Planned, not in place",
    "contradicted": "Contradicted by evidence",
    "ineffective": "Ineffective",
    "lapsed": "Attestation lapsed",
}


def title(issue: Issue, assessment: Assessment) -> str:
    """Return what an issue is called: its only threat, the control whose lack causes it, or what is asked."""
    if issue.questions:
        return _asked(issue)
    if len(issue.threats) == 1 or issue.cause is None:
        return issue.head.threat.title
    control = assessment.library.controls[issue.cause.state.control]
    others = len({name for name, _ in issue.missing} - {control.id})
    more = f", and {others} more control{'s' if others > 1 else ''}" if others else ""
    name, _, claim = control.title.partition(": ")
    named = f"{name} ({claim})" if claim else name
    return f"{_LABELS.get(issue.cause.state.state, 'Not in place')}: {named}{more}"


def _asked(issue: Issue) -> str:
    """The only question, or how many questions there are, about what, and which facts they ask for."""
    first = issue.questions[0]
    if len(issue.questions) == 1 or first.answered_from is None:
        return first.ask
    names = dict.fromkeys(name for question in issue.questions for name in question.facts or (question.name,))
    number = f"{len(issue.questions)} open questions about {_TOPICS[first.answered_from].of}"
    return f"{number}: {listed(tuple(names), _MOST_NAMES, 'fact')}"


def asks(issue: Issue) -> str:
    """Return the question that comes first, with the names of the facts that it asks for."""
    deciding = (question for question in issue.questions if issue.head.id in question.decides)
    first = next(deciding, issue.questions[0])
    if len(issue.questions) == 1 or first.answered_from is None:
        return f"unknown: {listed(first.facts or (first.name,), _MOST_NAMES, 'fact')}"
    return first.ask if len(first.facts) < _MOST_FACTS else f"{first.ask}: {listed(first.facts, _MOST_NAMES, 'fact')}"


def shows(issue: Issue) -> str:
    """Return the values that cause a known issue, with their notes, or the missing controls."""
    items = issue.cause.items if issue.cause is not None else ()
    written = [item for item in items if not item.said.omitted] or items[:1]
    values = [_value(item) for item in written[:_MOST_FACTS]]
    return "; ".join(values) or ", ".join(f"{name} {STATE[state]}" for name, state in issue.missing[:_MOST_FACTS])


def _value(item: Support) -> str:
    value = f"{item.fact}: {shown(item.value)}"
    return f"{value} ({_brief(item.said.remark)})" if item.said.remark else value


def _brief(remark: str) -> str:
    """Return the first reasons of a remark, how many more there are, and the last one, which says what to do."""
    first, rest = (reasons := remark.split("; "))[:_MOST_REASONS], reasons[_MOST_REASONS:-1]
    if len(rest) < _FEW:
        return remark
    return "; ".join([*first, counted(len(rest), "more reason"), reasons[-1]])


def place(issue: Issue) -> Place | None:
    """Return where the cause is, if it is in a file."""
    items = issue.cause.items if issue.cause is not None else ()
    return items[0].said.place if items else None


def next_steps(issue: Issue, assessment: Assessment) -> str:
    """Return what to do first: put the missing control in place, or answer."""
    if issue.questions:
        return _answering(issue.questions, read=bool(assessment.graph.evidence))
    return "; ".join(_actions(issue, assessment))


def _actions(issue: Issue, assessment: Assessment) -> Iterator[str]:
    names = dict.fromkeys(name for name, _ in issue.missing)
    if issue.cause is not None:
        names = {issue.cause.state.control: None, **names}
    steps = [assessment.library.controls[name].do for name in names]
    yield from steps[:1]
    if len(steps) > 1 and issue.cause is not None:
        yield f"then put {counted(len(steps) - 1, 'more control')} in place"


def _answering(questions: Sequence[Question], *, read: bool) -> str:
    """How to answer: the facts to state, or what to attest; `read`: evidence is named that leaves it open."""
    question = questions[0]
    if len(questions) > 1 and question.answered_from is not None:
        return _LEFT_OPEN if read and question.answered_from == "deployment" else _TOPICS[question.answered_from].do
    if question.hint:
        return question.hint
    facts = _to_state(question)
    return f"state {listed(facts, _MOST_FACTS, 'fact')}, or let evidence show it"


def _to_state(question: Question) -> Sequence[str]:
    """The names to state; of a derived fact, what it follows from."""
    rows = [FACTS[question.of][name] for name in question.facts]
    names = [given.name for row in rows for given in row.follows_from] or [row.name for row in rows]
    return names or [question.name]
