"""The placeholders of `tm new`: a threat or a control that still has one is not complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threatmodel.reading.source import Document, Map, Seq

_TODO = "TODO"
ADDRESS = f"https://example.org/{_TODO}"
"""The placeholder of an address."""


def placeholder(what: str) -> str:
    """The placeholder of a text."""
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
