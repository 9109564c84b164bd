"""Findings that differ only in their elements, as groups: what follows from a finding is computed once for each."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from threatmodel.assessment.assessed import Finding, Group
from threatmodel.assessment.profiles import PerProfile, Profiles
from threatmodel.assessment.ranking import distance


def alike(findings: Iterable[Finding], profiles: Profiles) -> tuple[Group, ...]:
    """Return the findings of an assessment in groups, those of the worst findings first.

    The findings come in the assessment's order: by id where verdict and risk are the same.
    """
    shapes = PerProfile[Hashable]()
    found: dict[Hashable, list[Finding]] = {}
    for one in findings:
        key = one.threat.id, profiles.of(one.target)
        shape = shapes.get(key)
        if shape is None:
            shape = shapes[key] = _shape(one)
        found.setdefault((shape, _likeness(one)), []).append(one)
    return tuple(Group(tuple(some)) for some in found.values())


def _shape(finding: Finding) -> Hashable:
    """What of a finding follows from its threat and the facts of its element."""
    target = finding.target
    return finding.threat.id, target.kind, target.described, distance(target), raising(finding)


def _likeness(finding: Finding) -> Hashable:
    """The rest of what its rank, its causes and the effect of its controls follow from, but for its id."""
    return (
        finding.verdict,
        finding.applies,
        finding.likely,
        finding.inherent,
        finding.proof,
        finding.rated,
        finding.acceptance is not None and finding.id,
        tuple([answer.state.likeness for answer in finding.answers]),
    )


def raising(finding: Finding) -> frozenset[str]:
    """The facts that raise the finding's numbers."""
    facts, kind = finding.target.facts, finding.target.kind
    conditions = [move.conditions[kind] for move in finding.threat.raises]
    raised = [condition for condition in conditions if condition.truth(facts) > 0]
    return frozenset(leaf.fact for condition in raised for leaf, _ in condition.why(facts))
