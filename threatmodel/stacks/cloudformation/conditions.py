"""The conditions of a template, in three values: what holds in any case, and what holds with parameters' defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from threatmodel.reading.problems import Place
from threatmodel.stacks.cloudformation.intrinsics import Scope, Truth, written
from threatmodel.stacks.values import List, Node, Scalar, Table, text

DEEPEST = 100
"""Conditions within or behind one another; what lies deeper is not decided."""

_Value: TypeAlias = "bool | None"


def decided(section: Table | None, scope: Scope) -> Mapping[str, Truth]:
    """What is known of each condition of a section."""
    conditions = _Conditions(section.entries if section else {}, scope)
    for name in conditions.entries:
        conditions.named(name, None, 0)
    return conditions.found


class _Conditions:
    """The conditions of one template; each is looked at once, and those in a circle are not decided."""

    def __init__(self, entries: Mapping[str, Node], scope: Scope) -> None:
        self.entries = entries
        self.scope = scope
        self.found: dict[str, Truth] = {}

    def named(self, name: str, place: Place | None, depth: int) -> Truth:
        """What is known of a condition; `place` is where it is referred to."""
        if name not in self.found:
            if name not in self.entries:
                if place is not None:
                    self.scope.no_condition(name, self.entries, place)
                return Truth()
            self.found[name] = Truth()
            self.found[name] = self.truth(self.entries[name], depth + 1)
        return self.found[name]

    def truth(self, node: Node, depth: int) -> Truth:
        """What is known of an expression."""
        if not isinstance(node, Table) or len(node.entries) != 1 or depth > DEEPEST:
            return Truth()
        ((function, argument),) = node.entries.items()
        if function == "Condition":
            return self.named(text(argument) or "", node.place, depth)
        operands = argument.items if isinstance(argument, List) else (argument,)
        if function == "Fn::Equals":
            return self.equal(operands)
        if function not in {"Fn::And", "Fn::Or", "Fn::Not"}:
            return Truth()
        truths = [self.truth(operand, depth + 1) for operand in operands]
        return Truth(
            _together(function, [one.sure for one in truths]), _together(function, [one.usual for one in truths])
        )

    def equal(self, operands: Sequence[Node]) -> Truth:
        """Whether two texts are equal."""
        if len(operands) != 2:  # noqa: PLR2004 - what is compared
            return Truth()
        sides = [self.scope.node(operand) for operand in operands]
        texts = [written(side) for side in sides if isinstance(side, Scalar)]
        if len(texts) != 2 or self.scope.spent(len(texts[0])) or any("${AWS::" in one for one in texts):  # noqa: PLR2004 - both sides
            return Truth()
        usual = texts[0] == texts[1]
        return Truth(None if any(isinstance(side, Scalar) and side.given for side in sides) else usual, usual)


def _together(function: str, values: Sequence[_Value]) -> _Value:
    if function == "Fn::Not":
        return None if len(values) != 1 or values[0] is None else not values[0]
    decisive = function == "Fn::Or"
    if decisive in values:
        return decisive
    return None if None in values or not values else not decisive
