"""Findings as issues: findings with the same cause are one issue, however many they are.

What is known to be bad is grouped by its cause: a control that is not in place, with all threats and elements that
depend on it, or defaults that are unchanged.  What is not known is grouped by the source that answers it.  The two are
never in one issue.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Finding, Group, Question, Verdict
from threatmodel.assessment.causes import Cause, candidates, causes
from threatmodel.assessment.control_state import ControlState, State
from threatmodel.assessment.ranking import Rank, is_entry_point, rank, strongest, weak_only
from threatmodel.assessment.risk import BANDS, Band, Cell
from threatmodel.library.entries import EFFECTS, Threat
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.vocabulary import AnsweredFrom
from threatmodel.reading.grouping import grouped
from threatmodel.reading.values import dataclass

Missing = tuple[tuple[str, ControlState], ...]
"""Controls that are missing, each with its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Findings with one cause, the most relevant first: those that the missing control would stop, then the worst.

    `controls` has the missing control for each finding ('' where an answer is), `cause` is that of the first,
    `missing` the controls that are the cause by state, and `questions` what an undetermined issue waits for, all
    answered by one `answered_from`.  `entry_point`: it leaves a public endpoint open to anyone, as far as
    is known.  `minor`: what is left to do only detects the attack, or helps to respond.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    controls: tuple[str, ...]
    cause: Cause | None
    missing: Missing
    questions: tuple[Question, ...]
    entry_point: bool
    minor: bool
    rank: Rank

    @property
    def head(self) -> Finding:
        """The most relevant of its findings, which represents all."""
        return self.findings[0]

    @property
    def answered_from(self) -> AnsweredFrom | None:
        """What answers all its questions, where there are several."""
        return self.questions[0].answered_from if self.questions else None

    @property
    def id(self) -> str:
        """What tells it from other issues: what to look at, the question's id, or that of its first finding."""
        if self.questions:
            return self.questions[0].source
        return self.head.id

    @property
    def by_default(self) -> bool:
        """Whether it is as in every system until something is set, and leaves no public endpoint open."""
        return self.cause is not None and not self.cause.written and not self.entry_point

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
        """The worst band that is left if everything said is true; what an undetermined issue may come to."""
        return _worst(finding.claimed for finding in self.findings)

    @property
    def proven(self) -> Band:
        """The worst band that is left on evidence."""
        return _worst(finding.proven for finding in self.findings)

    @property
    def states(self) -> tuple[State, ...]:
        """The states of the controls that are the cause, on every element that lacks them; the cause's first."""
        names = {name for name, _ in self.missing}
        found = [a.state for f in self.findings for a in f.answers if a.link.control in names and a.state.level < 1]
        first = [self.cause.state] if self.cause is not None else []
        return tuple({(state.control, state.element): state for state in [*first, *found]}.values())


def _worst(cells: Iterable[Cell]) -> Band:
    return max({*cells}, key=lambda cell: cell.score).band


def issues(assessment: Assessment) -> tuple[Issue, ...]:
    """Return everything that needs work or waits for an answer, as issues in order of rank."""
    found = [*_known(assessment.groups), *_waiting(assessment.questions, assessment.groups)]
    return tuple(sorted(found, key=lambda issue: (issue.minor, issue.rank)))


def controls_at_fault(found: Iterable[Issue]) -> dict[str, str]:
    """Return the control that is the cause of each finding that is known to be bad, by the finding's id."""
    pairs = (pair for issue in found for pair in zip(issue.findings, issue.controls, strict=True))
    return {finding.id: control for finding, control in pairs if control}


# --- what is known to be bad


class _Part(NamedTuple):
    """Findings of an issue that are alike: `first` outweighs the `rank` that they share, their ids order them."""

    first: tuple[int, ...]
    rank: Rank
    findings: Sequence[Finding]
    cause: Cause | None = None

    @property
    def head(self) -> Finding:
        return self.findings[0]

    @property
    def control(self) -> str:
        """The control that is the cause; '' where an answer is missing."""
        return self.cause.state.control if self.cause is not None else ""

    @property
    def place(self) -> tuple[tuple[int, ...], Rank, str]:
        return self.first, self.rank, self.head.id


def _known(groups: Iterable[Group]) -> Iterator[Issue]:
    """An issue for each control that is a cause; those that the same place of the evidence disproves are one."""
    found: dict[Hashable, list[_Part]] = {}
    for group, at_fault in causes(group for group in groups if group.head.verdict in {"open", "reduced"}):
        effect = EFFECTS.index(at_fault.effect) if at_fault is not None and at_fault.written else len(EFFECTS)
        # what only lacks it because a control relies on another comes after what lacks that other one itself
        through = at_fault is not None and at_fault.answer.state.lacks is not None
        part = _Part((effect, int(through)), rank(group.head).unnamed, group.findings, at_fault)
        found.setdefault(_reason(group.head, at_fault), []).append(part)
    for parts in _by_place(found.values()):
        yield _of_cause(sorted(_worst_elements_first(parts), key=lambda part: part.place))


def _worst_elements_first(parts: Sequence[_Part]) -> Iterator[_Part]:
    """Parts of an issue, with what outweighs their rank: the worst band of the issue on one of their elements."""
    worst: dict[str, int] = {}
    for part in parts:
        at = BANDS.index(part.head.claimed.band)
        worst.update({one.target.id: at for one in part.findings if worst.get(one.target.id, -1) < at})
    for part in parts:
        by_band = grouped((worst[one.target.id], one) for one in part.findings)
        for at, some in by_band.items():
            cause = part.cause and part.cause.on(some[0])
            yield part._replace(first=(*part.first, -at), findings=some, cause=cause)


def _reason(finding: Finding, at_fault: Cause | None) -> Hashable:
    """What findings have in common that are there for the same reason."""
    if at_fault is not None and at_fault.written:
        return at_fault.state.control, at_fault.state.state == "planned"
    return finding.threat.id if at_fault is None or is_entry_point(finding) else "defaults"


def _by_place(reasons: Iterable[Sequence[_Part]]) -> list[list[_Part]]:
    """What has one reason, with those together whose first cause is at the same place of the evidence."""
    found: dict[Hashable, list[_Part]] = {}
    for number, parts in enumerate(reasons):
        at_fault = min(parts, key=lambda part: part.place).cause
        items = at_fault.items if at_fault is not None and at_fault.written else ()
        place = items[0].said.place if items and items[0].said.size == EVIDENCE else None
        found.setdefault(place or number, []).extend(parts)
    return list(found.values())


def _of_cause(parts: Sequence[_Part]) -> Issue:
    states = [part.cause.state for part in parts if part.cause is not None]
    missing = dict.fromkeys((state.control, state.state) for state in states)
    return _issue(parts, parts[0].cause, tuple(missing) or _missing(parts[0].head), ())


def _missing(finding: Finding) -> Missing:
    """The controls that are the cause: of those not in place or unknown, the ones with the strongest effect."""
    return tuple(sorted((answer.link.control, answer.state.state) for answer in strongest(finding)))


# --- what is not known


def _waiting(asked: Iterable[Question], groups: Sequence[Group]) -> Iterator[Issue]:
    """An issue for each source that answers several questions, and for each question without one.

    A finding that waits for several belongs to the question that comes first.  What every system is asked, to describe
    its platform, comes after all that is asked of this one.
    """
    undetermined = [(at, group) for at, group in enumerate(groups) if group.head.verdict == "undetermined"]
    waiting = {finding.id: (at, finding) for at, group in undetermined for finding in group.findings}
    ranked = sorted(asked, key=lambda question: question.kind == "describe")
    found: dict[Hashable, tuple[list[Question], dict[int, list[Finding]]]] = {}
    for question in ranked:
        if decided := [waiting.pop(name) for name in question.decides if name in waiting]:
            questions, alike = found.setdefault(question.source, ([], {}))
            questions.append(question)
            for at, finding in decided:
                alike.setdefault(at, []).append(finding)
    for questions, alike in found.values():
        parts = [_undetermined(findings) for findings in alike.values()]
        unknown = dict.fromkeys(pair for part in parts if part.head.applies for pair in _missing(part.head))
        yield _issue(parts, None, tuple(unknown), questions)
    for _, finding in waiting.values():
        yield _issue([_undetermined([finding])], None, _missing(finding), ())


def _undetermined(findings: Sequence[Finding]) -> _Part:
    return _Part(_known_first(findings[0]), rank(findings[0]).unnamed, findings)


_OF_SLACK = frozenset(("slack_facing", "sends_requests", "posts_to_slack"))
"""The facts that a threat depends on which exists only in systems that use Slack."""


def _known_first(finding: Finding) -> tuple[bool, bool]:
    """First what is known to lack what would stop it, and only waits for whether it applies.

    Last what there is with Slack alone, where nothing speaks of Slack: a line is called after what is the system's own.
    """
    at_fault = candidates(finding)
    condition = finding.threat.applies.get(finding.target.kind)
    read = condition.facts if condition is not None else ()
    foreign = not finding.likely and not _OF_SLACK.isdisjoint(read)
    return foreign, not (at_fault and at_fault[0].written and at_fault[0].effect == "stops")


def _issue(parts: Sequence[_Part], at_fault: Cause | None, missing: Missing, asked: Sequence[Question]) -> Issue:
    ordered = list(_ordered(parts))
    first = min(part.rank for part in parts)
    name = min(one.id for part in parts if part.rank == first for one in part.findings)
    return Issue(
        verdict=ordered[0][0].verdict,
        findings=tuple([finding for finding, _ in ordered]),
        controls=tuple([control for _, control in ordered]),
        cause=at_fault,
        missing=missing,
        questions=tuple(asked),
        entry_point=any(is_entry_point(part.head) for part in parts),
        minor=all(weak_only(part.head) for part in parts),
        rank=first._replace(fewer=-len(ordered), name=name),
    )


def _ordered(parts: Iterable[_Part]) -> Iterator[tuple[Finding, str]]:
    """The findings of parts in order, each with its control.

    Parts are sorted, and not all findings: a sort of everything takes longer for each finding the more there are.
    """
    for _, equal in groupby(sorted(parts, key=_order), key=_order):
        found = [(one.id, one, control) for part in equal for control in (part.control,) for one in part.findings]
        yield from ((one, control) for _, one, control in sorted(found, key=itemgetter(0)))


def _order(part: _Part) -> tuple[tuple[int, ...], Rank]:
    return part.first, part.rank
