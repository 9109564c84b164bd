"""Findings that differ only in their elements, as groups, and the cause of one that is known to be bad.

A finding can lack several controls.  The cause is the one that would lower its band by itself, then one with a
written value before a default, then one that would stop the threat, then one that made it worse.  Of several it is the
one that most other findings depend on, then the one with the strongest effect, so that findings of different threats
share a cause.  A control that only detects an attack is the cause where nothing else is left to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from threatmodel.assessment.assessed import VERDICTS, Finding, Group
from threatmodel.assessment.control_state import Answer, State, Support
from threatmodel.assessment.ranking import STRONG, distance
from threatmodel.assessment.risk import BANDS, MOVES, residual
from threatmodel.library.entries import EFFECTS, ControlEffect
from threatmodel.model.facts import STATED
from threatmodel.reading.grouping import grouped


def alike(twins: Iterable[tuple[Finding, ...]]) -> tuple[Group, ...]:
    """Return the findings of an assessment in groups, those of the worst findings first; `twins` has some of each."""
    found = grouped((_likeness(some[0]), some) for some in twins)
    groups = [Group(_sorted(one for some in every for one in some), tuple(every)) for every in found.values()]
    return tuple(sorted(groups, key=lambda group: (worst_first(group.head), group.head.id)))


def in_order(groups: Sequence[Group]) -> tuple[Finding, ...]:
    """Return the findings of groups: those that apply, then possible ones, worst first, then by id."""
    by_rank = groupby(groups, key=lambda group: worst_first(group.head))
    return tuple([one for _, equal in by_rank for one in _sorted(one for group in equal for one in group.findings)])


_id = itemgetter(Finding._fields.index("id"))


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=_id))


def worst_first(finding: Finding) -> tuple[bool, int, int, int]:
    """The key that orders findings as an assessment has them, but for their ids."""
    return (
        not finding.applies,
        VERDICTS.index(finding.verdict),
        -finding.claimed.score,
        -finding.inherent.score,
    )


def _likeness(finding: Finding) -> Hashable:
    """What the rank of a finding, its causes and the effect of its controls follow from, but for its id."""
    target = finding.target
    return (
        finding.threat.id,
        target.kind,
        target.described,
        distance(target),
        raising(finding),
        finding.verdict,
        finding.applies,
        finding.likely,
        finding.inherent,
        finding.proof,
        finding.rated,
        finding.acceptance is not None and finding.id,
        tuple([(answer.state.likeness, answer.holds) for answer in finding.answers]),
    )


def raising(finding: Finding) -> frozenset[str]:
    """The facts that raise the finding's numbers."""
    facts, kind = finding.target.facts, finding.target.kind
    conditions = [move.conditions[kind] for move in finding.threat.raises]
    raised = [condition for condition in conditions if condition.truth(facts) > 0]
    return frozenset(leaf.fact for condition in raised for leaf, _ in condition.why(facts))


class Cause(NamedTuple):
    """The answer that is the cause.  `written`: a written value shows it, not a default or the lack of a statement."""

    answer: Answer
    written: bool

    @property
    def state(self) -> State:
        """The state of the control that is missing: of an ineffective one, what it requires."""
        state = self.answer.state
        while state.lacks is not None:
            state = state.lacks
        return state

    def on(self, finding: Finding) -> Cause:
        """The same control on the element of a finding that is alike."""
        return self._replace(answer=next(one for one in finding.answers if one.link == self.answer.link))

    @property
    def effect(self) -> ControlEffect:
        """What the control would do to the threat."""
        return self.answer.link.effect

    @property
    def items(self) -> tuple[Support, ...]:
        """The facts that show it, written values first; none where only a person can see it."""
        return tuple(sorted((item for item in self.state.support if item.known), key=lambda item: item.said.omitted))


def causes(groups: Iterable[Group]) -> list[tuple[Group, Cause | None]]:
    """Groups that are known to be bad, each with its cause; None where all controls that it lacks are unknown.

    A cause is that of the group's first finding: the others lack the same control, on their own elements.
    """
    found = [(group, candidates(group.head)) for group in groups]
    depending: Counter[str] = Counter()
    for group, alike in found:
        for one in alike:
            depending[one.state.control] += len(group.findings)
    return [
        (group, min(alike, key=lambda one: (-depending[one.state.control], _strength(one)), default=None))
        for group, alike in found
    ]


def candidates(finding: Finding) -> list[Cause]:
    """The controls that are equally the cause of a finding, the strongest effect first."""
    missing = [one for one in finding.answers if one.is_missing and one.link.effect in MOVES]
    strong = [one for one in missing if one.link.effect in STRONG] or missing
    known = [_cause(answer) for answer in strong if answer.state.level < 0]
    raised = raising(finding) if known else frozenset()
    ranked = [(_class(one, finding, raised), one) for one in known]
    best = min((order for order, _ in ranked), default=None)
    return sorted((one for order, one in ranked if order == best), key=_strength)


def _class(one: Cause, finding: Finding, raised: frozenset[str]) -> tuple[bool, ...]:
    """The order of a control among possible causes; `raised` are the facts that raise the finding's numbers."""
    resting = one.answer.state.lacks is not None  # another control is missing, which may answer the threat itself
    worse = not raised.isdisjoint(item.fact for item in one.state.support)
    return resting, not helps(finding, one.answer), not one.written, one.effect != "stops", not worse


def _strength(one: Cause) -> int:
    return EFFECTS.index(one.effect)


def _cause(answer: Answer) -> Cause:
    """Return a control that is missing as a cause."""
    found = Cause(answer, written=False)
    return found._replace(written=_written(found.state))


def _written(state: State) -> bool:
    """Whether what shows it is written somewhere; what is planned, or contradicted by a person, is."""
    known = [item for item in state.support if item.known]
    return not known or any(not item.said.omitted for item in known)


def helps(finding: Finding, answer: Answer) -> bool:
    """Whether this control alone, put in place, would lower the claimed band."""
    held = [other.link.effect for other in finding.answers if other.state.level >= STATED]
    after = residual(finding.inherent, [*held, answer.link.effect])
    return BANDS.index(after.band) < BANDS.index(finding.claimed.band)
