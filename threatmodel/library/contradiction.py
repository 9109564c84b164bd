"""Whether a condition can be true at all, whatever the facts of an element are."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.library.condition import Always, And, Leaf, Not, Or, Tree, leaves, test_of
from threatmodel.model.vocabulary import FACTS, Kind
from threatmodel.reading.shape import Flag, Number, Word

_MOST = 20_000
"""Cases that are tried; a condition that needs more is taken to be possible."""

_FALSE = Not(Always())


def can_hold(tree: Tree, kind: Kind) -> bool:
    """Return whether some values of the facts make a condition true; each fact is independent of the others.

    A condition with too many cases to try counts as one that can.
    """
    facts = tuple(dict.fromkeys(leaf.fact for leaf in leaves(tree)))
    return _can_hold(_without(tree, "", None, kind), facts, kind, iter(range(_MOST)))


def _can_hold(tree: Tree, facts: tuple[str, ...], kind: Kind, budget: Iterator[int]) -> bool:
    if tree in {Always(), _FALSE} or not facts:
        return tree != _FALSE
    if next(budget, None) is None:
        return True
    name, *rest = facts
    cases = dict.fromkeys(_without(tree, name, value, kind) for value in _values(name, tree, kind))
    return any(_can_hold(case, tuple(rest), kind, budget) for case in cases)


def _values(name: str, tree: Tree, kind: Kind) -> Iterator[object]:
    """Values of a fact of which each result of its tests has one."""
    row = FACTS[kind][name]
    constants = [leaf.constant for leaf in leaves(tree) if leaf.fact == name]
    named = [one for some in constants for one in (some if isinstance(some, tuple) else (some,)) if one is not None]
    if row.nullable:
        yield None
    match row.shape:
        case Flag():
            yield from (True, False)
        case Word(words):
            yield from (*words, *named, *(["another-word"] if row.shape.open else []))
        case Number(low, high):
            near = {low, high, *(one + step for one in named for step in (-1, 0, 1))}
            yield from sorted(one for one in near if low <= one <= high)


def _without(tree: Tree, name: str, value: object, kind: Kind) -> Tree:
    """A condition in which a fact has a value, without the parts that are decided by it."""
    match tree:
        case Leaf(fact) if fact == name:
            return Always() if test_of(tree, kind)(value) else _FALSE
        case Not(part):
            found = _without(part, name, value, kind)
            return found.part if isinstance(found, Not) else Not(found)
        case And(parts):
            return _joined(And, [_without(part, name, value, kind) for part in parts], _FALSE)
        case Or(parts):
            return _joined(Or, [_without(part, name, value, kind) for part in parts], Always())
        case _:
            return tree


def _joined(join: type[And | Or], parts: list[Tree], decided: Tree) -> Tree:
    """Parts joined: `decided` where one of them is, and without those that decide nothing."""
    neutral = Always() if join is And else _FALSE
    left = tuple(part for part in parts if part != neutral)
    return decided if decided in left else join(left) if left else neutral
