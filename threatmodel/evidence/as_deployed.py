"""What is deployed and the code that is written for it, where they state different values of a fact.

What is deployed counts, and the code then is a statement of what the next deployment sets.  Until both agree, neither
reassures: a value that alarms stays a finding, whichever of the two states it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threatmodel.model.facts import EVIDENCE, Statement, Statements
from threatmodel.model.vocabulary import LISTS


def differing(written: Statements, deployed: Statements) -> None:
    """Change the statements of facts that the code and what is deployed state differently, in place.

    Lists stay: members of both are known, and a member that one of them lacks opens the list.
    """
    for element, by in deployed.items():
        code = written.get(element, {})
        for name in (by.keys() & code.keys()) - LISTS:
            there = by[name]
            here = code[name] = [one for one in code[name] if not _by_default(one, there)]
            code[name] = [_behind(one) if _differs(one, there) else one for one in here]
            by[name] = [_doubted(one, here) for one in there]


def _differs(one: Statement, others: Iterable[Statement]) -> bool:
    """Whether evidence states another value than some other evidence."""
    return one.size == EVIDENCE and any(other.size == EVIDENCE and not _same(one, other) for other in others)


def _by_default(one: Statement, deployed: Iterable[Statement]) -> bool:
    """Whether a statement holds by defaults alone, in place of which the deployment has values: no difference."""
    return bool(one.defaults) and any(other.size == EVIDENCE for other in deployed)


def _same(one: Statement, other: Statement) -> bool:
    return one.value == other.value and type(one.value) is type(other.value)


def _behind(one: Statement) -> Statement:
    return one._replace(stale=True)


def _doubted(one: Statement, here: Sequence[Statement]) -> Statement:
    """What is deployed, in doubt where the code states another value."""
    other = next((said for said in here if _differs(said, [one])), None)
    if other is None or other.place is None or one.doubt:
        return one
    return one._replace(doubt=f"the next deployment may change it: {other.place.short} differs")
