"""What is found, told once: findings that are there for the same reason are one story, however many they are.

What is known to be bad is told by what is at fault: a control that is not in place, with all threats and elements that
hang on it, or the defaults that nobody changed.  What is not known is told by what one has to look at to know it.  What
is known is never told with what is not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from threatmodel.assessment.assessed import Assessment, Finding, Question, Verdict
from threatmodel.assessment.causes import Cause, candidates, causes
from threatmodel.assessment.ranking import Rank, at_the_door, rank, strongest, weak_only
from threatmodel.assessment.risk import BANDS, Band
from threatmodel.assessment.states import ControlState, State
from threatmodel.library.entries import EFFECTS, Threat
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.vocabulary import Look

Wanting = tuple[tuple[str, ControlState], ...]
"""Controls that are wanting, each with the state that it is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Findings with one reason, the most telling first: those that the control at fault would stop, then the worst.

    `cause` is what is at fault for the first of what is known to be bad, `wanting` the controls at fault with their
    states, and `questions` what an undetermined story waits for, all answered by one `look`.  `door`: it leaves a
    public endpoint open to anybody, as far as is known.  `minor`: nothing that is left to do keeps the attack off, or
    smaller; it would only be noticed.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    cause: Cause | None
    wanting: Wanting
    questions: tuple[Question, ...]
    door: bool
    minor: bool
    rank: Rank

    @property
    def head(self) -> Finding:
        """The most telling of its findings, which speaks for all."""
        return self.findings[0]

    @property
    def look(self) -> Look | None:
        """What answers all its questions, where there are several."""
        return self.questions[0].look if self.questions else None

    @property
    def id(self) -> str:
        """What tells it from other stories: what to look at, the question's id, or that of its first finding."""
        if self.questions:
            return self.look or self.questions[0].id
        return self.head.id

    @property
    def title(self) -> str:
        """Its most telling threat in a sentence, and how many others share the reason."""
        others = len(self.threats) - 1
        return f"{self.head.threat.title}, and {others} more" if others else self.head.threat.title

    @property
    def threats(self) -> tuple[Threat, ...]:
        """The threats that it is about, those of the first findings first."""
        return tuple({f.threat.id: f.threat for f in self.findings}.values())

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements that it names, those of the first findings first."""
        return tuple(dict.fromkeys(finding.target.id for finding in self.findings))

    @property
    def claimed(self) -> Band:
        """The worst band that is left if everything said is true; what an undetermined story may come to."""
        return max((finding.claimed.band for finding in self.findings), key=BANDS.index)

    @property
    def proven(self) -> Band:
        """The worst band that is left on evidence."""
        return max((finding.proven.band for finding in self.findings), key=BANDS.index)

    @property
    def states(self) -> tuple[State, ...]:
        """The states of the controls at fault, on every element that they are wanting on; the cause's first."""
        names = {name for name, _ in self.wanting}
        found = [a.state for f in self.findings for a in f.answers if a.link.control in names and a.state.level < 1]
        first = [self.cause.state] if self.cause is not None else []
        return tuple({(state.control, state.element): state for state in [*first, *found]}.values())


def stories(assessment: Assessment) -> tuple[Story, ...]:
    """Everything that needs work or waits for an answer, as stories, what comes first first."""
    found = [*_known(assessment.findings), *_waiting(assessment)]
    return tuple(sorted(found, key=lambda story: (story.minor, story.rank)))


# --- what is known to be bad


def _known(findings: Iterable[Finding]) -> Iterator[Story]:
    """A story for each control at fault; those that the same place of the evidence denies are one."""
    found: dict[Hashable, list[tuple[Finding, Cause | None]]] = {}
    for finding, at_fault in causes(finding for finding in findings if finding.verdict in {"open", "reduced"}):
        found.setdefault(_reason(finding, at_fault), []).append((finding, at_fault))
    for alike in _by_place(found.values()):
        yield _of_cause(alike)


def _reason(finding: Finding, at_fault: Cause | None) -> Hashable:
    """What findings have in common that are there for the same reason."""
    if at_fault is not None and at_fault.written:
        return at_fault.state.control, at_fault.state.state == "planned"
    return finding.threat.id if at_the_door(finding) else "defaults"


_Known = Sequence[tuple[Finding, Cause | None]]


def _by_place(groups: Iterable[_Known]) -> list[_Known]:
    """The groups, with those together whose first fault stands at the same place of the evidence."""
    found: dict[Hashable, list[tuple[Finding, Cause | None]]] = {}
    for number, alike in enumerate(groups):
        ordered = sorted(alike, key=_telling)
        at_fault = ordered[0][1]
        items = at_fault.items if at_fault is not None and at_fault.written else ()
        place = items[0].said.place if items and items[0].said.size == EVIDENCE else None
        found.setdefault(place or number, []).extend(ordered)
    return list(found.values())


def _telling(one: tuple[Finding, Cause | None]) -> tuple[int, Rank]:
    finding, at_fault = one
    return EFFECTS.index(at_fault.effect) if at_fault is not None else len(EFFECTS), rank(finding)


def _of_cause(alike: _Known) -> Story:
    ordered = sorted(alike, key=_telling)
    finding, at_fault = ordered[0]
    findings = [one for one, _ in ordered]
    causes = [one.state for _, one in ordered if one is not None]
    wanting = dict.fromkeys((state.control, state.state) for state in causes)
    return _story(findings, at_fault, tuple(wanting) or _wanting(finding), ())


def _wanting(finding: Finding) -> Wanting:
    """The controls at fault: of those that are not in place or unknown the ones with the strongest effect."""
    return tuple(sorted((answer.link.control, answer.state.state) for answer in strongest(finding)))


# --- what is not known


def _waiting(assessment: Assessment) -> Iterator[Story]:
    """A story for each look that answers what is not known, and for each question that stands alone.

    A finding that waits for several belongs to the question that comes first.  What every system is asked, to describe
    its platform, comes after all that is asked of this one.
    """
    waiting = {f.id: f for f in (*assessment.findings, *assessment.possible) if f.verdict == "undetermined"}
    ranked = sorted(assessment.questions, key=lambda question: question.kind == "describe")
    found: dict[Hashable, tuple[list[Question], list[Finding]]] = {}
    for question in ranked:
        if alike := [waiting.pop(name) for name in question.decides if name in waiting]:
            questions, findings = found.setdefault(question.look or question.id, ([], []))
            questions.append(question)
            findings += alike
    for questions, findings in found.values():
        unknown = dict.fromkeys(pair for finding in findings for pair in _wanting(finding) if finding.applies)
        yield _story(sorted(findings, key=_known_first), None, tuple(unknown), questions)
    for finding in waiting.values():
        yield _story([finding], None, _wanting(finding), ())


_OF_SLACK = frozenset(("slack_facing", "sends_requests", "posts_to_slack"))
"""The facts on which a threat hangs that there is in systems of Slack alone."""


def _known_first(finding: Finding) -> tuple[bool, bool, Rank]:
    """First what is known to lack what would stop it, and only waits for whether it applies.

    Last what there is with Slack alone, where nothing speaks of Slack: a line is called after what is the system's own.
    """
    at_fault = candidates(finding)
    condition = finding.threat.applies.get(finding.target.kind)
    read = condition.facts if condition is not None else ()
    foreign = not finding.likely and not _OF_SLACK.isdisjoint(read)
    return foreign, not (at_fault and at_fault[0].written and at_fault[0].effect == "stops"), rank(finding)


def _story(findings: Sequence[Finding], at_fault: Cause | None, wanting: Wanting, asked: Sequence[Question]) -> Story:
    first = min(rank(finding) for finding in findings)
    return Story(
        verdict=findings[0].verdict,
        findings=tuple(findings),
        cause=at_fault,
        wanting=wanting,
        questions=tuple(asked),
        door=any(at_the_door(finding) for finding in findings),
        minor=all(weak_only(finding) for finding in findings),
        rank=first._replace(fewer=-len(findings)),
    )
