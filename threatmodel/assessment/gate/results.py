"""The rules of a check, and its results as values."""

from __future__ import annotations

from typing import Literal, NamedTuple

from threatmodel.assessment.risk import BANDS
from threatmodel.model.longest import LONGEST
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass, replace

WARN_DAYS = 30
"""How long before its end an acceptance, attestation or plan is warned of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What fails a check.

    `fail_on` is the lowest band that fails; `require_proof` judges by the proven risk; `strict` fails on what claims
    take out; `allow_undetermined` lets what waits for an answer pass; `ignore_acceptances` treats accepted risks as if
    they were not accepted; `tolerance` is the highest band that a model may tolerate.  The rest is what only a policy
    asks for: the longest terms that a model may state, in days, kinds of evidence that every model names, controls that
    must be proven wherever they apply, and who may accept risks (none named: everyone).
    `proven_at` are the places of `proven_controls` in the policy.
    """

    fail_on: str = "high"
    require_proof: bool = False
    strict: bool = False
    allow_undetermined: bool = False
    ignore_acceptances: bool = False
    tolerance: str = "high"
    longest_acceptance: int = LONGEST
    longest_attestation: int = LONGEST
    required_evidence: tuple[str, ...] = ()
    proven_controls: tuple[str, ...] = ()
    proven_at: tuple[Place, ...] = ()
    acceptors: tuple[str, ...] = ()


def under(policy: Rules, asked: Rules) -> Rules:
    """The rules of a policy, made stricter by what was asked for, and never laxer."""
    return replace(
        policy,
        fail_on=min(policy.fail_on, asked.fail_on, key=BANDS.index),
        require_proof=policy.require_proof or asked.require_proof,
        strict=policy.strict or asked.strict,
        allow_undetermined=policy.allow_undetermined and asked.allow_undetermined,
        ignore_acceptances=policy.ignore_acceptances or asked.ignore_acceptances,
    )


Since = Literal["", "new", "worse", "known"]
"""How a result compares with a baseline: '' where there is none."""


class Failures(NamedTuple):
    """How many findings and other results fail a check; `since_baseline`: of those that are new or worse."""

    findings: int
    others: int
    since_baseline: bool = False


class RelatedPlace(NamedTuple):
    """Another place that has to do with a result, and how."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Something that a check says: what kind (`code`), of what (`name`: stable when lines move), where and why.

    `rule` is the threat, or the code where no threat is behind it; `score` the risk that counts, 0 where there is none.
    `fails` and `warns` say how heavily it counts; `unsure` that an answer is missing.  `do` is the next step.
    `accepted` is the justification of an accepted risk.
    """

    code: str
    name: str
    place: Place
    message: str
    rule: str = ""
    element: str = ""
    band: str = ""
    score: int = 0
    fails: bool = False
    warns: bool = False
    unsure: bool = False
    do: str = ""
    accepted: str = ""
    related: tuple[RelatedPlace, ...] = ()
    since: Since = ""

    @property
    def key(self) -> str:
        """What identifies it, in a baseline and between runs: the id of a finding, or the kind and the name."""
        return self.name if self.rule != self.code else f"{self.code}:{self.name}"
