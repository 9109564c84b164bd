"""What a plan marks as unknown or sensitive, and which written block makes a planned one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from threatmodel.stacks.terraform.references import (
    Referents,
    sequence,
    table,
)

DEEPEST = 60
"""Levels within one resource's values; what is deeper is unknown."""
MISSING: Any = object()
"""A value that does not stand among the planned ones."""
Said: TypeAlias = "Referents | dict[str, Any] | list[Any] | None"
"""What the configuration says of a value: its sources, blocks, or nothing."""


class Marks(NamedTuple):
    """What of a value is unknown, and what sensitive: `true` where all of it is, else the same shape as the value."""

    unknown: Any = False
    sensitive: Any = False

    def of(self, key: str | int) -> Marks:
        """The marks of what is within."""
        return Marks(inside(self.unknown, key), inside(self.sensitive, key))


def inside(mark: Any, key: str | int) -> Any:
    """What a mark says of an entry or an item."""
    if isinstance(mark, dict):
        return mark.get(key, False)
    if isinstance(mark, list) and isinstance(key, int):
        return mark[key] if key < len(mark) else False
    return mark is True


def both(one: Any, other: Any, depth: int = 0) -> Any:
    """Two sets of marks as one; all is marked where they have different shapes, or are no marks."""
    if not one or not other:
        rest = one or other or False
        return rest if isinstance(rest, dict | list) else bool(rest)
    if depth > DEEPEST:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: both(one.get(name, False), other.get(name, False), depth + 1) for name in (*one, *other)}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [both(a, b, depth + 1) for a, b in zip(one, other, strict=True)]
    return True


def hides(mark: Any, value: Any) -> bool:
    """Whether a mark makes all of a value sensitive: it is true, or it is no mark that fits the value."""
    if mark is True or not mark or value is None or value is MISSING:
        return mark is True
    return not isinstance(value, mark.__class__ if isinstance(mark, dict | list) else ())


def has_marks(mark: Any) -> bool:
    """Whether something within is unknown."""
    return mark is True or (isinstance(mark, dict | list) and bool(mark))


def is_expression(raw: Mapping[str, Any]) -> bool:
    """Whether it is an expression, not a block that occurs once."""
    return raw.keys() <= {"references", "constant_value"} and not isinstance(raw.get("references"), dict)


def aligned(values: Sequence[Any], marks: Marks) -> Iterator[tuple[Any, Marks]]:
    """The items of a list with their marks; an unknown one may be left out of the values, or be null there."""
    unknown = marks.unknown if isinstance(marks.unknown, list) else []
    if len(unknown) <= len(values):
        yield from ((value, marks.of(at)) for at, value in enumerate(values))
        return
    left = iter(values)
    for at, mark in enumerate(unknown):
        value = MISSING if mark is True else next(left, MISSING)
        yield value, Marks(mark, inside(marks.sensitive, at))


_MOST_PAIRED = 4096
"""Blocks of one kind, written times planned, up to which they are compared."""


def block_of(blocks: Sequence[Any], item: Any, count: int) -> Said:
    """The written block that makes a planned one: the only one that fits, or all that fit as one."""
    if len(blocks) != count or len(blocks) * count > _MOST_PAIRED:
        return None  # made by a dynamic block
    fitting = [block for block in blocks if isinstance(block, dict) and _fits(block, item)]
    if not fitting:
        return None
    return fitting[0] if len(fitting) == 1 else _merged(fitting)


def _fits(block: Mapping[str, Any], item: Any) -> bool:
    """Whether a planned block has every constant of a written one."""
    for name, expression in block.items():
        wanted = table(expression).get("constant_value")
        found = table(item).get(name)
        if wanted is not None and found is not None and not _same(wanted, found):
            return False
    return True


def _same(wanted: Any, found: Any) -> bool:
    """Whether a planned value may be a constant: lists in any order, since blocks hold sets."""
    if isinstance(wanted, list) and isinstance(found, list):
        if None in found or not all(isinstance(one, str) for one in (*wanted, *found)):
            return True
        return set(wanted) == set(found)
    if isinstance(wanted, str | int | float) and isinstance(found, str | int | float):
        return str(wanted).lower() == str(found).lower()
    return True


def _merged(blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Blocks of one kind as one that refers to whatever one of them does."""
    found: dict[str, Any] = {}
    for block in blocks:
        for name, expression in block.items():
            if isinstance(expression, list):
                before = found.get(name)
                found[name] = [*sequence(before), *expression]
            elif isinstance(expression, dict):
                before = sequence(table(found.get(name)).get("references"))
                found[name] = {"references": [*before, *sequence(expression.get("references"))]}
    return found


def stated(said: Any, of: Callable[[Mapping[str, Any]], Any], deepest: Any, depth: int = 0) -> Any:
    """What expressions give, in the shape of their blocks: `of` each expression, and `deepest` for what is too deep."""
    if isinstance(said, dict) and is_expression(said):
        return of(said)
    if depth > DEEPEST:
        return deepest
    if isinstance(said, dict):
        return {name: stated(child, of, deepest, depth + 1) for name, child in said.items()}
    return [stated(child, of, deepest, depth + 1) for child in sequence(said)]
