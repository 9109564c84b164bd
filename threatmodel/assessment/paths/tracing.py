"""All paths of an assessment: found, ranked by the weakest chain, those that are alike together, and what cuts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import product

from threatmodel.assessment.assessed import Assessment, Question
from threatmodel.assessment.paths.cuts import cut
from threatmodel.assessment.paths.leads import LEADS, NO_STEP
from threatmodel.assessment.paths.search import LIMIT, Search, Work, by_begin
from threatmodel.assessment.paths.steps import steps
from threatmodel.assessment.paths.values import (
    AIMS,
    LEVELS,
    STARTS,
    STRENGTHS,
    Alike,
    Decides,
    Path,
    Paths,
    Position,
    Step,
    Strength,
)
from threatmodel.assessment.risk import BANDS, Cell

_ENTERED = ("input", "act")
"""The holds of a function that an attacker can send something to."""

_IMPACT = 3
"""The impact where no step of a path is a threat: what the design gives to a legitimate caller."""


def paths(assessment: Assessment, limit: int = LIMIT) -> Paths:
    """Return the paths of a system, worst first: open and undecided ones as claimed, then unlikely and stopped ones.

    For each last step to an aim, the easiest path as claimed is traced, and the easiest as proven. A start that is less
    common than another one has to be easier.
    """
    following = by_begin(steps(assessment))
    starts = [Position(start) for start in STARTS]
    work = Work(limit)
    asked = {finding: question for question in reversed(assessment.questions) for finding in question.decides}
    found: dict[tuple[int, ...], Path] = {}
    searches = [Search(following, level, work) for level in LEVELS]
    for search, start in product(searches, starts):
        for chain in search.to_aims(start):
            taken = tuple(map(id, chain))
            if taken not in found and any(step.threat for step in chain):
                found[taken] = path(chain, asked)
    return Paths(
        found=_grouped(_longest(sorted((one for one in found.values() if one.as_proven != "stopped"), key=_order))),
        claimed=_counted(one.as_claimed for one in found.values()),
        proven=_counted(one.as_proven for one in found.values()),
        cut_claimed=cut(assessment, starts, following, "claimed", Work(limit)),
        cut_proven=cut(assessment, starts, following, "proven", Work(limit)),
        entries=len(
            {step.end.element for one in starts for step in following.get(one, ()) if step.end.hold in _ENTERED}
        ),
        complete=work.is_done,
        unknown=_unknown(assessment),
        unlisted=_unlisted(assessment),
    )


def _counted(strengths: Iterable[Strength]) -> Mapping[Strength, int]:
    counts = Counter(strengths)
    return {strength: counts[strength] for strength in STRENGTHS}


def path(chain: Sequence[Step], asked: Mapping[str, Question]) -> Path:
    """Return a chain of steps as a path: as strong as its strongest step, as likely as its least likely one."""
    cells = next((step.cells for step in reversed(chain) if step.cells is not None), None)
    impacts = (cells[0].impact, cells[1].impact) if cells is not None else (_IMPACT, _IMPACT)
    unsure = (step for step in chain if "undecided" in {step.claimed.strength, step.proven.strength})
    decide = [_decides(step, asked[step.finding]) for step in unsure if step.finding in asked]
    return Path(
        steps=tuple(chain),
        as_claimed=max((step.claimed.strength for step in chain), key=STRENGTHS.index),
        as_proven=max((step.proven.strength for step in chain), key=STRENGTHS.index),
        claimed=Cell(min(step.claimed.likelihood for step in chain), impacts[0]),
        proven=Cell(min(step.proven.likelihood for step in chain), impacts[1]),
        questions=tuple({(one.question.id, one.facts): one for one in decide}.values()),
    )


def _decides(step: Step, question: Question) -> Decides:
    return Decides(question, tuple(name for name in question.facts if name in step.unknown) or question.facts)


_Worth = tuple[int, ...]


def _order(one: Path) -> tuple[object, ...]:
    """What ranks paths: their worth, from where most attackers start, then few steps; the rest is for order alone."""
    names = [(step.finding or step.along, step.end) for step in one.steps]
    return *_worth(one), STARTS.index(one.start.hold), len(one.steps), _AIM[one.aim], names


_AIM = {aim: place for place, aim in enumerate(AIMS)}


def _worth(one: Path) -> _Worth:
    """The rank as claimed, then as proven; of equal ones what is known to be possible comes first."""
    doubt = max(step.doubt for step in one.steps)
    return *_rank(one.as_claimed, one.claimed, doubt), *_rank(one.as_proven, one.proven, doubt)


_DISCOUNT = (0, 1, 1, 2)
"""How many bands less a path counts, by the greatest doubt of its steps: what every system is asked comes last."""


def _rank(strength: Strength, cell: Cell, doubt: int) -> tuple[int, ...]:
    """Open and undecided ones first; by band, where a doubt counts less, then by impact and likelihood."""
    tier = max(STRENGTHS.index(strength), STRENGTHS.index("undecided"))
    return tier, _DISCOUNT[doubt] - BANDS.index(cell.band), doubt, -cell.impact, -cell.likelihood


def _longest(ranked: Sequence[Path]) -> list[Path]:
    """Leave out paths that are the beginning of one that is as bad."""
    begun: dict[tuple[int, ...], _Worth] = {}
    for one in ranked:
        taken = _taken(one)
        for end in range(1, len(taken)):
            begun.setdefault(taken[:end], _worth(one))
    return [one for one in ranked if _worth(one) < begun.get(_taken(one), _LAST)]


_LAST: _Worth = (len(STRENGTHS),)


def _taken(one: Path) -> tuple[int, ...]:
    """The steps of a path by identity: each is made once."""
    return tuple(id(step) for step in one.steps)


def _grouped(ranked: Iterable[Path]) -> tuple[Alike, ...]:
    """Paths of one rank whose last threat is the same: they differ in the start, the elements and what follows."""
    found: dict[Hashable, list[Path]] = {}
    for one in ranked:
        last = next(step.threat.id for step in reversed(one.steps) if step.threat is not None)
        found.setdefault((last, _worth(one)), []).append(one)
    return tuple(Alike(tuple(some)) for some in found.values())


def _unknown(assessment: Assessment) -> tuple[str, ...]:
    """The functions of which it is not known what starts them or what they use: paths through these are not seen."""
    graph = assessment.graph
    names = ("triggers", "reads", "writes", "sends", "secrets", "invokes")
    functions = (one.id for one in graph.elements.values() if one.kind == "function" and not one.out_of_scope)
    return tuple(
        one
        for one in functions
        if any((found := graph.lists.get(one, {}).get(name)) is None or not found.size for name in names)
    )


def _unlisted(assessment: Assessment) -> tuple[str, ...]:
    """The threats that take part in no path since they are a team's own."""
    listed = {lead.threat for lead in LEADS} | NO_STEP.keys()
    return tuple(name for name in assessment.library.threats if name not in listed)
