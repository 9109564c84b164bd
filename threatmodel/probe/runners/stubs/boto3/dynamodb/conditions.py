"""Conditions written in Python: Attr("x").not_exists() & Attr("y").lt(3)."""

from __future__ import annotations

from collections.abc import Callable
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


_FORMS = {
    "exists": "attribute_exists({})",
    "not_exists": "attribute_not_exists({})",
    "eq": "{} = {}",
    "ne": "{} <> {}",
    "lt": "{} < {}",
    "lte": "{} <= {}",
    "gt": "{} > {}",
    "gte": "{} >= {}",
    "between": "{} BETWEEN {} AND {}",
    "begins_with": "begins_with({}, {})",
    "contains": "contains({}, {})",
    "attribute_type": "attribute_type({}, {})",
}
"""The methods of an attribute, each with the expression that it makes."""


class Attr:
    """An attribute, of which conditions are made."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, method: str) -> Callable[..., Condition]:
        if method not in _FORMS:
            raise AttributeError(method)
        return lambda *values: Condition(_FORMS[method], self, *values)

    def is_in(self, values: list[Any]) -> Condition:
        """It is one of some values."""
        return Condition(f"{{}} IN ({', '.join('{}' for _ in values)})", self, *values)

    def size(self) -> Size:
        """How long it is."""
        return Size(self.name)


class Key(Attr):
    """An attribute of the key."""


class Size(Attr):
    """The length of an attribute."""


def And(first: Condition, second: Condition) -> Condition:  # noqa: N802 - as boto3 calls it
    """Both of two conditions."""
    return first & second


def Or(first: Condition, second: Condition) -> Condition:  # noqa: N802 - as boto3 calls it
    """One of two conditions."""
    return first | second


def Not(one: Condition) -> Condition:  # noqa: N802 - as boto3 calls it
    """The contrary of a condition."""
    return ~one


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
