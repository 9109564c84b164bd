"""Why a finding's band is higher as proven than as claimed: claims to verify, open questions, or expired evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal, get_args

from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.control_state import Answer
from threatmodel.assessment.risk import BANDS, Band, Cell, proof_if_answered, residual, with_unknown_raises
from threatmodel.model.facts import EVIDENCE, STATED

Gap = Literal["claims", "questions", "claims-and-questions", "expired-evidence"]
"""What has to happen before the proven band is the claimed one: verify claims, answer questions, both, or renew."""

GAPS: tuple[Gap, ...] = get_args(Gap)


def gap(finding: Finding) -> Gap | None:
    """Return why the proven band of a finding is above the claimed one; None where it is not."""
    claimed = BANDS.index(finding.claimed.band)
    if BANDS.index(finding.proven.band) <= claimed:
        return None
    if any(map(_is_expired, finding.answers)):
        return "expired-evidence"
    if BANDS.index(_if_verified(finding)) <= claimed:
        return "claims"
    return "questions" if BANDS.index(_if_answered(finding)) <= claimed else "claims-and-questions"


def gaps(assessment: Assessment) -> Mapping[Gap, int]:
    """Return how many findings have each reason, every reason in order; their sum is the findings with a gap."""
    counts: Counter[Gap | None] = Counter()
    for group in assessment.groups:
        for some in group.twins:
            counts[gap(some[0])] += len(some)
    return {reason: counts[reason] for reason in GAPS}


def _if_verified(finding: Finding) -> Band:
    """The band that is left if every claim were proven, and every question stayed open."""
    cell = with_unknown_raises(finding.inherent, finding.threat, finding.target.kind, finding.target.facts)
    return residual(cell, (one.link.effect for one in finding.answers if one.state.level >= STATED)).band


def _if_answered(finding: Finding) -> Band:
    """The band that is left if every question were answered well, and no claim were proven."""
    library = proof_if_answered(finding.threat, finding.target.kind, finding.target.facts)
    cell = Cell(*map(max, library, finding.inherent))
    return residual(cell, (one.link.effect for one in finding.answers if one.state.level >= EVIDENCE)).band


def _is_expired(answer: Answer) -> bool:
    """Whether a control is only claimed since its evidence is too old, or of other code."""
    return answer.state.level == STATED and any(item.said.stale for item in answer.state.support)
