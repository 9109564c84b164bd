"""What a check has to say about a model: one value a thing, whether or not it fails."""

from __future__ import annotations

from typing import Literal, NamedTuple

from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass

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
