"""Risk as a cell of the five by five matrix, and what controls in place do to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Literal, NamedTuple, get_args

from threatmodel.library.entries import ControlEffect, Move, Threat
from threatmodel.model.facts import EVIDENCE, STATED, Facts

Band = Literal["low", "medium", "high", "critical"]
BANDS: tuple[Band, ...] = get_args(Band)
"""Bands of a score: low to 5, medium to 9, high to 16, critical above."""

_UPPER: Mapping[str, int] = dict(zip(BANDS, (5, 9, 16, 25), strict=True))
_BAND_OF = tuple(next(band for band in BANDS if score <= _UPPER[band]) for score in range(26))
STRICTEST = BANDS[0]
"""The tolerance of the library: what proven controls have to reach before a finding is mitigated."""

MOVES: frozenset[ControlEffect] = frozenset({"stops", "hinders", "contains", "detects", "responds"})
"""Effects that can move a cell; `assures` never does."""

_MOST, _FLOOR = 2, 2


class Cell(NamedTuple):
    """A likelihood and an impact, 1 to 5 each."""

    likelihood: int
    impact: int

    @property
    def score(self) -> int:
        """Likelihood times impact."""
        return self.likelihood * self.impact

    @property
    def band(self) -> Band:
        """The band of the score."""
        return _BAND_OF[self.likelihood * self.impact]


class Risk(NamedTuple):
    """What threatens an element: the worst claimed band (or 'undetermined'), and how many findings need attention.

    `place` is its place among the elements from the worst one on; those that are as bad share one.
    """

    band: Band | Literal["undetermined"]
    threats: int
    place: int


def band(score: int) -> Band:
    """The band of a score."""
    return _BAND_OF[score]


def least_score(name: str) -> int:
    """The least score of a band, by its name."""
    return next(score for score in range(len(_BAND_OF)) if _BAND_OF[score] == name)


def within(cell: Cell, tolerance: str) -> bool:
    """Whether a risk needs no more treatment."""
    return cell.score <= _UPPER[tolerance]


class Weighed(NamedTuple):
    """A threat's cell for one element by its library: as claimed, as the worst that no evidence denies, and why."""

    cell: Cell
    proof: Cell
    reasons: tuple[str, ...]


def weighed(threat: Threat, kind: str, facts: Facts) -> Weighed:
    """A threat's numbers moved by what is known of an element; what raises wins over what lowers.

    Unknown lowers nothing.  For the proven cell only evidence lowers, and only evidence keeps a raise away.
    """
    cell = proof = Cell(threat.likelihood, threat.impact)
    reasons: list[str] = []
    for moves, most in ((threat.lowers, min), (threat.raises, max)):
        for move in moves:
            truth = move.conditions[kind].truth(facts)
            after = _moved(cell, move, most) if truth > 0 else cell
            if after != cell:
                reasons.append(f"{'raised' if most is max else 'lowered'}: {move.because}")
            cell = after
            if truth > -EVIDENCE if most is max else truth >= EVIDENCE:
                proof = _moved(proof, move, most)
    return Weighed(cell, proof, tuple(reasons))


def with_unknown_raises(cell: Cell, threat: Threat, kind: str, facts: Facts) -> Cell:
    """Return a cell moved by every raise of which an open question decides whether it applies."""
    return _raised(cell, threat, kind, facts, {0})


def proof_if_answered(threat: Threat, kind: str, facts: Facts) -> Cell:
    """Return the worst cell that no evidence denies, if every open question were answered so that it raises nothing."""
    cell = Cell(threat.likelihood, threat.impact)
    for move in threat.lowers:
        if move.conditions[kind].truth(facts) >= EVIDENCE:
            cell = _moved(cell, move, min)
    return _raised(cell, threat, kind, facts, {-STATED, STATED, EVIDENCE})


def _raised(cell: Cell, threat: Threat, kind: str, facts: Facts, truths: Collection[int]) -> Cell:
    """A cell moved by the raises whose condition is as true as that."""
    for move in threat.raises:
        if move.conditions[kind].truth(facts) in truths:
            cell = _moved(cell, move, max)
    return cell


def kept_low(threat: Threat, kind: str, facts: Facts) -> Iterator[str]:
    """The facts that are only claimed and keep a threat's own numbers down: they lower them, or prevent a raise."""
    cell = weighed(threat, kind, facts).cell
    for moves, side in ((threat.lowers, 1), (threat.raises, -1)):
        for move in moves:
            condition = move.conditions[kind]
            aims = zip((move.likelihood, move.impact), cell, (threat.likelihood, threat.impact), strict=True)
            matters = any(aim is not None and (now < own if side > 0 else now < aim) for aim, now, own in aims)
            if matters and condition.truth(facts) == side * STATED:
                readings = condition.why(facts)
                yield from (leaf.fact for leaf, fact in readings if fact is not None and fact.size == STATED)


def _moved(cell: Cell, move: Move, most: Callable[[int, int], int]) -> Cell:
    likelihood, impact = move.likelihood or cell.likelihood, move.impact or cell.impact
    return Cell(most(cell.likelihood, likelihood), most(cell.impact, impact))


def residual(inherent: Cell, effects: Iterable[ControlEffect]) -> Cell:
    """What is left of a risk under controls of these effects.

    `stops` brings likelihood to 1; each `hinders` takes one off likelihood and each `contains` one off impact, two at
    most an axis and never below 2; `detects` and `responds` together count as one `contains`.
    """
    return _residual(inherent, tuple(effects))


@cache
def _residual(inherent: Cell, effects: tuple[str, ...]) -> Cell:
    both = "detects" in effects and "responds" in effects
    likelihood = _lowered(inherent.likelihood, effects.count("hinders"))
    impact = _lowered(inherent.impact, effects.count("contains") + both)
    return Cell(1 if "stops" in effects else likelihood, impact)


def _lowered(value: int, steps: int) -> int:
    return max(value - min(steps, _MOST), min(value, _FLOOR))
