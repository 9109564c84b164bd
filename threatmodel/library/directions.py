"""Which way a value of a fact counts: whether it reassures (something a library asks for holds) or alarms.

It follows from the library's conditions alone: a value reassures where a control's `in_place` needs it, where it makes
a threat's `applies` or a control's `needs` false, or where it moves a risk down; it alarms the other way round.
Direction belongs to the value: one may reassure one condition and alarm another, and then it does both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from threatmodel.library.condition import Always, And, Condition, Leaf, Not, Or, Tree, test_of
from threatmodel.library.entries import Library
from threatmodel.model.vocabulary import INPUTS, LISTS
from threatmodel.reading.values import dataclass

Test = Callable[[Any], bool]
_Signed = tuple[Leaf, int]
"""A leaf, and whether it reassures where it holds (1) or where it does not (-1)."""


@dataclass(frozen=True, slots=True)
class Directions:
    """The directions of all facts of a library.

    `tests` has what each fact is asked, by kind and name; `structural` are facts that no condition reads and that
    others are derived from: of these any value may reassure.
    """

    tests: Mapping[tuple[str, str], Mapping[_Signed, Test]]
    structural: frozenset[tuple[str, str]]

    def reassured(self, kind: str, fact: str, value: object) -> frozenset[object]:
        """What a value reassures: the tests that it answers as one would wish, empty where it reassures nothing.

        A value is as good as another where it reassures at least the same.
        """
        if (kind, fact) in self.structural:
            return frozenset([value])
        return frozenset(one for one, test in self._tests(kind, fact) if test(value) is (one[1] > 0))

    def alarms(self, kind: str, fact: str, value: object) -> bool:
        """Whether a value answers some test as one would not wish."""
        return any(test(value) is not (one[1] > 0) for one, test in self._tests(kind, fact))

    def _tests(self, kind: str, fact: str) -> Iterator[tuple[_Signed, Test]]:
        yield from self.tests.get((kind, fact), {}).items()


def directions(library: Library) -> Directions:
    """The directions that follow from a library, a team's layers included."""
    tests: dict[tuple[str, str], dict[_Signed, Test]] = {}
    for condition in _conditions(library):
        for leaf, sign in _signed(condition.tree, 1 if condition.reassures else -1):
            tests.setdefault((condition.kind, leaf.fact), {})[leaf, sign] = test_of(leaf, condition.kind)
    inputs = {(one.kind, one.name) for given in INPUTS.values() for one in given if one.name not in LISTS}
    return Directions(tests, frozenset(inputs - tests.keys()))


def _conditions(library: Library) -> Iterator[Condition]:
    """Every condition of a library."""
    for control in library.controls.values():
        if control.in_place is not None:
            yield control.in_place
        yield from (need.condition for need in control.needs)
    for threat in library.threats.values():
        for kind in threat.targets:
            yield from threat.conditions(kind)


def _signed(tree: Tree, sign: int) -> Iterator[_Signed]:
    match tree:
        case Leaf():
            yield tree, sign
        case Not(part):
            yield from _signed(part, -sign)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _signed(part, sign)
        case Always():
            return
