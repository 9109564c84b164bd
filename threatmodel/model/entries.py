"""The values of the keys of a model file, where they could be read."""

from __future__ import annotations

from typing import Any

from threatmodel.model.facts import Statement
from threatmodel.model.file import FACT_KEYS
from threatmodel.reading.problems import Place
from threatmodel.reading.reader import Entry, Fields
from threatmodel.reading.values import new_tuple

_FACTS = {kind: frozenset(key.name for key in keys) for kind, keys in FACT_KEYS.items()}
_INCOMPLETE = "the model says that it is incomplete"
"""Why a list is open that the model names without a reason."""


def items_of(entries: Fields, name: str) -> tuple[Any, ...]:
    """The items of a list; none where it is left out or could not be read."""
    return entries[name].value if name in entries and entries[name].value else ()


def table_of(entries: Fields, name: str) -> Fields:
    """The entries of a table; none where it is left out."""
    return entries[name].value if name in entries else Fields()


def value_of(entries: Fields, name: str, default: Any = "") -> Any:
    """Return the value of a key, or a default."""
    return entries[name].value if name in entries else default


def incomplete(fields: Fields) -> dict[str, tuple[str, Place]]:
    """Return the lists that may be longer than stated, each with the reason and its place."""
    if "incomplete" not in fields:
        return {}
    stated = fields["incomplete"].value
    if isinstance(stated, tuple):
        return {item.value: (_INCOMPLETE, item.place) for item in stated}
    return {name: (entry.value, entry.key) for name, entry in stated.items()}


def facts_of(fields: Fields, kind: str) -> dict[str, Statement]:
    """The facts among the keys of an element."""
    facts = _FACTS[kind]
    return {name: _stated(entry) for name, entry in fields.items() if name in facts}


def _stated(entry: Entry) -> Statement:
    return new_tuple(Statement, (entry.value, "model", entry.key, "", False, (), "", ""))
