"""All mutants of all systems, in a fixed order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.mutation import plans, serverless, templates, words
from scripts.mutation.bases import bases
from scripts.mutation.judging import Mutant


@dataclass(frozen=True, slots=True)
class Made:
    """The mutants, and what was left out because it weakens nothing: how often, by reason."""

    mutants: Sequence[Mutant]
    excluded: Mapping[str, int]

    def good(self, mutant: Mutant) -> Mapping[str, str]:
        """The files of a mutant's system as they are without it."""
        base = bases()[mutant.base]
        return base.files(base.tree)


def made() -> Made:
    """Return every mutant with a unique id, and none that changes nothing."""
    found: dict[str, Mutant] = {}
    excluded: Counter[str] = Counter()
    for base in bases().values():
        good = base.files(base.tree)
        makers: list[plans.Maker | templates.Maker | serverless.Maker] = (
            [plans.Maker(base)]
            if base.kind == "plan"
            else [templates.Maker(base), *([serverless.Maker(base)] if base.kind == "serverless" else [])]
        )
        several = [mutant for maker in makers for mutant in maker.mutants()]
        several += words.mutants(base) if base.name == "example" else ()
        for maker in makers:
            excluded += maker.excluded
        for mutant in several:
            may_be_good = mutant.tree is None or mutant.tree == base.tree
            if may_be_good and all(good.get(path) == text for path, text in mutant.texts.items()):
                excluded["it changes nothing"] += 1
            elif found.setdefault(mutant.id, mutant) is not mutant:
                raise ValueError(f"two mutants are called {mutant.id}")
    return Made(tuple(found.values()), excluded)


SHARES: Mapping[str, int] = {"example": 40, "shop-template": 70, "shop-serverless": 45, "shop-plan": 45}
"""How many mutants of each system a sample has: one of the large system takes a quarter of a second."""


def sample(mutants: Sequence[Mutant]) -> list[int]:
    """The numbers of 200 mutants, spread over systems and classes: every n-th of each class, the smallest first."""
    chosen: list[int] = []
    for base, share in SHARES.items():
        groups: dict[str, list[int]] = {}
        for number, mutant in enumerate(mutants):
            if mutant.base == base:
                groups.setdefault(mutant.weakening, []).append(number)
        left = share
        for at, group in enumerate(sorted(groups.values(), key=len)):
            part = max(1, left // (len(groups) - at))
            taken = group[:: max(1, len(group) // part)][:part]
            chosen += taken
            left -= len(taken)
    return sorted(chosen)
