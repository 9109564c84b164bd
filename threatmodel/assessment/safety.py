"""Whether the risk is within the accepted level (one of four answers), and why it is higher as proven than as claimed.

Report, summary, check and JSON say the same, since all of them ask here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal, get_args

from threatmodel.assessment.assessed import Assessment, Finding, Outline, RelianceKind
from threatmodel.assessment.control_state import Answer as ControlAnswer
from threatmodel.assessment.drift import absences
from threatmodel.assessment.priorities import by_band
from threatmodel.assessment.risk import BANDS, Band, Cell, proof_if_answered, residual, with_unknown_raises, within
from threatmodel.model.facts import EVIDENCE, STATED
from threatmodel.reading.values import dataclass

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


def _is_expired(answer: ControlAnswer) -> bool:
    """Whether a control is only claimed since its evidence is too old, or of other code."""
    return answer.state.level == STATED and any(item.said.stale for item in answer.state.support)


Answer = Literal["above", "undetermined", "within-as-claimed", "within-as-proven"]
"""The answers for a system, from the worst: its risk compared with the accepted level."""

DEFAULT_THRESHOLD: Band = "high"
"""The band from which `check` fails by default."""

_HIDES: frozenset[RelianceKind] = frozenset(get_args(RelianceKind)) - {
    "accepted",
    "exempted",
    "long-term",
    "intended-public",
}
"""What statements take out so that evidence cannot cover the whole system; accepted risks are reported separately."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """The answer for a system, measured by its accepted level; `check` fails at `threshold` and above.

    `above` counts the findings that are known to be above the accepted level, `undetermined` those that may be, by
    claimed band; `unproven` those that only claims keep within it, by proven band.  `accepted` and `provider` are left
    to an owner and to the provider.  `unmodeled` are parts that the evidence has and the model lacks, `hidden` the
    statements that keep evidence from covering all of the system.
    """

    answer: Answer
    accepted_level: Band
    threshold: Band
    above: Mapping[Band, int]
    undetermined: Mapping[Band, int]
    unproven: Mapping[Band, int]
    accepted: int
    provider: int
    unmodeled: int
    hidden: int

    @property
    def fails(self) -> int:
        """How many findings are above the accepted level or undetermined, at the threshold and above."""
        bad = BANDS[BANDS.index(self.threshold) :]
        return sum(self.above[band] + self.undetermined[band] for band in bad)


def safety(assessment: Assessment, threshold: Band = DEFAULT_THRESHOLD) -> Safety:
    """Return the answer: whether the risk that is left is within the accepted level, and whether that is known."""
    outlines = assessment.outlines
    level = next(band for band in BANDS if band == assessment.graph.system.risk_tolerance)
    above = {one: number for one, number in outlines.items() if one.verdict in {"open", "reduced"}}
    undetermined = {one: number for one, number in outlines.items() if one.verdict == "undetermined"}
    unproven = {one: number for one, number in outlines.items() if one.verdict == "unproven"}
    unmodeled = sum(not one.in_model for one in absences(assessment.graph))
    hidden = sum(one.kind in _HIDES for one in assessment.reliances)
    answer: Answer
    if above:
        answer = "above"
    elif undetermined or unmodeled or not outlines:
        answer = "undetermined"
    else:
        proven = not hidden and all(_is_proven(one, level) for one in outlines)
        answer = "within-as-proven" if proven else "within-as-claimed"
    return Safety(
        answer=answer,
        accepted_level=level,
        threshold=threshold,
        above=by_band((one.claimed, number) for one, number in above.items()),
        undetermined=by_band((one.claimed, number) for one, number in undetermined.items()),
        unproven=by_band((one.proven, number) for one, number in unproven.items()),
        accepted=sum(number for one, number in outlines.items() if one.verdict == "accepted"),
        provider=sum(number for one, number in outlines.items() if one.verdict == "transferred"),
        unmodeled=unmodeled,
        hidden=hidden,
    )


def _is_proven(finding: Outline, level: Band) -> bool:
    """Whether no claim is needed: within the accepted level on evidence, or the provider's to treat."""
    return finding.verdict == "transferred" or within(finding.proven, level)
