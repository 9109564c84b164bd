"""JSON piece by piece, as large as it may be: laid out as `json.dumps(..., indent=1)` lays it out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from threatmodel.reading.problems import escaped


def json_pieces(parts: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """The pieces of an object with these keys; an iterator among the values becomes a list, read as it is written."""
    before = "{"
    for key, value in parts:
        yield f"{before}\n {_text(key, 1)}: "
        if isinstance(value, Iterator):
            yield from _items(value)
        else:
            yield _text(value, 1)
        before = ","
    yield "\n}\n"


def _items(items: Iterator[Any]) -> Iterator[str]:
    before = "["
    for item in items:
        yield f"{before}\n  {_text(item, 2)}"
        before = ","
    yield "[]" if before == "[" else "\n ]"


def _text(value: Any, depth: int) -> str:
    """A value as JSON at a depth, safe to look at."""
    return escaped(json.dumps(value, indent=1, ensure_ascii=False)).replace("\n", "\n" + " " * depth)
