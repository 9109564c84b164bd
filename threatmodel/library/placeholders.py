"""What `tm new` writes where a person has to: a threat or a control that still says so is none yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threatmodel.reading.source import Document, Map, Seq

_TODO = "TODO"
ADDRESS = f"https://example.org/{_TODO}"
"""Stands where an address has to."""


def placeholder(what: str) -> str:
    """What stands in place of a text."""
    return f"{_TODO} write {what}"


def unwritten(document: Document) -> Iterator[int]:
    """The marks of the texts in a document that are still placeholders."""
    yield from _unwritten(document.root, document.mark)


def _unwritten(value: Any, mark: int) -> Iterator[int]:
    if isinstance(value, Map):
        for _, inner, _, at in value.placed():
            yield from _unwritten(inner, at)
    elif isinstance(value, Seq):
        for inner, at in zip(value, value.marks, strict=True):
            yield from _unwritten(inner, at)
    elif isinstance(value, str) and (value.startswith(_TODO) or value == ADDRESS):
        yield mark
