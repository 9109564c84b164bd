"""Whether the system is safe enough: one of four words, and what it rests on.

Report, summary, check and JSON say the same, since all of them ask here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.drift import absences
from threatmodel.assessment.risk import BANDS, Band, within
from threatmodel.assessment.word import WordKind

SafeEnough = Literal["not-safe-enough", "not-yet-known", "safe-if-true", "safe-enough"]
"""The four answers, from the worst."""

DEFAULT_THRESHOLD: Band = "high"
"""The band from which `check` fails where nobody says otherwise."""

_HIDES: frozenset[WordKind] = frozenset(get_args(WordKind)) - {"accepted", "exempted", "long-term", "meant-public"}
"""What word takes out so that no evidence can speak for all of the system; what owners took is told beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """The answer for a system, measured by its `tolerance`; `check` fails from `threshold` up.

    `open` counts what is known to be above the tolerance, `waiting` what may be, by the band that is claimed; `word`
    what only word keeps within it, by the band that is proven.  `proven` counts every finding by that band.
    `accepted` and `provider` are left to an owner and to the provider.  `uncovered` are parts that the evidence has
    and the model lacks, `taken` what word takes out.
    """

    answer: SafeEnough
    tolerance: Band
    threshold: Band
    open: Mapping[Band, int]
    waiting: Mapping[Band, int]
    word: Mapping[Band, int]
    proven: Mapping[Band, int]
    accepted: int
    provider: int
    uncovered: int
    taken: int

    @property
    def fails(self) -> int:
        """How many findings are open or wait for an answer, at or above the threshold."""
        bad = BANDS[BANDS.index(self.threshold) :]
        return sum(self.open[band] + self.waiting[band] for band in bad)


def safety(assessment: Assessment, threshold: Band = DEFAULT_THRESHOLD) -> Safety:
    """The answer: whether the risk that is left is within the tolerance, and whether that is known."""
    findings = assessment.findings
    tolerance = next(band for band in BANDS if band == assessment.graph.system.risk_tolerance)
    known = [finding for finding in findings if finding.verdict in {"open", "reduced"}]
    waiting = [finding for finding in (*findings, *assessment.possible) if finding.verdict == "undetermined"]
    said = [finding for finding in findings if not _proven(finding, tolerance)]
    uncovered = sum(not one.in_model for one in absences(assessment.graph))
    taken = sum(one.kind in _HIDES for one in assessment.taken_out)
    answer: SafeEnough
    if known:
        answer = "not-safe-enough"
    elif waiting or uncovered or not findings:
        answer = "not-yet-known"
    else:
        answer = "safe-if-true" if said or taken else "safe-enough"
    return Safety(
        answer=answer,
        tolerance=tolerance,
        threshold=threshold,
        open=_claimed(known),
        waiting=_claimed(waiting),
        word=_by_proven(finding for finding in findings if finding.verdict == "unproven"),
        proven=_by_proven(findings),
        accepted=sum(finding.verdict == "accepted" for finding in findings),
        provider=sum(finding.verdict == "transferred" for finding in findings),
        uncovered=uncovered,
        taken=taken,
    )


def _proven(finding: Finding, tolerance: Band) -> bool:
    """Whether nobody's word is needed: within the tolerance on evidence, or the provider's to treat."""
    return finding.verdict == "transferred" or within(finding.proven, tolerance)


def _claimed(findings: Iterable[Finding]) -> Mapping[Band, int]:
    counts = Counter(finding.claimed.band for finding in findings)
    return {band: counts[band] for band in BANDS}


def _by_proven(findings: Iterable[Finding]) -> Mapping[Band, int]:
    counts = Counter(finding.proven.band for finding in findings)
    return {band: counts[band] for band in BANDS}
