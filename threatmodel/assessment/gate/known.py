"""A baseline as a value: what was known of a model on a day."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.swapped import KnownSource
from threatmodel.reading.values import dataclass

KnownEvidence = Mapping[str, Mapping[str, int]]
"""By kind of evidence, how many files of it show each element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFinding:
    """A finding as it was: its verdict, the scores that were claimed and proven, and the controls that proved it."""

    verdict: str
    claimed: int
    proven: int
    proved_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A model as it was on a day: its findings by id, the keys of what else failed, and the evidence that it named.

    `evidence` counts the files that show each element; `sources` says which they are, and is None where an older
    version of the toolkit took it.
    """

    name: str
    day: datetime.date
    findings: Mapping[str, KnownFinding]
    others: frozenset[str]
    evidence: KnownEvidence
    sources: tuple[KnownSource, ...] | None = None

    def aged(self, today: datetime.date) -> str:
        """The day of it and how long ago that is."""
        days = (today - self.day).days
        old = ", without the names of evidence files: renew it with --update-baseline" if self.sources is None else ""
        return f"of {self.day}, {days:,} {'day' if days == 1 else 'days'} old{old}"


def evidence_of(assessment: Assessment) -> KnownEvidence:
    """The evidence that a model names, as a baseline remembers it, with evidence that counts as claimed."""
    found: dict[str, dict[str, int]] = {}
    for read in assessment.graph.evidence:
        of_kind = found.setdefault(read.kind, {})
        for element in read.elements:
            of_kind[element] = of_kind.get(element, 0) + 1
    return {kind: dict(sorted(elements.items())) for kind, elements in sorted(found.items())}
