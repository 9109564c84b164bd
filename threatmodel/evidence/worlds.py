"""What of a file's statements holds in every world that the file leaves open.

A value that reassures is evidence only where no parameter and no condition that a deployment decides gives another.
One that holds by the defaults of parameters alone is word, marked so; one that hangs on a condition which nothing
decides is unknown.  A value that alarms needs one world only, and stays.  Worlds are made by reading the file again,
with parameters open or given a value, and conditions decided; no analysis knows of them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from threatmodel.evidence.work import Work
from threatmodel.library.directions import Directions
from threatmodel.model.facts import EVIDENCE, Statement
from threatmodel.model.system import Trigger
from threatmodel.model.vocabulary import FACTS, LISTS
from threatmodel.reading.problems import Place
from threatmodel.reading.shape import Number
from threatmodel.reading.values import dataclass, replace
from threatmodel.stacks.assumed import Assumed, PlainValue
from threatmodel.stacks.stack import Choice, Parameter, Stack
from threatmodel.stacks.values import List, Scalar

Said = Mapping[str, Mapping[str, Sequence[Statement]]]
"""What a file says: statements by element and fact."""

WantedFacts = Mapping[str, Container[str]]
"""The facts that are asked for, by element."""


@dataclass(frozen=True, slots=True)
class Worlds:
    """What a file says in each of some worlds; `beyond` says why there are others, which are not read."""

    every: tuple[Said, ...]
    beyond: str = ""


class Readings:
    """A file, read again in other worlds: `stack` in a world, `said` by the stack of a world of what is wanted."""

    def __init__(
        self,
        base: Assumed,
        stack: Callable[[Assumed], Stack],
        said: Callable[[Stack, WantedFacts | None], Said],
        work: Work,
    ) -> None:
        self.base = base
        self._work = work
        self.start = stack(base)
        self._stack = stack
        self._said = said

    def worlds(self, start: Assumed, wanted: WantedFacts | None) -> Worlds:
        """What the file says of what is wanted in each world in which all conditions are decided."""
        waiting, work = [start], self._work.part()
        every: list[Said] = []
        while waiting:
            if not work.spend(max(1, len(self.start.resources))):
                return Worlds(tuple(every), work.why)
            assumed = waiting.pop()
            stack = self._stack(assumed)
            choice = next(iter(stack.undecided), None)
            if choice is not None:
                waiting += _branches(assumed, choice, stack)
            else:
                every.append(self._said(stack, wanted))
        return Worlds(tuple(every))

    def all_open(self, wanted: WantedFacts) -> Worlds:
        """The worlds in which every parameter may have any value."""
        return self.worlds(self.base.opened(), wanted)

    def by_default(self, wanted: WantedFacts | None) -> Worlds:
        """The worlds that the parameters' defaults leave."""
        return self.worlds(self.base, wanted)

    def parts(self, wanted: WantedFacts) -> Iterator[tuple[bool, Worlds]]:
        """For each parameter with few values: whether these are all, or the ends of a range; and the worlds of each."""
        for parameter in self._left():
            values, whole = _values(parameter)
            if values and (whole or not self.start.undecided):  # a condition may single out a value between two ends
                found = [self.worlds(self.base.opened().with_value(parameter.name, one), wanted) for one in values]
                every = tuple(said for worlds in found for said in worlds.every)
                yield whole, Worlds(every, next((worlds.beyond for worlds in found if worlds.beyond), ""))

    def one_open(self, wanted: WantedFacts) -> Iterator[tuple[str, Worlds]]:
        """For each parameter, the worlds in which it alone may have any value."""
        for parameter in self._left():
            world = self.base.opened()
            for other in self._left():
                value = _default(other)
                if other is not parameter and value is not None:
                    world = world.with_value(other.name, value)
            yield parameter.name, self.worlds(world, wanted)

    def _left(self) -> Sequence[Parameter]:
        """The parameters that a deployment may give any value."""
        return [one for name, one in self.start.parameters.items() if name not in self.base.values]


class Fallen(NamedTuple):
    """A statement that is not known after all, why, and where that stands (None: where the statement does)."""

    element: str
    name: str
    statement: Statement
    why: str
    place: Place | None = None


def held(said: Said, kinds: Mapping[str, str], readings: Readings, ways: Directions) -> tuple[Said, list[Fallen]]:
    """The statements as they count, and those that fell; `said` is what the file says as it stands.

    `kinds` are those of the elements.  What the file leaves to a condition is stated where all worlds agree.
    """
    start = readings.start
    if not start.undecided and all(one.stated is not None for one in start.parameters.values()):
        return said, []
    usual = readings.by_default(None) if start.undecided else Worlds((said,))
    claims, fallen = _agreed(said, usual, kinds, ways)
    every = Worlds(())
    if reassuring := [claim for claim in claims if claim.reassures]:
        every = readings.all_open(_wanted(reassuring))
    doubtful = [claim for claim in reassuring if not claim.holds_in(every)]
    for whole, worlds in readings.parts(_wanted(doubtful)) if doubtful else ():
        doubtful = [claim for claim in doubtful if not ((whole or claim.is_number) and claim.holds_in(worlds))]
    unread = [claim for claim in doubtful if every.beyond and all(map(claim.holds, every.every))]
    fallen += [Fallen(claim.element, claim.name, claim.statement, every.beyond) for claim in unread]
    defaults = _defaults([claim for claim in doubtful if claim not in unread], readings)
    kept: dict[str, dict[str, list[Statement]]] = {}
    for claim in claims:
        statement = _by_default(claim.statement, defaults.get(claim, ()))
        if claim in unread:
            if claim.name not in LISTS:
                continue
            statement = statement._replace(open=statement.open or every.beyond)
        kept.setdefault(claim.element, {}).setdefault(claim.name, []).append(statement)
    return kept, fallen


def _agreed(said: Said, usual: Worlds, kinds: Mapping[str, str], ways: Directions) -> tuple[list[Claim], list[Fallen]]:
    """What is said and alarms, what reassures in every usual world, and what reassures in some of them only."""
    claims: dict[tuple[str, str, object, bool], Claim] = {}
    for world in (said, *usual.every):
        for element, by in world.items():
            for name, statements in by.items():
                for statement in statements:
                    key = (element, name, _comparable(name, statement.value), bool(statement.open))
                    claims.setdefault(key, Claim(element, kinds[element], name, statement, ways))
    kept = [claim for claim in claims.values() if (claim.holds_in(usual) if claim.reassures else claim.is_of(said))]
    lost = [claim for claim in claims.values() if claim.reassures and not claim.holds_in(usual)]
    why = _why(usual)
    kept += [replace(claim, statement=claim.in_part(usual, why)) for claim in lost if claim.name in LISTS]
    return _without_doubles(kept), [Fallen(claim.element, claim.name, claim.statement, why) for claim in lost]


def _without_doubles(claims: list[Claim]) -> list[Claim]:
    """Claims of which those that are as good as another on the same fact stand once: worlds differ in places only."""
    found: dict[tuple[str, str, object, str, bool], Claim] = {}
    for claim in claims:
        good = claim.ways.reassured(claim.kind, claim.name, claim.statement.value) if claim.reassures else None
        said = claim.statement
        found.setdefault((claim.element, claim.name, good or said.value, said.source, bool(said.open)), claim)
    return list(found.values())


def _by_default(statement: Statement, parameters: tuple[str, ...]) -> Statement:
    """The statement as one that rests on defaults of parameters, where there are any."""
    if not parameters:
        return statement
    names = " and ".join(parameters)
    note = f"from the default of the parameter{'' if len(parameters) == 1 else 's'} {names}"
    return statement._replace(note=note, defaults=parameters)


def _wanted(claims: Sequence[Claim]) -> WantedFacts:
    found: dict[str, set[str]] = {}
    for claim in claims:
        found.setdefault(claim.element, set()).add(claim.name)
    return found


def _defaults(claims: list[Claim], readings: Readings) -> Mapping[Claim, tuple[str, ...]]:
    """For each claim, the parameters that alone, given other values, make it no longer hold; else all together."""
    found: dict[Claim, tuple[str, ...]] = {}
    for name, worlds in readings.one_open(_wanted(claims)) if claims else ():
        for claim in claims:
            if not claim.holds_in(worlds):
                found[claim] = (*found.get(claim, ()), name)
    every = tuple(readings.start.parameters)
    return {claim: found.get(claim, every) for claim in claims}


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A statement about a fact or relation of an element."""

    element: str
    kind: str
    name: str
    statement: Statement
    ways: Directions

    @property
    def reassures(self) -> bool:
        """Whether it needs every world: a list does, be it that nothing else is there or only what is."""
        if self.statement.size < EVIDENCE:
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
        return all(good <= self.ways.reassured(self.kind, self.name, one.value) for one in there)

    def in_part(self, worlds: Worlds, why: str) -> Statement:
        """The statement of a list, as an open one of the members that every world has."""
        every = [
            {member_of(item) for one in world.get(self.element, {}).get(self.name, ()) for item in one.value}
            for world in worlds.every
        ]
        found = () if worlds.beyond else self.statement.value
        return self.statement._replace(
            value=tuple(item for item in found if all(member_of(item) in there for there in every)),
            open=self.statement.open or why,
        )

    def is_of(self, world: Said) -> bool:
        """Whether it is a statement of this very world."""
        return any(one is self.statement for one in world.get(self.element, {}).get(self.name, ()))

    def holds_in(self, worlds: Worlds) -> bool:
        """Whether every world has it."""
        return not worlds.beyond and all(map(self.holds, worlds.every))


def _why(worlds: Worlds) -> str:
    return worlds.beyond or "it differs where a condition of the file is evaluated the other way"


def _default(parameter: Parameter) -> PlainValue | None:
    """The default of a parameter, None where it has none."""
    match parameter.value:
        case Scalar(value=value):
            return value
        case List(items=items):
            return ",".join(str(item.value) for item in items if isinstance(item, Scalar))
        case _:
            return None


def _values(parameter: Parameter) -> tuple[tuple[str | int | float | bool, ...], bool]:
    """The values of a parameter that are worth trying, and whether there are no others."""
    if parameter.allowed:
        return parameter.allowed, True
    if parameter.least is not None and parameter.most is not None:
        return (parameter.least, parameter.most), False
    return (), False


def _branches(assumed: Assumed, choice: Choice, stack: Stack) -> Iterator[Assumed]:
    """The worlds in which a condition is decided."""
    name = choice.condition
    if not assumed.open and choice.usual is not None:
        yield assumed.with_condition(name, holds=choice.usual)
        return
    parameter = stack.parameters.get(choice.parameter)
    if choice.parameter in assumed.values and choice.usual is not None:  # this world's own value decides it
        yield assumed.with_condition(name, holds=choice.usual)
        return
    if parameter is None or choice.parameter in assumed.values:
        yield assumed.with_condition(name, holds=True)
        yield assumed.with_condition(name, holds=False)
        return
    values, whole = _values(parameter)
    if whole:
        yield from (assumed.with_value(choice.parameter, value) for value in values)
        return
    yield assumed.with_value(choice.parameter, choice.value)
    yield assumed.with_condition(name, holds=not choice.equal)


def _comparable(name: str, value: object) -> object:
    """A value, or the members of a relation, so that it can be compared."""
    if name not in LISTS or not isinstance(value, tuple):
        return value
    return tuple(sorted(map(member_of, value)))


def member_of(item: object) -> str:
    """What tells one member of a list from another, its route included."""
    if isinstance(item, Trigger):
        return f"{item.by} {item.detail} {item.source.id if item.source else ''} {item.path}"
    return str(item)
