"""A team's own rules, applied to every element of their kind; what is not stated does not count as true."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from threatmodel.graph.building import Element, Flow, Graph
from threatmodel.library.condition import Condition, ConditionError, compile_condition
from threatmodel.library.entries import Library
from threatmodel.model.facts import EVIDENCE, STATED
from threatmodel.model.system import Exemption, Invariant
from threatmodel.model.vocabulary import Kind
from threatmodel.reading.problems import Place, refusal

Holds = Literal["proven", "claimed", "unknown", "broken"]
"""Whether an invariant holds on an element that it binds: proven, only claimed, unknown, or broken."""


class BoundElement(NamedTuple):
    """An element that an invariant binds or may bind, whether it holds, and who exempts it (until a day, or once).

    `is_exempt`: an exemption is in force on the day of the assessment, and evidence does not show that the rule holds.
    """

    id: str
    place: Place
    holds: Holds
    exemption: Exemption | None
    is_exempt: bool


class HeldInvariant(NamedTuple):
    """An invariant with what it binds; `spared` are the elements of its kind that it does not."""

    rule: Invariant
    bound: tuple[BoundElement, ...]
    spared: tuple[str, ...]


class InvariantCount(NamedTuple):
    """How many elements invariants bind, by how they stand; those that are exempt are in none of the others."""

    proven: int
    claimed: int
    unknown: int
    broken: int
    exempt: int


def counted(invariants: Iterable[HeldInvariant]) -> InvariantCount:
    """The elements that these invariants bind, counted."""
    every = [element for one in invariants for element in one.bound]
    bound = [element for element in every if not element.is_exempt]
    count = Counter(element.holds for element in bound)
    states = (count["proven"], count["claimed"], count["unknown"], count["broken"])
    return InvariantCount(*states, len(every) - len(bound))


def held(graph: Graph, library: Library, today: datetime.date) -> Iterator[HeldInvariant]:
    """Every invariant of the libraries and of the model, as of a day.  Raises InputError where a condition is none."""
    exempt = {(one.invariant, one.element): one for one in graph.system.exemptions}
    terms = graph.system.longest_terms
    for rule in (*library.invariants, *graph.system.invariants):
        holds = _compiled(rule.holds, rule.kind, rule.holds_at, reassures=True)
        applies = _compiled(rule.applies, rule.kind, rule.applies_at, reassures=False) if rule.applies else None
        bound, spared = [], []
        for target in graph.targets():
            if target.kind != rule.kind or target.out_of_scope:
                continue
            if applies is not None and target.described and applies.truth(target.facts) < 0:
                spared.append(target.id)
                continue
            how = _standing(target, applies, holds)
            by = exempt.get((rule.id, target.id))
            is_exempt = by is not None and how != "proven" and terms.is_in_force(by.expires, today)
            bound.append(BoundElement(target.id, target.place or rule.place, how, by, is_exempt))
        yield HeldInvariant(rule, tuple(bound), tuple(spared))


def _compiled(text: str, kind: Kind, place: Place, *, reassures: bool) -> Condition:
    try:
        return compile_condition(text, kind, reassures=reassures)
    except ConditionError as error:
        raise refusal("wrong-condition", place, str(error), "write target.FACT, as a threat does") from None


def _standing(target: Element | Flow, applies: Condition | None, holds: Condition) -> Holds:
    truth = holds.truth(target.facts) if target.described else 0
    if truth >= EVIDENCE:
        return "proven"
    if truth >= STATED:
        return "claimed"
    bound = applies is None or (target.described and applies.truth(target.facts) > 0)
    return "broken" if truth < 0 and bound else "unknown"
