"""What comes first: a rank for a finding, and for what would move it.

An open entry point before everything, then the worst band that evidence leaves, then `stops` before `hinders` before
`contains`, then what the Internet reaches.  What is unknown counts less than what is known to be bad, and so does what
no request and no event of the system's users starts, such as a helper of the CDK.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from threatmodel.assessment.assessed import Finding
from threatmodel.assessment.control_state import Answer, State
from threatmodel.assessment.risk import BANDS
from threatmodel.assessment.twins import FACING
from threatmodel.graph.building import Element, Flow
from threatmodel.library.entries import EFFECTS, ControlEffect

STRONG: frozenset[ControlEffect] = frozenset({"stops", "hinders", "contains"})
"""Effects that keep an attack from succeeding or reduce it; the others only detect it."""

_ORDER = {effect: at for at, effect in enumerate(EFFECTS)}
"""The place of each effect, the strongest first."""

DISCOUNT = (0, 1, 1, 2)
"""How many bands less something counts, by how little is known of it: what every system is asked comes last."""


class Rank(NamedTuple):
    """A place in an order, smallest first: each field outweighs those after it."""

    behind_entry_point: bool
    mildness: int
    doubt: int
    left_out: bool
    effect: int
    distance: int
    fewer: int
    smaller: int
    name: str

    @property
    def unnamed(self) -> Rank:
        """The rank of all findings that are alike, which their ids order among themselves."""
        return self._replace(name="")


def rank(finding: Finding, answers: Iterable[Answer] | None = None, doubt: int = 0) -> Rank:
    """The rank of a finding, or of what would put those of its controls in place that `answers` has.

    `doubt` is how little is known at best.
    """
    missing = _missing(finding.answers if answers is None else answers)
    effect = _best(missing)
    doubt = max(doubt, doubt_of(finding))
    at_fault = missing if answers is not None else [a for a in missing if _ORDER[a.link.effect] == effect]
    return Rank(
        behind_entry_point=not is_entry_point(finding) or (answers is not None and effect != _ORDER["stops"]),
        mildness=DISCOUNT[doubt] + is_apart(finding.target) - BANDS.index(finding.proven.band),
        doubt=doubt,
        left_out=left_out(answer.state for answer in at_fault),
        effect=effect,
        distance=distance(finding.target),
        fewer=0,
        smaller=-finding.claimed.score,
        name=finding.id,
    )


def is_entry_point(finding: Finding) -> bool:
    """Whether this leaves a public endpoint open: no control that stops such a threat is known to be in place.

    That also counts where its callers are not stated and the files use Slack.
    """
    if not finding.threat.first or not finding.likely:
        return False
    stopping = [answer for answer in finding.answers if answer.link.effect == "stops"]
    return bool(stopping) and all(answer.state.level < 1 for answer in stopping)


def distance(target: Element | Flow) -> int:
    """0 where the Internet reaches it, 1 where it is not stated, 2 where it does not or the question makes no sense."""
    found = [target.facts.get(name) for name in FACING.get(target.kind, ())]
    if any(fact is not None and fact.size and fact.value is True for fact in found):
        return 0
    return 1 if any(fact is None or not fact.size for fact in found) else 2


def is_apart(target: Element | Flow) -> bool:
    """Whether it is a function that takes no requests, as far as is known: a schedule or a deployment starts it."""
    found = target.facts.get("takes_requests")
    return target.kind == "function" and found is not None and found.size > 0 and found.value is False


def doubt_of(finding: Finding) -> int:
    """Return 0 if it is known to be bad, 1 if a control is unknown, 2 if it may not apply, 3 if it is not described."""
    if not finding.target.described:
        return 3
    if not finding.applies:
        return 2
    return 1 if finding.verdict == "undetermined" else 0


def strongest(finding: Finding) -> list[Answer]:
    """The cause: of the controls that are not in place, or unknown, those with the strongest effect."""
    missing = _missing(finding.answers)
    best = _best(missing)
    return [answer for answer in missing if _ORDER[answer.link.effect] == best]


def _best(missing: Iterable[Answer]) -> int:
    """The place of the strongest effect among these."""
    return min((_ORDER[answer.link.effect] for answer in missing), default=_ORDER["assures"])


def _missing(answers: Iterable[Answer]) -> list[Answer]:
    return [answer for answer in answers if answer.is_missing]


def left_out(states: Iterable[State]) -> bool:
    """Whether what is known to be missing is a default, as every system has it until it is set."""
    facts = [item for state in states if state.level < 0 for item in state.support]
    return bool(facts) and all(item.said.omitted for item in facts)


def weak_only(finding: Finding) -> bool:
    """Whether only controls that detect or respond are missing: no other control would prevent the attack."""
    return not STRONG & {answer.link.effect for answer in _missing(finding.answers)}
