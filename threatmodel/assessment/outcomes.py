"""What controls leave of a risk, and the verdict on it; findings in the same situation are judged once."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from threatmodel.assessment.assessed import Finding, Verdict
from threatmodel.assessment.risk import STRICTEST, Cell, residual, within
from threatmodel.library.entries import ControlEffect, Threat
from threatmodel.model.facts import EVIDENCE, STATED
from threatmodel.model.system import Acceptance, System

Counts = tuple[int, bool]
"""What the state of a control counts for, and whether it is unknown if the control is in place."""


class Situation(NamedTuple):
    """A threat to an element: the inherent cell, the least that evidence leaves of it, and whether it applies.

    `acceptance` is the one that names the finding, in force or not.
    """

    threat: Threat
    inherent: Cell
    proof: Cell
    applies: bool
    acceptance: Acceptance | None


class Outcome(NamedTuple):
    """The verdict, and what is left of the risk as claimed and as proven."""

    verdict: Verdict
    claimed: Cell
    proven: Cell


def outcome_of(finding: Finding) -> Outcome:
    """Return the outcome of a finding."""
    return Outcome(finding.verdict, finding.claimed, finding.proven)


class _Cells(NamedTuple):
    """What is left of a risk under what is claimed, under what is proven, and if every unknown control is in place.

    Where evidence shows that what would stop the threat is missing, unknown controls that lower the risk leave no hope:
    a hole that is seen is a finding.  So is damage that nothing contains, where nothing stops a threat and the first of
    its controls would contain it.  The proven cell begins at the library's, where the model's own is lower: no
    statement makes it smaller.
    """

    claimed: Cell
    proven: Cell
    hoped: Cell


class Outcomes:
    """The outcomes of one assessment, each computed once."""

    def __init__(self, system: System, today: datetime.date) -> None:
        self._system = system
        self._today = today
        self._known: dict[tuple[object, ...], Outcome] = {}

    def of(self, one: Situation, counts: tuple[Counts, ...]) -> Outcome:
        """Return the outcome of a situation; `counts` are those of the threat's links, in order."""
        accepted = one.acceptance is not None and one.acceptance.name
        key = (one.threat.id, one.inherent, one.proof, one.applies, accepted, counts)
        found = self._known.get(key)
        if found is None:
            cells = _cells(one, counts)
            verdict = "transferred" if one.threat.by_provider else self._verdict(one, cells)
            found = self._known[key] = Outcome(verdict, cells.claimed, cells.proven)
        return found

    def _verdict(self, one: Situation, cells: _Cells) -> Verdict:
        """The first verdict that holds."""
        if within(cells.proven, STRICTEST):
            return "mitigated"
        accepted, terms = one.acceptance, self._system.longest_terms
        enough = accepted is not None and cells.claimed.score <= accepted.risk
        if accepted is not None and enough and terms.is_in_force(accepted.expires, self._today):
            return "accepted"
        if within(cells.claimed, self._system.risk_tolerance):
            return "unproven"
        if not one.applies or within(cells.hoped, self._system.risk_tolerance):
            return "undetermined"
        return "reduced" if cells.claimed.band != one.inherent.band else "open"


def _cells(one: Situation, counts: Iterable[Counts]) -> _Cells:
    answers = [(link.effect, *count) for link, count in zip(one.threat.links, counts, strict=True)]

    def effects(counting: Callable[[int, bool], bool]) -> Iterator[ControlEffect]:
        return (effect for effect, level, is_open in answers if counting(level, is_open))

    stopping = [(level, is_open) for effect, level, is_open in answers if effect == "stops"]
    is_shown = any(level <= -EVIDENCE for level, _ in stopping) and not any(is_open for _, is_open in stopping)
    is_shown = is_shown or (one.threat.contained_by != "" and answers[0][1] < 0)
    proof = Cell(max(one.proof.likelihood, one.inherent.likelihood), max(one.proof.impact, one.inherent.impact))
    return _Cells(
        claimed=residual(one.inherent, effects(lambda level, _: level >= STATED)),
        proven=residual(proof, effects(lambda level, _: level >= EVIDENCE)),
        hoped=residual(one.inherent, effects(lambda level, is_open: level >= STATED or (is_open and not is_shown))),
    )
