"""The argument of a plan that a property of CloudFormation is: the way back from `rows`, for what people read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from threatmodel.stacks.terraform.rows import EACH, Row, folded, rows_of


def in_terraform(kind: str, path: Sequence[str]) -> tuple[str, str] | None:
    """The type and the argument (``server_side_encryption.enabled``) of a property; None where there is no type."""
    found = rows_of(kind)
    for name, row in found:
        argument = _stated(row, path)
        if argument is not None:
            return name, argument
    whole = next((name for name, row in found if not row.by), None)
    return None if whole is None else (whole, ".".join(map(snake, path)))


def _stated(row: Row, path: Sequence[str]) -> str | None:
    """The argument that a row names for a property, or for what the property is in."""
    for length in range(len(path), 0, -1):
        target = ".".join(path[:length])
        for argument, stands in row.paths.items():
            if stands.replace("[]", "") == target and (argument or path[length:]):
                return ".".join([*([argument] if argument else []), *_within(row, argument, path[length:])])
    return None


def _within(row: Row, block: str, rest: Sequence[str]) -> list[str]:
    """The arguments of a block for properties within."""
    named: list[str] = []
    for step in rest:
        inner = f"{block}."
        own = (one for one, stands in row.paths.items() if one.startswith(inner) and folded(step) in _meant(stands))
        argument = next((one.removeprefix(inner) for one in own), snake(step))
        named.append(argument)
        block = f"{inner}{argument}"
    return named


def _meant(target: str) -> list[str]:
    """The properties that an argument becomes."""
    return [folded(one) for one in target.removeprefix(EACH).split(",")]


def snake(name: str) -> str:
    """A name of CloudFormation as Terraform spells names."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
