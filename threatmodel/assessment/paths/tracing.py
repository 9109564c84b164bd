"""All paths of an assessment: found, ranked by the weakest chain, those that are alike together, and what cuts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment, Question
from threatmodel.assessment.paths.cuts import cut
from threatmodel.assessment.paths.leads import LEADS, NO_STEP
from threatmodel.assessment.paths.search import LIMIT, Chain, Network, Search, Work
from threatmodel.assessment.paths.steps import steps
from threatmodel.assessment.paths.values import (
    AIMS,
    LEVELS,
    STARTS,
    STRENGTHS,
    Alike,
    Path,
    Paths,
    Position,
    Step,
    Strength,
)
from threatmodel.assessment.ranking import DISCOUNT
from threatmodel.assessment.risk import BANDS, Cell
from threatmodel.graph.elements import unknown_arrows
from threatmodel.reading.grouping import grouped

_ENTERED = ("input", "act")
"""The holds of a function that an attacker can send something to."""

_INSIDE = ("code", "role")
"""The holds of an attacker who is inside a function."""

_IMPACT = 3
"""The impact where no step of a path is a threat: what the design gives to a legitimate caller."""


def paths(assessment: Assessment, limit: int = LIMIT) -> Paths:
    """Return the paths of a system, worst first: open and undecided ones as claimed, then unlikely and stopped ones.

    For each last step to an aim, the easiest path as claimed is traced, and the easiest as proven. A start that is less
    common than another one has to be easier.
    """
    traced = _Traced(assessment, limit)
    network = traced.network
    entered = {network.steps[step].end for start in network.starts for step in network.after[start]}
    return Paths(
        found=_grouped(_longest(traced.ranked())),
        claimed=_counted(one.as_claimed for one in traced.found),
        proven=_counted(one.as_proven for one in traced.found),
        cut_claimed=cut(assessment, network, "claimed", Work(limit)),
        cut_proven=cut(assessment, network, "proven", Work(limit)),
        entries=len({one.element for one in entered if one.hold in _ENTERED}),
        complete=traced.work.is_done,
        unknown=_unknown(assessment),
        unlisted=_unlisted(assessment),
    )


def worst(assessment: Assessment, limit: int = LIMIT) -> Path | None:
    """Return the path that `paths` lists first, without the controls that cut all of them."""
    return next((one.path for one in _longest(_Traced(assessment, limit).ranked())), None)


class _Traced:
    """The paths of a system as they are found: from each start, as claimed and as proven."""

    def __init__(self, assessment: Assessment, limit: int) -> None:
        self.network = Network(steps(assessment), map(Position, STARTS))
        self.work = Work(limit)
        asked = {finding: question for question in reversed(assessment.questions) for finding in question.decides}
        found: dict[Chain, Path] = {}
        searches = [Search(self.network, level, self.work) for level in LEVELS]
        for search, start in product(searches, self.network.starts):
            for chain in search.to_aims(start):
                if chain not in found:
                    found[chain] = path([self.network.steps[number] for number in chain], asked)
        self._found = {chain: one for chain, one in found.items() if any(step.threat for step in one.steps)}
        self.found = self._found.values()

    def ranked(self) -> list[_Ranked]:
        """Return those that are not stopped as proven, the worst first."""
        found = [_Ranked(_worth(one), chain, one) for chain, one in self._found.items() if one.as_proven != "stopped"]
        places = self._places({number for one in found for number in one.chain})
        return sorted(found, key=partial(_order, places))

    def _places(self, numbers: Collection[int]) -> Mapping[int, int]:
        """The place of each step in the order of its finding, or of what it goes along, and of its end."""
        steps = self.network.steps
        names = {number: (steps[number].finding or steps[number].along, steps[number].end) for number in numbers}
        places = {name: place for place, name in enumerate(sorted(set(names.values())))}
        return {number: places[name] for number, name in names.items()}


class _Ranked(NamedTuple):
    """A path with its rank, and the numbers of its steps."""

    worth: _Worth
    chain: Chain
    path: Path


def _counted(strengths: Iterable[Strength]) -> Mapping[Strength, int]:
    counts = Counter(strengths)
    return {strength: counts[strength] for strength in STRENGTHS}


def path(chain: Sequence[Step], asked: Mapping[str, Question]) -> Path:
    """Return a chain of steps as a path: as strong as its strongest step, as likely as its least likely one.

    What an attacker does from inside a function is rated as likely as that they get in, which earlier steps say.
    """
    cells = next((step.cells for step in reversed(chain) if step.cells is not None), None)
    impacts = (cells[0].impact, cells[1].impact) if cells is not None else (_IMPACT, _IMPACT)
    ways_in = [step for step in chain if step.begin.hold not in _INSIDE] or chain
    return Path(
        steps=tuple(chain),
        as_claimed=max([step.claimed.strength for step in chain], key=_STRENGTH.__getitem__),
        as_proven=max([step.proven.strength for step in chain], key=_STRENGTH.__getitem__),
        claimed=Cell(min([step.claimed.likelihood for step in ways_in]), impacts[0]),
        proven=Cell(min([step.proven.likelihood for step in ways_in]), impacts[1]),
        asked=asked,
    )


_STRENGTH = {strength: place for place, strength in enumerate(STRENGTHS)}
_Worth = tuple[int, ...]


def _order(places: Mapping[int, int], ranked: _Ranked) -> tuple[object, ...]:
    """What ranks paths: their worth, from where most attackers start, then few steps; the rest is for order alone."""
    one = ranked.path
    steps = [places[number] for number in ranked.chain]
    return ranked.worth, STARTS.index(one.start.hold), len(steps), _AIM[one.aim], steps


_AIM = {aim: place for place, aim in enumerate(AIMS)}


def _worth(one: Path) -> _Worth:
    """The rank as claimed, then as proven; of equal ones what is known to be possible comes first."""
    doubt = max(step.doubt for step in one.steps)
    return *_rank(one.as_claimed, one.claimed, doubt), *_rank(one.as_proven, one.proven, doubt)


def _rank(strength: Strength, cell: Cell, doubt: int) -> tuple[int, ...]:
    """Open and undecided ones first; by band, where a doubt counts less, then by impact and likelihood."""
    tier = max(_STRENGTH[strength], _STRENGTH["undecided"])
    return tier, DISCOUNT[doubt] - BANDS.index(cell.band), doubt, -cell.impact, -cell.likelihood


def _longest(ranked: Sequence[_Ranked]) -> list[_Ranked]:
    """Leave out paths that are the beginning of one of the same or a worse band that is as strong and as sure."""
    begun: dict[Chain, _Worth] = {}
    for one in ranked:
        worth = _bands(one)
        for end in range(1, len(one.chain)):
            begun[one.chain[:end]] = min(worth, begun.get(one.chain[:end], _LAST))
    return [one for one in ranked if one.chain not in begun or _bands(one) < begun[one.chain]]


_LAST: _Worth = (len(STRENGTHS),)


def _bands(one: _Ranked) -> _Worth:
    """The worth of a path but for its impact and likelihood inside a band."""
    claimed, band, doubt, _, _, proven, band_proven, doubt_proven, _, _ = one.worth
    return claimed, band, doubt, proven, band_proven, doubt_proven


def _grouped(ranked: Iterable[_Ranked]) -> tuple[Alike, ...]:
    """Paths of one rank whose last threat is the same: they differ in the start, the elements and what follows."""
    threats = (next(step.threat.id for step in reversed(one.path.steps) if step.threat is not None) for one in ranked)
    found = grouped(((last, one.worth), one.path) for last, one in zip(threats, ranked, strict=True))
    return tuple(Alike(tuple(some)) for some in found.values())


def _unknown(assessment: Assessment) -> tuple[str, ...]:
    """The functions of which it is not known what starts them or what they use: paths through these are not seen."""
    graph = assessment.graph
    functions = (one.id for one in graph.elements.values() if one.kind == "function" and not one.out_of_scope)
    return tuple(
        one
        for one in functions
        if {"triggers", "uses"}.intersection(unknown_arrows("function", graph.lists.get(one, {})))
    )


def _unlisted(assessment: Assessment) -> tuple[str, ...]:
    """The threats that take part in no path since they are a team's own."""
    listed = {lead.threat for lead in LEADS} | NO_STEP.keys()
    return tuple(name for name in assessment.library.threats if name not in listed)
