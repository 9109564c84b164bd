"""Loops of a template (`Fn::ForEach`), written out: what each makes, where its collection is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from threatmodel.stacks.values import ALWAYS, List, Node, Scalar, Table, Unknown, as_text, size
from threatmodel.stacks.work import Work

LOOP = "Fn::ForEach"
_PLACEHOLDER = re.compile(r"([$&])\{([A-Za-z0-9]+)\}")
"""Where the value of a loop goes in a text: as it is, or (``&``) without what no logical id may have."""
_NO_ID = re.compile(r"[^A-Za-z0-9]+")
_ARGUMENTS = 3
"""What a loop has: its identifier, its collection, and what it makes for each value."""


class WrittenOut(NamedTuple):
    """A mapping whose loops are written out; `doubts` says of its entries that a deployment may leave out, why."""

    table: Table
    doubts: Mapping[str, Unknown]


class Loops:
    """Writes the loops of a template out.

    `collection_of` gives the collection of a loop as far as the template tells.  A loop stays, as a part that was
    not read, if its collection is unknown or a parameter's default: what it makes by the default is in doubt.
    """

    def __init__(self, collection_of: Callable[[Node], Node | None], work: Work) -> None:
        self.collection_of = collection_of
        self.work = work

    def table(self, node: Table, values: Mapping[str, str] | None = None) -> WrittenOut:
        """The entries of a mapping, with those that its loops make; `values` are those of the loops around it."""
        values = values or {}
        entries: dict[str, Node] = {}
        keys = {}
        doubts: dict[str, Unknown] = {}
        for key, child in node.entries.items():
            place = node.keys.get(key, child.place)
            made = self.made(child, values) if key.startswith(LOOP) else None
            if made is None or not made.table.entries.keys().isdisjoint(node.entries.keys() | entries.keys()):
                made = WrittenOut(Table({_filled(key, values): self.node(child, values)}, place), {})
            elif made.doubts:
                entries[_filled(key, values)] = self.node(child, values)
                keys[_filled(key, values)] = place
            entries |= made.table.entries
            keys |= dict.fromkeys(made.table.entries, place)
            doubts |= made.doubts
        return WrittenOut(Table(entries, node.place, keys), doubts)

    def node(self, node: Node, values: Mapping[str, str]) -> Node:
        """A node with its loops written out, and the values of those around it filled in."""
        match node:
            case Scalar(value=str() as value):
                return node._replace(value=_filled(value, values)) if values else node
            case List(items=children):
                return node._replace(items=tuple(self.node(child, values) for child in children))
            case Table(entries=entries):
                named = entries.get("Ref") if len(entries) == 1 else None
                if isinstance(named, Scalar) and named.value in values:
                    return Scalar(values[str(named.value)], node.place)
                return self.table(node, values).table
        return node

    def made(self, argument: Node, around: Mapping[str, str]) -> WrittenOut | None:
        """What a loop makes; None where that cannot be determined."""
        parts = argument.items if isinstance(argument, List) else ()
        if len(parts) != _ARGUMENTS or not isinstance(parts[0], Scalar) or not isinstance(parts[2], Table):
            return None
        collection = self.collection_of(self.node(parts[1], around))
        if not isinstance(collection, List):
            return None
        entries: dict[str, Node] = {}
        doubts: dict[str, Unknown] = {}
        given = bool(collection.given)
        for item in collection.items:
            if not isinstance(item, Scalar) or not self.work.values(size(parts[2], self.work.room)):
                return None
            given = given or bool(item.given)
            found = self.table(parts[2], {**around, str(parts[0].value): as_text(item)})
            if not found.table.entries.keys().isdisjoint(entries):
                return None
            entries |= found.table.entries
            doubts |= found.doubts
        if given:
            why = "a loop makes it, over the default of a parameter"
            doubts = dict.fromkeys(entries, Unknown(why, argument.place, choices=ALWAYS))
        return WrittenOut(Table(entries, argument.place), doubts)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """A text with the values of loops in place of their identifiers."""

    def value(found: re.Match[str]) -> str:
        known = values.get(found[2])
        return found[0] if known is None else _NO_ID.sub("", known) if found[1] == "&" else known

    return _PLACEHOLDER.sub(value, text) if values else text
