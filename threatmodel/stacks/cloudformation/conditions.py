"""The conditions of a template, in three values: what holds in any case, and what holds with parameters' defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from threatmodel.reading.problems import Place
from threatmodel.stacks.assumed import PlainValue
from threatmodel.stacks.cloudformation.intrinsics import Scope
from threatmodel.stacks.cloudformation.names import ConditionValue
from threatmodel.stacks.stack import Choice
from threatmodel.stacks.values import ALWAYS, List, Node, Scalar, Table, as_text, text

DEEPEST = 100
"""Conditions within or behind one another; what is deeper is not decided."""

_Value: TypeAlias = "bool | None"


def decided(section: Table | None, scope: Scope, assumed: Mapping[str, bool]) -> Mapping[str, ConditionValue]:
    """What is known of each condition of a section; `assumed` are taken to hold or not, whatever they say."""
    conditions = _Conditions(section.entries if section else {}, scope)
    conditions.found |= {name: ConditionValue(holds, holds) for name, holds in assumed.items()}
    for name in conditions.entries:
        conditions.named(name, None, 0)
    return conditions.found


def choices(section: Table, scope: Scope) -> Iterator[Choice]:
    """The conditions that may hold or not, those first that depend on fewer others; some fix a parameter's value."""
    known = {name: (scope.conditions or {}).get(name, ConditionValue()) for name in section.entries}
    waiting = [name for name, value in known.items() if value.sure is None]
    for name in sorted(waiting, key=lambda name: len(known[name].choices)):
        yield Choice(name, *_compared(section.entries[name]))


def _compared(node: Node, *, equal: bool = True) -> tuple[str, PlainValue, bool]:
    """The parameter that a condition compares with a text, the text, and whether it holds where they are equal."""
    match node:
        case Table(entries={"Fn::Not": List(items=(inner,))}):
            return _compared(inner, equal=not equal)
        case Table(entries={"Fn::Equals": List(items=(one, other))}):
            for reference, value in ((one, other), (other, one)):
                match reference, value:
                    case Table(entries={"Ref": Scalar(value=str() as parameter)}), Scalar(value=literal) if (
                        not parameter.startswith("AWS::") and literal is not None
                    ):
                        return parameter, literal, equal
                    case _:
                        continue
        case _:
            pass
    return "", "", True


class _Conditions:
    """The conditions of one template; each is looked at once, and those in a circle are not decided."""

    def __init__(self, entries: Mapping[str, Node], scope: Scope) -> None:
        self.entries = entries
        self.scope = scope
        self.found: dict[str, ConditionValue] = {}

    def named(self, name: str, place: Place | None, depth: int) -> ConditionValue:
        """What is known of a condition; `place` is where it is referred to."""
        if name not in self.found:
            if name not in self.entries:
                if place is not None:
                    self.scope.no_condition(name, self.entries, place)
                return ConditionValue()
            self.found[name] = ConditionValue()
            before = len(self.scope.read)
            value = self.truth(self.entries[name], depth + 1)
            rests_on = frozenset(self.scope.read[before:]) | {self.scope.choice(name)}
            self.found[name] = value._replace(choices=rests_on if value.sure is None else ALWAYS)
        return self.scope.met(self.found[name])

    def truth(self, node: Node, depth: int) -> ConditionValue:
        """What is known of an expression."""
        if not isinstance(node, Table) or len(node.entries) != 1 or depth > DEEPEST:
            return ConditionValue()
        ((function, argument),) = node.entries.items()
        if function == "Condition":
            return self.named(text(argument) or "", node.place, depth)
        operands = argument.items if isinstance(argument, List) else (argument,)
        if function == "Fn::Equals":
            return self.equal(operands)
        if function not in {"Fn::And", "Fn::Or", "Fn::Not"}:
            return ConditionValue()
        truths = [self.truth(operand, depth + 1) for operand in operands]
        return ConditionValue(
            _together(function, [one.sure for one in truths]), _together(function, [one.usual for one in truths])
        )

    def equal(self, operands: Sequence[Node]) -> ConditionValue:
        """Whether two texts are equal."""
        if len(operands) != 2:  # noqa: PLR2004 - what is compared
            return ConditionValue()
        sides = [self.scope.node(operand) for operand in operands]
        texts = [as_text(side) for side in sides if isinstance(side, Scalar)]
        if len(texts) != 2 or not self.scope.work.characters(len(texts[0])) or any("${AWS::" in one for one in texts):  # noqa: PLR2004 - both sides
            return ConditionValue()
        usual = texts[0] == texts[1]
        given = {name for side in sides if isinstance(side, Scalar) for name in side.given}
        fixed = self.scope.fixed
        return ConditionValue(usual if fixed is None or given <= fixed else None, usual)


def _together(function: str, values: Sequence[_Value]) -> _Value:
    if function == "Fn::Not":
        return None if len(values) != 1 or values[0] is None else not values[0]
    decisive = function == "Fn::Or"
    if decisive in values:
        return decisive
    return None if None in values or not values else not decisive
