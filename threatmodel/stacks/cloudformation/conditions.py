"""The conditions of a template, in three values, and its loops (`Fn::ForEach`), written out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from threatmodel.reading.problems import Place
from threatmodel.stacks.assumed import PlainValue
from threatmodel.stacks.cloudformation.intrinsics import Scope
from threatmodel.stacks.cloudformation.names import ConditionValue
from threatmodel.stacks.stack import Choice
from threatmodel.stacks.values import ALWAYS, List, Node, Scalar, Table, Unknown, as_text, size, text
from threatmodel.stacks.work import Work

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


LOOP = "Fn::ForEach"
_PLACEHOLDER = re.compile(r"([$&])\{([A-Za-z0-9]+)\}")
"""Where the value of a loop goes in a text: as it is, or (``&``) without what no logical id may have."""
_NO_ID = re.compile(r"[^A-Za-z0-9]+")
_ARGUMENTS = 3
"""What a loop has: its identifier, its collection, and what it makes for each value."""


class WrittenOut(NamedTuple):
    """A mapping whose loops are written out; `doubts` says of its entries that a deployment may leave out, why."""

    table: Table
    doubts: Mapping[str, Unknown]


class Loops:
    """Writes the loops of a template out.

    `collection_of` gives the collection of a loop as far as the template tells.  A loop stays, as a part that was
    not read, if its collection is unknown or a parameter's default: what it makes by the default is in doubt.
    """

    def __init__(self, collection_of: Callable[[Node], Node | None], work: Work) -> None:
        self.collection_of = collection_of
        self.work = work

    def table(self, node: Table, values: Mapping[str, str] | None = None) -> WrittenOut:
        """The entries of a mapping, with those that its loops make; `values` are those of the loops around it."""
        values = values or {}
        entries: dict[str, Node] = {}
        keys = {}
        doubts: dict[str, Unknown] = {}
        for key, child in node.entries.items():
            place = node.keys.get(key, child.place)
            made = self.made(child, values) if key.startswith(LOOP) else None
            if made is None or not made.table.entries.keys().isdisjoint(node.entries.keys() | entries.keys()):
                made = WrittenOut(Table({_filled(key, values): self.node(child, values)}, place), {})
            elif made.doubts:
                entries[_filled(key, values)] = self.node(child, values)
                keys[_filled(key, values)] = place
            entries |= made.table.entries
            keys |= dict.fromkeys(made.table.entries, place)
            doubts |= made.doubts
        return WrittenOut(Table(entries, node.place, keys), doubts)

    def node(self, node: Node, values: Mapping[str, str]) -> Node:
        """A node with its loops written out, and the values of those around it filled in."""
        match node:
            case Scalar(value=str() as value):
                return node._replace(value=_filled(value, values)) if values else node
            case List(items=children):
                return node._replace(items=tuple(self.node(child, values) for child in children))
            case Table(entries=entries):
                named = entries.get("Ref") if len(entries) == 1 else None
                if isinstance(named, Scalar) and named.value in values:
                    return Scalar(values[str(named.value)], node.place)
                return self.table(node, values).table
        return node

    def made(self, argument: Node, around: Mapping[str, str]) -> WrittenOut | None:
        """What a loop makes; None where that cannot be determined."""
        parts = argument.items if isinstance(argument, List) else ()
        if len(parts) != _ARGUMENTS or not isinstance(parts[0], Scalar) or not isinstance(parts[2], Table):
            return None
        collection = self.collection_of(self.node(parts[1], around))
        if not isinstance(collection, List):
            return None
        entries: dict[str, Node] = {}
        doubts: dict[str, Unknown] = {}
        given = bool(collection.given)
        for item in collection.items:
            if not isinstance(item, Scalar) or not self.work.values(size(parts[2], self.work.room)):
                return None
            given = given or bool(item.given)
            found = self.table(parts[2], {**around, str(parts[0].value): as_text(item)})
            if not found.table.entries.keys().isdisjoint(entries):
                return None
            entries |= found.table.entries
            doubts |= found.doubts
        if given:
            why = "a loop makes it, over the default of a parameter"
            doubts = dict.fromkeys(entries, Unknown(why, argument.place, choices=ALWAYS))
        return WrittenOut(Table(entries, argument.place), doubts)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """A text with the values of loops in place of their identifiers."""

    def value(found: re.Match[str]) -> str:
        known = values.get(found[2])
        return found[0] if known is None else _NO_ID.sub("", known) if found[1] == "&" else known

    return _PLACEHOLDER.sub(value, text) if values else text
