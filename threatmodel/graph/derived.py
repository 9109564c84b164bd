"""Derived facts: what follows from relations and from the facts of neighbours.

The vocabulary names, for each derived fact, what it follows from: facts and relations (a function's triggers, the data
that a store holds).  When a derived fact is unknown, the questions go to its inputs.  The functions below compute the
values; `threatmodel.graph.resolved` calls them.  Each returns a Fact whose origin is the weakest of its inputs, or None
for unknown.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from threatmodel.model.facts import Fact, Facts, Statement
from threatmodel.model.runtimes import CHECKED, RUNTIMES
from threatmodel.model.vocabulary import CLASSIFICATIONS

RELATIONS = frozenset({"triggers", "reads", "writes", "sends", "secrets", "calls", "holds"})
"""Names of inputs that are relations, not facts."""


def known(value: object, said: Iterable[Statement]) -> Fact:
    """A derived fact: as well known as its weakest input."""
    weakest = min(said, key=lambda statement: statement.size)
    return Fact(value, weakest.size, weakest._replace(value=value))


def highest(classes: Sequence[Fact | None]) -> Fact | None:
    """The highest class of data: known when every class is, or as soon as one is the highest there is."""
    known_ones = [fact for fact in classes if fact is not None and fact.size]
    top = [fact for fact in known_ones if fact.value == CLASSIFICATIONS[-1]]
    if top:
        return known(CLASSIFICATIONS[-1], [max(top, key=lambda fact: fact.size).said])
    if len(known_ones) < len(classes) or not known_ones:
        return None
    best = max(known_ones, key=lambda fact: CLASSIFICATIONS.index(fact.value))
    return known(best.value, [fact.said for fact in known_ones])


_STALE = datetime.timedelta(days=365)
"""How long a runtime without an announced last day may be taken for supported on the word of the table."""


def supported(facts: Facts, today: datetime.date | None) -> Fact | None:
    """Whether AWS still patches a function's runtime, by the table; unknown where the table does not tell."""
    runtime = facts.get("runtime")
    if today is None or runtime is None or not runtime.size or runtime.value not in RUNTIMES:
        return None
    last = RUNTIMES[runtime.value]
    if last is None and today - CHECKED > _STALE:
        return None
    return known(last is None or today < last, [runtime.said])
