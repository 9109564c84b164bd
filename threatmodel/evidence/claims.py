"""A statement of a file as a claim: whether it reassures, and whether another world of the file has one as good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from threatmodel.library.directions import Directions
from threatmodel.model.facts import EVIDENCE, Statement
from threatmodel.model.system import Trigger
from threatmodel.model.vocabulary import FACTS, LISTS
from threatmodel.reading.problems import Place
from threatmodel.reading.shape import Number
from threatmodel.reading.values import dataclass, replace

Said = Mapping[str, Mapping[str, Sequence[Statement]]]
"""What a file says: statements by element and fact."""

Key = tuple[str, str]
"""What is asked of a file in one go: (element, fact), (function, `WIRING`), or `PASSING`: what all others hand on."""

WIRING = "wiring"
PASSING: Key = ("", WIRING)
_OF_FUNCTIONS = LISTS - {"passes_to"} | {
    *("role_reaches_unused", "starts_itself", "handles_installation", "open_for_installation"),
    *("routes_authenticated", "code_decides_callers"),
}


def key_of(element: str, kind: str, name: str) -> Key:
    """Return the question whose answer has a fact or list of an element."""
    if kind == "function" and name in _OF_FUNCTIONS:
        return (element, WIRING)
    return PASSING if name in LISTS else (element, name)


class Worlds(NamedTuple):
    """What a file says in each of some worlds; `beyond` says why there are others, which are not read."""

    every: tuple[Said, ...]
    beyond: str = ""


class Fallen(NamedTuple):
    """A statement that is unknown after all, the reason, and its place (None: the statement's own)."""

    element: str
    name: str
    statement: Statement
    why: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A statement about a fact or relation of an element."""

    element: str
    kind: str
    name: str
    statement: Statement
    ways: Directions

    @property
    def key(self) -> Key:
        """The question whose answer it is part of."""
        return key_of(self.element, self.kind, self.name)

    @property
    def reassures(self) -> bool:
        """Whether it needs every world: a list does, be it that nothing else is there or only what is."""
        if self.statement.size < EVIDENCE or self.statement.doubt:
            return False
        return self.name in LISTS or bool(self.ways.reassured(self.kind, self.name, self.statement.value))

    @property
    def is_number(self) -> bool:
        """Whether a value between two good ones is good: conditions only set bounds to numbers."""
        return self.name not in LISTS and isinstance(FACTS[self.kind][self.name].shape, Number)

    def holds(self, world: Said) -> bool:
        """Whether a world has it, or something as good."""
        there = world.get(self.element, {}).get(self.name, ())
        if not there:
            return False
        if self.name in LISTS:
            mine = set(map(member_of, self.statement.value))
            if self.statement.open:
                return mine <= {member_of(item) for one in there for item in one.value}
            return any(set(map(member_of, one.value)) == mine and not one.open for one in there)
        good = self.ways.reassured(self.kind, self.name, self.statement.value)
        return all(good <= self.ways.reassured(self.kind, self.name, one.value) and not one.doubt for one in there)

    def in_part(self, worlds: Worlds, why: str) -> Claim:
        """The claim that a list has the members that every world has, and may have others."""
        every = [
            {member_of(item) for one in world.get(self.element, {}).get(self.name, ()) for item in one.value}
            for world in worlds.every
        ]
        found = () if worlds.beyond else self.statement.value
        value = tuple(item for item in found if all(member_of(item) in there for there in every))
        return replace(self, statement=self.statement._replace(value=value, open=self.statement.open or why))

    def is_of(self, world: Said) -> bool:
        """Whether it is a statement of this very world."""
        return any(one is self.statement for one in world.get(self.element, {}).get(self.name, ()))


def agreed(
    said: Said, usual: Mapping[Key, Worlds], kinds: Mapping[str, str], ways: Directions
) -> tuple[list[Claim], list[Fallen]]:
    """Return what is said and alarms, or reassures in every usual world; and what reassures in some of them only.

    `usual` are the worlds that the defaults of parameters leave, by what was asked there.
    """
    claims: dict[tuple[str, str, object, bool], Claim] = {}
    for world in (said, *(world for worlds in usual.values() for world in worlds.every)):
        for element, by in world.items():
            for name, statements in by.items():
                for statement in statements:
                    members = name in LISTS and isinstance(statement.value, tuple)
                    value = tuple(sorted(map(member_of, statement.value))) if members else statement.value
                    key = (element, name, value, bool(statement.open or statement.doubt))
                    claims.setdefault(key, Claim(element, kinds[element], name, statement, ways))
    kept: list[Claim] = []
    fallen: list[Fallen] = []
    for claim in claims.values():
        worlds = usual.get(claim.key, Worlds((said,)))
        if not worlds.beyond and all(map(claim.holds, worlds.every)) if claim.reassures else claim.is_of(said):
            kept.append(claim)
        elif claim.reassures:
            why = worlds.beyond or "it differs where a condition of the file is evaluated the other way"
            fallen.append(Fallen(claim.element, claim.name, claim.statement, why))
            if claim.name in LISTS:
                kept.append(claim.in_part(worlds, why))
            elif claim.is_of(said):
                kept.append(replace(claim, statement=in_doubt(claim.name, claim.statement, why)))
    return _without_doubles(kept), fallen


def in_doubt(name: str, said: Statement, why: str) -> Statement:
    """Return a statement that something may change: a list may be longer, and a fact proves nothing."""
    return said._replace(open=said.open or why) if name in LISTS else said._replace(doubt=said.doubt or why)


def _without_doubles(claims: Iterable[Claim]) -> list[Claim]:
    """Claims of which those that are as good as another on the same fact stand once: worlds differ in places only."""
    found: dict[tuple[str, str, object, str, bool], Claim] = {}
    for claim in claims:
        good = claim.ways.reassured(claim.kind, claim.name, claim.statement.value) if claim.reassures else None
        said = claim.statement
        weak = bool(said.open or said.doubt)
        found.setdefault((claim.element, claim.name, good or said.value, said.source, weak), claim)
    return list(found.values())


def member_of(item: object) -> str:
    """What tells one member of a list from another, its route included."""
    if isinstance(item, Trigger):
        return f"{item.by} {item.detail} {item.source.id if item.source else ''} {item.path}"
    return str(item)
