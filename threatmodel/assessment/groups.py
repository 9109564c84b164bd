"""Findings that differ only in their elements, as groups: what follows from a finding is computed once for each."""

from __future__ import annotations

from collections.abc import Hashable

from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.ranking import distance
from threatmodel.reading.values import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one threat that have the same rank but for their ids, the same causes, and gain alike from a control.

    All of an assessment's findings with one likeness, ordered by id.
    """

    findings: tuple[Finding, ...]

    @property
    def head(self) -> Finding:
        """The first of them, which stands for all."""
        return self.findings[0]


def grouped(assessment: Assessment) -> tuple[Group, ...]:
    """Every finding and every possible one, in groups; those of the worst findings first."""
    found: dict[Hashable, list[Finding]] = {}
    for finding in assessment.findings:  # ordered by id where verdict and risk are the same
        found.setdefault(_likeness(finding), []).append(finding)
    return tuple(Group(tuple(findings)) for findings in found.values())


def _likeness(finding: Finding) -> Hashable:
    """All of a finding that its rank, its causes and the effect of its controls follow from, but for its id."""
    target = finding.target
    return (
        finding.threat.id,
        finding.verdict,
        target.kind,
        target.described,
        distance(target),
        finding.applies,
        finding.likely,
        finding.inherent,
        finding.proof,
        finding.rated,
        finding.acceptance is not None and finding.id,
        raising(finding),
        tuple([answer.state.likeness for answer in finding.answers]),
    )


def raising(finding: Finding) -> frozenset[str]:
    """The facts that raise the finding's numbers."""
    facts, kind = finding.target.facts, finding.target.kind
    conditions = [move.conditions[kind] for move in finding.threat.raises]
    raised = [condition for condition in conditions if condition.truth(facts) > 0]
    return frozenset(leaf.fact for condition in raised for leaf in condition.why(facts))
