"""What of a file's statements holds in every world that the file leaves open.

A value that reassures is evidence only where no parameter and no condition that a deployment decides gives another.
One that holds by the defaults of parameters alone is stated, marked so; one that depends on a condition which nothing
decides is unknown.  A value that alarms needs one world only, and stays.

A world is the file read again, with parameters open or given a value, and conditions decided.  What the computation
of a fact read tells which choices matter to it: only these are decided, one after the other, and a world in which none
of them is open stands for all that it leaves open.  Questions go down this tree together, so that each world is read
once and forgotten.  No analysis knows of worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from threatmodel.evidence.claims import Claim, Fallen, Key, Said, Worlds, agreed, in_doubt
from threatmodel.library.directions import Directions
from threatmodel.model.facts import Statement
from threatmodel.reading.values import dataclass, field, replace
from threatmodel.stacks.assumed import Assumed, PlainValue
from threatmodel.stacks.stack import Choice, Parameter, Stack
from threatmodel.stacks.values import ANY_CHOICE, List, Scalar, leaves
from threatmodel.stacks.work import VALUES, Work

_PARTS = 8
"""One question may take this part of a file's work, so that a single one cannot use up what the others need."""


class World(NamedTuple):
    """A file as it is read in one world: its stack, and what it answers, with the choices that were read for that."""

    stack: Stack
    ask: Callable[[Key], tuple[Said, frozenset[str]]]


@dataclass(eq=False, slots=True)
class _Question:
    """A question on its way down the tree: what is said, or whether that bears out a claim.

    `room` are the operations that it may take.  `valued`: where a claim fails, parameters that may have few values are
    tried.  `read` collects the choices that were read for it; `beyond`: it was given up, since its worlds take more.
    """

    key: Key
    room: int
    claim: Claim | None = None
    valued: bool = False
    every: list[Said] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    failed: bool = False
    beyond: bool = False
    ended: bool = False


class _Fork(NamedTuple):
    """The worlds in which a question is to be asked next, `most` how many may follow; a `label` for the same worlds."""

    label: str
    worlds: Sequence[Assumed]
    most: int = 1


_ANSWERED = _Fork("", ())


class Tree:
    """The worlds of a file, each read where some question needs it; `start` is the file without decisions."""

    def __init__(self, base: Assumed, start: Stack, read: Callable[[Assumed], World], work: Work) -> None:
        self.base = base
        self.start = start
        self.work = work
        self._left = [one for name, one in start.parameters.items() if name not in base.values]
        self._read = read
        values = sum(1 for one in start.resources.values() for _ in leaves(one.properties))
        self._size = max(1, len(start.resources) + values // VALUES)

    def usual(self, keys: Iterable[Key]) -> Mapping[Key, Worlds]:
        """Return what is said in each world that the defaults of parameters leave."""
        questions = [_Question(key, self.work.limit // _PARTS) for key in keys]
        self._visit(replace(self.base, usual=True), questions)
        return {one.key: Worlds(tuple(one.every), self.work.why if one.beyond else "") for one in questions}

    def asked(self, start: Assumed, claims: Iterable[Claim], *, valued: bool = False) -> Mapping[Claim, _Question]:
        """Ask of each claim whether it holds in every world that is left open."""
        questions = {claim: _Question(claim.key, self.work.limit // _PARTS, claim, valued) for claim in claims}
        self._visit(start, list(questions.values()))
        return questions

    def defaults(self, read: Mapping[Claim, set[str]]) -> Mapping[Claim, tuple[str, ...]]:
        """Return the parameters that alone, given other values, make a claim no longer hold; else all together.

        `read` are the choices that were read for each claim.
        """
        found: dict[Claim, tuple[str, ...]] = {}
        for parameter in self._left:
            near = [claim for claim, choices in read.items() if not choices.isdisjoint((parameter.name, ANY_CHOICE))]
            world = replace(self.base, open=True)
            for other in self._left if near else ():
                value = _default(other)
                if other is not parameter and value is not None:
                    world = world.with_value(other.name, value)
            for claim, question in self.asked(world, near).items():
                if question.failed or question.beyond:
                    found[claim] = (*found.get(claim, ()), parameter.name)
        every = tuple(self.start.parameters)
        return {claim: found.get(claim, every) for claim in read}

    # --- down the tree

    def _visit(self, assumed: Assumed, questions: Iterable[_Question]) -> None:
        """Ask questions in a world, and in those below it that they need."""
        alive = [one for one in questions if not one.ended]
        if alive and not self.work.spend(self._size + len(alive)):
            for one in alive:
                one.beyond = one.ended = True
        elif alive:
            for fork, members in self._below(assumed, alive):
                for each in fork.worlds:
                    self._visit(each, members)

    def _below(self, assumed: Assumed, questions: Iterable[_Question]) -> list[tuple[_Fork, list[_Question]]]:
        """The worlds below a world, with the questions for each, the easy ones first; the world itself is forgotten."""
        world = self._read(assumed)
        found: dict[str, tuple[_Fork, list[_Question]]] = {}
        for one in questions:
            said, read = world.ask(one.key)
            one.read |= read
            choices = [each for each in world.stack.undecided if ANY_CHOICE in read or f"?{each.condition}" in read]
            if choices:
                fork = self._divided(assumed, one, choices, world.stack)
            else:
                fork = self._answered(assumed, one, said, read)
            if fork.worlds:
                found.setdefault(fork.label, (fork, []))[1].append(one)
        world.stack.reads.forget()
        return sorted(found.values(), key=lambda each: each[0].most)

    def _answered(self, assumed: Assumed, question: _Question, said: Said, read: frozenset[str]) -> _Fork:
        """Take an answer that no open choice changes; where a claim fails, values of a parameter may bear it out."""
        claim = question.claim
        if claim is None:
            question.every.append(said)
        elif not claim.holds(said):
            parameter = self._with_few_values(assumed, read, claim) if question.valued else None
            values = _values(parameter)[0] if parameter is not None and not question.beyond else ()
            if parameter is not None and values and self._size * len(values) <= question.room:
                question.room -= self._size * len(values)
                worlds = [assumed.with_value(parameter.name, one) for one in values]
                return _Fork(parameter.name, worlds, len(worlds))
            question.failed = question.ended = True
        return _ANSWERED

    def _divided(self, assumed: Assumed, question: _Question, choices: Sequence[Choice], stack: Stack) -> _Fork:
        """Decide the first of the choices that a question has read.

        Where deciding all of them takes more than the question has room for, it is asked in two more worlds only: these
        may show that a claim does not hold, and can't show that it does.
        """
        if question.beyond:
            question.ended = True
            return _ANSWERED
        most = _most(assumed, choices, stack)
        if self._size * most > question.room:
            question.beyond = True
            self.work.end()
            label = " ".join(one.condition for one in choices)
            return _Fork(f"all of {label}", [_at_end(assumed, choices, stack, end) for end in (0, -1)], most)
        question.room -= self._size
        label = f"{choices[0].condition} of {most.bit_length()}"  # those that need few worlds don't wait for others
        return _Fork(label, list(_branches(assumed, choices[0], stack)), most)

    def _with_few_values(self, assumed: Assumed, read: frozenset[str], claim: Claim) -> Parameter | None:
        """Return a parameter that was read and allows only some values, which represent all that it may have."""
        for one in self._left:
            if one.name not in assumed.values and not read.isdisjoint((one.name, ANY_CHOICE)):
                values, whole = _values(one)
                if values and (whole or (claim.is_number and not self.start.undecided)):
                    return one  # a condition may single out a value between two ends
        return None


class Held(NamedTuple):
    """The statements of a file as they count, those that fell, and what is said in the worlds that defaults leave."""

    said: Said
    fallen: list[Fallen]
    usual: Mapping[Key, Worlds]


def held(said: Said, kinds: Mapping[str, str], tree: Tree, keys: Iterable[Key], ways: Directions) -> Held:
    """Hold what a file states without decisions (`said`) against its other worlds.

    `kinds` are those of the elements, `keys` all that the file can be asked.  What the file leaves to a condition is
    stated where all worlds agree.
    """
    start = tree.start
    if not start.undecided and all(one.stated is not None for one in start.parameters.values()):
        return Held(said, [], {})
    usual = tree.usual(keys) if start.undecided else {}
    claims, fallen = agreed(said, usual, kinds, ways)
    asked = tree.asked(replace(tree.base, open=True), [claim for claim in claims if claim.reassures], valued=True)
    unread = {claim for claim, one in asked.items() if one.beyond and not one.failed}
    why = tree.work.why
    fallen += [Fallen(claim.element, claim.name, claim.statement, why) for claim in claims if claim in unread]
    defaults = tree.defaults({claim: one.read for claim, one in asked.items() if one.failed})
    kept: dict[str, dict[str, list[Statement]]] = {}
    for claim in claims:
        statement = _by_default(claim.statement, defaults.get(claim, ()))
        if claim in unread:
            statement = in_doubt(claim.name, statement, why)
        kept.setdefault(claim.element, {}).setdefault(claim.name, []).append(statement)
    return Held(kept, fallen, usual)


def _by_default(statement: Statement, parameters: tuple[str, ...]) -> Statement:
    """The statement as one that rests on defaults of parameters, where there are any."""
    if not parameters:
        return statement
    names = " and ".join(parameters)
    note = f"from the default of the parameter{'' if len(parameters) == 1 else 's'} {names}"
    return statement._replace(note=note, defaults=parameters)


def _default(parameter: Parameter) -> PlainValue | None:
    """The default of a parameter, None where it has none."""
    match parameter.value:
        case Scalar(value=value):
            return value
        case List(items=items):
            return ",".join(str(item.value) for item in items if isinstance(item, Scalar))
        case _:
            return None


def _values(parameter: Parameter) -> tuple[Sequence[PlainValue], bool]:
    """The values of a parameter that are worth trying, and whether there are no others."""
    if parameter.allowed:
        return parameter.allowed, True
    if parameter.least is not None and parameter.most is not None:
        return (parameter.least, parameter.most), False
    return (), False


def _branches(assumed: Assumed, choice: Choice, stack: Stack) -> Iterator[Assumed]:
    """The worlds in which a condition is decided."""
    if _has_few_values(choice, assumed, stack):
        yield from (assumed.with_value(choice.parameter, one) for one in stack.parameters[choice.parameter].allowed)
    elif choice.parameter in stack.parameters and choice.parameter not in assumed.values:
        yield assumed.with_value(choice.parameter, choice.value)
        yield assumed.with_condition(choice.condition, holds=not choice.equal)
    else:
        yield assumed.with_condition(choice.condition, holds=True)
        yield assumed.with_condition(choice.condition, holds=False)


def _has_few_values(choice: Choice, assumed: Assumed, stack: Stack) -> bool:
    """Whether a condition compares a parameter that is open and may have some values only."""
    parameter = stack.parameters.get(choice.parameter)
    return parameter is not None and bool(parameter.allowed) and choice.parameter not in assumed.values


def _most(assumed: Assumed, choices: Iterable[Choice], stack: Stack) -> int:
    """How many worlds there are at most in which the choices are decided."""
    found, tried = 1, set()
    for choice in choices:
        parameter = choice.parameter if _has_few_values(choice, assumed, stack) else ""
        if parameter not in tried:
            found *= len(list(_branches(assumed, choice, stack)))
        tried |= {parameter} - {""}
    return found


def _at_end(assumed: Assumed, choices: Iterable[Choice], stack: Stack, end: int) -> Assumed:
    """The world in which each of the choices is decided the first way, or each the last."""
    for choice in choices:
        assumed = list(_branches(assumed, choice, stack))[end]
    return assumed
