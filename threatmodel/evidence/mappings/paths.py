"""Paths of the data files: where a value is in a resource, or in an answer of AWS."""

from __future__ import annotations

import re
from typing import NamedTuple


class PathPart(NamedTuple):
    """One part of a path, by its `kind`.

    key goes to the value of `name`, items to the items of a list that have all of `where`, values to every value of a
    mapping.
    """

    kind: str
    name: str = ""
    where: tuple[tuple[str, str], ...] = ()


ValuePath = tuple[PathPart, ...]


_PART = re.compile(r"(?P<dot>\.)?(?P<name>[A-Za-z_]\w*)|\[(?P<where>[^\[\]{}]*)\]|\{(?P<key>[^{}]*)\}")
_SAME = re.compile(r"(?P<name>\w+)=(?P<value>[^,=]+)\Z")


def parse_path(text: str) -> ValuePath | None:
    """The parts of a path, or None where it is none."""
    parts: list[PathPart] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or (found["name"] is not None and (found["dot"] is None) is not (at == 0)):
            return None
        at = found.end()
        if found["name"] is not None:
            parts.append(PathPart("key", found["name"]))
        elif found["where"] is not None:
            conditions = [_SAME.match(one) for one in found["where"].split(",")] if found["where"] else []
            if not parts or None in conditions:
                return None
            parts.append(PathPart("items", where=tuple((one["name"], one["value"]) for one in conditions if one)))
        elif not parts:
            return None
        else:
            parts.append(PathPart("key", found["key"]) if found["key"] else PathPart("values"))
    return tuple(parts) or None
