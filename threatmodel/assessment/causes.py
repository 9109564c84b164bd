"""Why a finding that is known to be bad is so: the control whose lack is at fault, and what shows the lack.

A finding can want several controls; at fault is what would lower its band by itself, then what somebody wrote before
what nobody set, then what would stop the threat, then what made it worse.  Of several such it is the one that most
other findings hang on, then the one with the strongest effect: what hangs on one control shares the reason, whatever
threat it is.  What would only tell of an attack is at fault where nothing else is left to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from threatmodel.assessment.assessed import Answer, Finding
from threatmodel.assessment.groups import Group, raising
from threatmodel.assessment.ranking import STRONG
from threatmodel.assessment.risk import BANDS, MOVES, residual
from threatmodel.assessment.states import State, Support
from threatmodel.library.entries import EFFECTS, ControlEffect
from threatmodel.model.facts import WORD


class Cause(NamedTuple):
    """The answer at fault.  `written`: somebody wrote what shows it; otherwise a default applies, or nobody says."""

    answer: Answer
    written: bool

    @property
    def state(self) -> State:
        """The state of the control at fault."""
        return self.answer.state

    @property
    def effect(self) -> ControlEffect:
        """What the control would do to the threat."""
        return self.answer.link.effect

    @property
    def items(self) -> tuple[Support, ...]:
        """The facts that show it, what somebody wrote first; none where only a person could tell."""
        return tuple(sorted((item for item in self.state.support if item.known), key=lambda item: item.said.omitted))


def causes(groups: Iterable[Group]) -> list[tuple[Group, Cause | None]]:
    """Groups that are known to be bad, each with what is at fault; None where all that it wants is unknown.

    A cause is that of the group's first finding: the others have the same control at fault, on their own elements.
    """
    found = [(group, candidates(group.head)) for group in groups]
    hanging: Counter[str] = Counter()
    for group, alike in found:
        for one in alike:
            hanging[one.state.control] += len(group.findings)
    return [
        (group, min(alike, key=lambda one: (-hanging[one.state.control], _strength(one)), default=None))
        for group, alike in found
    ]


def candidates(finding: Finding) -> list[Cause]:
    """The controls that are equally at fault for a finding, the strongest effect first."""
    wanting = [one for one in finding.answers if one.state.is_wanting and one.link.effect in MOVES]
    strong = [one for one in wanting if one.link.effect in STRONG] or wanting
    known = [Cause(answer, _written(answer.state)) for answer in strong if answer.state.level < 0]
    raised = raising(finding) if known else frozenset()
    ranked = [(_class(one, finding, raised), one) for one in known]
    best = min((order for order, _ in ranked), default=None)
    return sorted((one for order, one in ranked if order == best), key=_strength)


def _class(one: Cause, finding: Finding, raised: frozenset[str]) -> tuple[bool, ...]:
    """How little at fault a control is, the least first; `raised` are the facts that raise the finding's numbers."""
    resting = one.state.state == "ineffective"  # what it rests on is at fault
    worse = not raised.isdisjoint(item.fact for item in one.state.support)
    return resting, not helps(finding, one.answer), not one.written, one.effect != "stops", not worse


def _strength(one: Cause) -> int:
    return EFFECTS.index(one.effect)


def _written(state: State) -> bool:
    """Whether what shows it is written somewhere; what is planned, or contradicted by a person, is."""
    known = [item for item in state.support if item.known]
    return not known or any(not item.said.omitted for item in known)


def helps(finding: Finding, answer: Answer) -> bool:
    """Whether this control alone, put in place, would lower the claimed band."""
    held = [other.link.effect for other in finding.answers if other.state.level >= WORD]
    after = residual(finding.inherent, [*held, answer.link.effect])
    return BANDS.index(after.band) < BANDS.index(finding.claimed.band)
