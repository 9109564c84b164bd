"""A list as weighed: the members that are known, and whether there may be more.

Each statement says of its members that they are there.  One of a whole list says of all others that they are not; one
of an open list says nothing of them.  So every member is weighed like a separate fact, and a list is closed by the
best statement of a whole list that names all the members there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from threatmodel.model.facts import Fact, Statement, known, rank, stated, weigh
from threatmodel.model.system import Trigger
from threatmodel.reading.values import cached_property, dataclass, new_tuple


class Member(NamedTuple):
    """Something that is in a list: a trigger, or the id of an element or of data; `fact` is that it is there."""

    item: Any
    fact: Fact


@dataclass(frozen=True)
class Members:
    """The known members of a list.

    `closed` is the statement that says that there are no others, None where there may be; `said` is the statement that
    counts most for the list as a whole, `against` those that the members contradict.
    """

    known: tuple[Member, ...]
    said: Statement
    closed: Statement | None
    against: tuple[Statement, ...] = ()

    @cached_property
    def items(self) -> tuple[Any, ...]:
        """The members themselves."""
        return tuple([member.item for member in self.known])

    @cached_property
    def size(self) -> int:
        """How well the list is known as a whole: 0 where there may be more."""
        if self.closed is None:
            return 0
        return min([self.closed.size, *(member.fact.size for member in self.known)])

    @cached_property
    def weakest(self) -> Statement:
        """What the list as a whole rests on; of an open one, what is said of it."""
        said = [self.said, *(member.fact.said for member in self.known)]
        return min(said, key=lambda statement: statement.size)


Lists = Mapping[str, Members]
"""The lists of one element by name; one that is not stated is missing."""


def weighed(statements: Sequence[Statement]) -> Members:
    """The list that several statements amount to; the order of a list and where its items stand do not matter."""
    if len(statements) == 1:
        only = statements[0]
        items, source, place, note, stale, defaults, _, doubt = only
        fact = stated(new_tuple(Statement, (True, source, place, note, stale, defaults, "", doubt)))
        whole = tuple([new_tuple(Member, (item, fact)) for item in items])
        return Members(whole, only, None if only.open else only)
    ranked = sorted(statements, key=rank, reverse=True)
    names = [{name_of(item) for item in said.value} for said in ranked]
    found = {name: weigh(_about(name, ranked, names)) for name in dict.fromkeys(_every(ranked))}
    there = {name for name, fact in found.items() if fact.size and fact.value}
    disputed = any(not fact.size for fact in found.values())
    closing = (said for said, own in zip(ranked, names, strict=True) if not said.open and there <= own)
    closed = None if disputed else next(closing, None)
    best = closed or ranked[0]
    differing = [
        said
        for said, own in zip(ranked, names, strict=True)
        if said is not best and (own - there or (not said.open and there - own))
    ]
    return Members(tuple(_members(ranked, names, found, there)), best, closed, tuple(differing))


def _every(ranked: Iterable[Statement]) -> Iterator[str]:
    for said in ranked:
        yield from map(name_of, said.value)


def _about(name: str, ranked: Sequence[Statement], names: Sequence[set[str]]) -> Iterator[Statement]:
    """What each statement says of one member."""
    for said, own in zip(ranked, names, strict=True):
        if name in own or not said.open:
            yield said._replace(value=name in own, open="")


def _members(
    ranked: Sequence[Statement], names: Sequence[set[str]], found: Mapping[str, Fact], there: set[str]
) -> Iterator[Member]:
    """Each member as the best statement of it has it."""
    named: set[str] = set()
    for said, own in zip(ranked, names, strict=True):
        for item in said.value:
            name = name_of(item)
            if name in there and name not in named:
                yield Member(item, found[name])
        named |= own


def name_of(item: Any) -> str:
    """What tells one member from another: of a trigger all but its route, and whether it is known who calls."""
    if isinstance(item, Trigger):
        return f"{item.by} {item.detail} {item.source.id if item.source else ''} {item.caller}"
    return str(item)


def distinct(triggers: Iterable[Member]) -> Iterator[Member]:
    """The triggers that differ by more than their route."""
    seen = set()
    for member in triggers:
        if (name := name_of(member.item)) not in seen:
            seen.add(name)
            yield member


# --- asked of the lists of an element


def members_of(lists: Lists, name: str) -> tuple[Member, ...]:
    """The known members of a list; none of one that is not stated."""
    found = lists.get(name)
    return () if found is None else found.known


def none_in(lists: Sequence[Members | None], nothing: Statement | None = None) -> Fact | None:
    """That something is in none of these lists, which takes that all of them are closed."""
    said = [nothing] if nothing is not None else []
    for members in lists:
        if members is None or not members.size:
            return None
        said.append(members.weakest)
    return known(value=False, said=said)


def any_in(lists: Lists, name: str, holds: Callable[[Member], bool]) -> Fact | None:
    """Whether some member of a list fits: true by the best known that does, false where the list is closed."""
    fitting = [member.fact for member in members_of(lists, name) if holds(member)]
    if fitting:
        return known(value=True, said=[max(fitting, key=lambda fact: fact.size).said])
    return none_in([lists.get(name)])
