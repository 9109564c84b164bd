"""A file's text with current names: every former name is replaced at its place, and the rest stays unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from threatmodel.authoring.insertion import lines_of
from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import Place
from threatmodel.reading.reader import Entry
from threatmodel.reading.values import field_names

_BYTE_ORDER_MARK = "\ufeff"


def migrated(text: str, renamed: Iterable[Renamed]) -> str:
    """Return `text`, a file as it is on disk, with the current names at the places of the former ones."""
    mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
    lines = lines_of(text.removeprefix(mark))
    for one in sorted(set(renamed), reverse=True):
        at = one.place.line - 1
        lines[at] = _replaced(lines[at], one)
    return mark + "".join(lines)


def _replaced(line: str, one: Renamed) -> str:
    """Return a line with the name replaced at its place, or after a quote or a key there."""
    token = re.compile(rf"(?<![\w-]){re.escape(one.old)}(?![\w-])")
    found = token.search(line, one.place.column - 1)
    return line if found is None else line[: found.start()] + one.new + line[found.end() :]


def meaning(value: Any) -> Any:
    """Return what a value says, wherever it was written: plain data without places and functions, to be compared."""
    if isinstance(value, Place) or callable(value):
        return None
    if isinstance(value, Entry):
        return meaning(value.value)
    if isinstance(value, Mapping):
        return {key: meaning(one) for key, one in value.items()}
    if names := field_names(type(value)):
        return {name: meaning(getattr(value, name)) for name in names}
    if isinstance(value, list | tuple):
        return [meaning(one) for one in value]
    return value
