"""Whether the risk is within the accepted level: one of four answers, and the counts behind it.

Report, summary, check and JSON say the same, since all of them ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from threatmodel.assessment.assessed import Assessment, Outline, RelianceKind
from threatmodel.assessment.drift import absences
from threatmodel.assessment.priorities import by_band
from threatmodel.assessment.risk import BANDS, Band, within
from threatmodel.reading.values import dataclass

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
