"""An issue in words, the same in a check, a report and everywhere else: what it is, what shows it, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from threatmodel.assessment.assessed import Assessment, Finding, Question
from threatmodel.assessment.causes import Cause
from threatmodel.assessment.control_state import ControlState, Support, shown
from threatmodel.assessment.issues import Issue
from threatmodel.assessment.questions import unverified, variables
from threatmodel.model.vocabulary import FACTS, PLANE_SOURCES, AnsweredFrom
from threatmodel.reading.problems import Place, listed
from threatmodel.render.plain import STATE
from threatmodel.render.report.words import counted

_MOST_FACTS = 2
_MOST_NAMES = 3
_MOST_REASONS = 3
_FEW = 2
"""Reasons that are left out, at least: one is as short as the sentence that it is left out."""


_SOURCES: Mapping[AnsweredFrom, str] = {
    "handler": "the code",
    "deployment": "the setup",
    "data": "the data",
    "pipeline": "the pipeline",
    "workspace": "the Slack workspace",
    "platform": "the platform",
}
"""What the questions of a source are about."""

_BY_DEFAULT = "Off by default"
_LABELS: Mapping[ControlState, str] = {
    "absent": "Not in place",
    "planned": "Planned, not in place",
    "contradicted": "Contradicted by evidence",
    "ineffective": "Ineffective",
    "lapsed": "Attestation lapsed",
}


def title(issue: Issue, assessment: Assessment) -> str:
    """Return what an issue is called: its first threat, the control whose lack causes it, or what is asked."""
    if issue.questions:
        return _asked(issue)
    if issue.cause is None or (not issue.by_default and _is_about(issue.head, issue.cause)):
        return issue.head.threat.title
    control = assessment.library.controls[issue.cause.state.control]
    others = len({name for name, _ in issue.missing} - {control.id})
    more = f", and {others} more control{'s' if others > 1 else ''}" if others else ""
    name, _, claim = control.title.partition(": ")
    named = f"{name} ({claim})" if claim else name
    label = _BY_DEFAULT if issue.by_default else _LABELS.get(issue.cause.state.state, "Not in place")
    return f"{label}: {named}{more}"


def _is_about(finding: Finding, cause: Cause) -> bool:
    """Whether a threat names what is shown: its own condition reads that, or the missing control would stop it."""
    moved = [move.conditions[finding.target.kind] for move in finding.threat.raises]
    read = {fact for one in (finding.threat.applies[finding.target.kind], *moved) for fact in one.facts}
    return cause.effect == "stops" or any(item.fact in read for item in cause.items)


def about(issue: Issue) -> str:
    """Return what the questions of a source are about: its name, and the topics."""
    topics = dict.fromkeys(_topic(question) for question in issue.questions)
    return f"{_SOURCES[issue.questions[0].answered_from or 'handler']}: {'; '.join(topics)}"


def about_variables(issue: Issue, assessment: Assessment) -> Iterator[str]:
    """Yield a line on the variables of which it is open whether they hold a secret."""
    found = [why for one in issue.questions for why in variables(assessment.graph, one)]
    if found:
        yield f"variables that may hold a secret: {listed(dict.fromkeys(found), _MOST_REASONS, 'function')}"


def source(question: Question) -> str:
    """Return what answers a question together with others, in words; '' if it is answered alone."""
    return _SOURCES[question.answered_from] if question.answered_from is not None else ""


def _topic(question: Question) -> str:
    return question.ask if question.kind != "fact" else FACTS[question.of][question.name].topic_title


def answering(found: Iterable[Issue], *, read: bool) -> str:
    """Return how to answer the questions of several sources; `read`: evidence is named that leaves them open."""
    sources = {issue.answered_from for issue in found}
    first = ["name the template as evidence"] if "deployment" in sources and not read else []
    shared = sources & {*PLANE_SOURCES.values()}
    last = ["describe the platform once for all systems, in a file under uses"] if shared else []
    return "; ".join([*first, "answer with tm ask", *last])


def _asked(issue: Issue) -> str:
    """The only question, or what several are about that one source answers."""
    first, *others = issue.questions
    if others:
        return f"Open question about {about(issue)}"
    return (FACTS[first.of][first.name].ask if first.kind == "fact" else "") or first.ask


def asks(issue: Issue, assessment: Assessment) -> str:
    """Return the names of the facts that a question asks for, and the handlers or variables that it is about."""
    first = issue.questions[0]
    known = unverified(assessment.graph, first.elements) if first.kind == "caller" else ()
    names = listed(first.facts or (first.name,), _MOST_NAMES, "fact")
    return "; ".join((f"unknown: {names}", *islice(known, _MOST_FACTS), *about_variables(issue, assessment)))


def shows(issue: Issue) -> str:
    """Return the values that cause a known issue, with their notes, or the missing controls."""
    return values(issue) or ", ".join(f"{name} {STATE[state]}" for name, state in issue.missing[:_MOST_FACTS])


def values(issue: Issue) -> str:
    """Return the values that cause a known issue, with their notes; '' where only controls are missing."""
    items = issue.cause.items if issue.cause is not None else _exposing(issue)
    written = [item for item in items if not item.said.omitted] or items[:1]
    return "; ".join(_value(item) for item in written[:_MOST_FACTS])


def _exposing(issue: Issue) -> Sequence[Support]:
    """What exposes the first element, where that is the fault and not a control."""
    return issue.head.why if issue.head.threat.do else ()


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
    return _answering(issue.questions[0]) if issue.questions else "; ".join(_actions(issue, assessment))


def _actions(issue: Issue, assessment: Assessment) -> Iterator[str]:
    names = dict.fromkeys(name for name, _ in issue.missing)
    if issue.cause is not None:
        names = {issue.cause.state.control: None, **names}
    own = [issue.head.threat.do] if issue.cause is None and issue.head.threat.do else []
    steps = [*own, *(assessment.library.controls[name].do for name in names)]
    yield from steps[:1]
    if len(steps) > 1 and issue.cause is not None:
        yield f"then put {counted(len(steps) - 1, 'more control')} in place"


def _answering(question: Question) -> str:
    """How to answer: what to state, attest, or run."""
    if question.hint:
        return question.hint
    rows = [FACTS[question.of][name] for name in question.facts]
    if rows and all("probe" in row.seen_by for row in rows):
        return "run tm probe, which tests the handler, or answer with tm ask"
    names = [given.name for row in rows for given in row.follows_from] or [row.name for row in rows]
    return f"state {listed(names or [question.name], _MOST_FACTS, 'fact')}, or let evidence show it"
