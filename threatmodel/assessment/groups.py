"""Findings that differ only in their elements, as groups: what follows from a finding is computed once for each."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from threatmodel.assessment.assessed import VERDICTS, Finding, Group
from threatmodel.assessment.ranking import distance


def alike(twins: Iterable[tuple[Finding, ...]]) -> tuple[Group, ...]:
    """Return the findings of an assessment in groups, those of the worst findings first; `twins` has some of each."""
    found: dict[Hashable, list[tuple[Finding, ...]]] = {}
    for some in twins:
        found.setdefault(_likeness(some[0]), []).append(some)
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
