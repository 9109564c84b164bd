"""Conditions written in Python: Attr("x").not_exists() & Attr("y").lt(3)."""

from __future__ import annotations

from typing import Any


class Condition:
    """A template of an expression, and what fills its gaps: attributes and values, or further conditions."""

    def __init__(self, form: str, *parts: Any) -> None:
        self.form, self.parts = form, parts

    def __and__(self, other: Condition) -> Condition:
        return Condition("({} AND {})", self, other)

    def __or__(self, other: Condition) -> Condition:
        return Condition("({} OR {})", self, other)

    def __invert__(self) -> Condition:
        return Condition("(NOT {})", self)


class Attr:
    """An attribute, of which conditions are made."""

    def __init__(self, name: str) -> None:
        self.name = name

    def exists(self) -> Condition:
        """It is there."""
        return Condition("attribute_exists({})", self)

    def not_exists(self) -> Condition:
        """It is not there."""
        return Condition("attribute_not_exists({})", self)

    def eq(self, value: Any) -> Condition:
        """It equals a value."""
        return Condition("{} = {}", self, value)

    def ne(self, value: Any) -> Condition:
        """It differs from a value."""
        return Condition("{} <> {}", self, value)

    def lt(self, value: Any) -> Condition:
        """It is below a value."""
        return Condition("{} < {}", self, value)

    def lte(self, value: Any) -> Condition:
        """It is not above a value."""
        return Condition("{} <= {}", self, value)

    def gt(self, value: Any) -> Condition:
        """It is above a value."""
        return Condition("{} > {}", self, value)

    def gte(self, value: Any) -> Condition:
        """It is not below a value."""
        return Condition("{} >= {}", self, value)

    def between(self, low: Any, high: Any) -> Condition:
        """It is between two values."""
        return Condition("{} BETWEEN {} AND {}", self, low, high)

    def is_in(self, values: list[Any]) -> Condition:
        """It is one of some values."""
        return Condition(f"{{}} IN ({', '.join('{}' for _ in values)})", self, *values)

    def begins_with(self, value: Any) -> Condition:
        """It begins with a text."""
        return Condition("begins_with({}, {})", self, value)

    def contains(self, value: Any) -> Condition:
        """It contains a text or an element."""
        return Condition("contains({}, {})", self, value)

    def size(self) -> Size:
        """How long it is."""
        return Size(self.name)

    def attribute_type(self, value: str) -> Condition:
        """It is of a type."""
        return Condition("attribute_type({}, {})", self, value)


class Key(Attr):
    """An attribute of the key."""


class Size(Attr):
    """The length of an attribute."""


class And(Condition):
    """Both of two conditions."""

    def __init__(self, first: Condition, second: Condition) -> None:
        super().__init__("({} AND {})", first, second)


class Or(Condition):
    """One of two conditions."""

    def __init__(self, first: Condition, second: Condition) -> None:
        super().__init__("({} OR {})", first, second)


class Not(Condition):
    """The contrary of a condition."""

    def __init__(self, first: Condition) -> None:
        super().__init__("(NOT {})", first)


def written(condition: Condition, names: dict[str, str], values: dict[str, Any]) -> str:
    """A condition as text; the names and values that it stands for are added to the two mappings."""
    return condition.form.format(*(_part(part, names, values) for part in condition.parts))


def _part(part: Any, names: dict[str, str], values: dict[str, Any]) -> str:
    if isinstance(part, Condition):
        return written(part, names, values)
    if not isinstance(part, Attr):
        values[f":probe{len(values)}"] = part
        return f":probe{len(values) - 1}"
    steps = []
    for step in part.name.split("."):
        names[f"#probe{len(names)}"] = step
        steps.append(f"#probe{len(names) - 1}")
    path = ".".join(steps)
    return f"size({path})" if isinstance(part, Size) else path
