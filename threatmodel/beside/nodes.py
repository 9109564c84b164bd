"""Reading plain values of a YAML document."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.reading.problems import Place
from threatmodel.stacks.values import List, Node, Scalar, Table, as_text, get


def items(node: Node | None) -> tuple[Node, ...]:
    """Return the items of a list, and a single value as the only one; none of nothing."""
    if isinstance(node, List):
        return node.items
    return () if node is None or (isinstance(node, Scalar) and node.value is None) else (node,)


def text(node: Node | None, *names: str) -> str:
    """Return the text behind some keys; '' where there is none."""
    found = get(node, *names) if names else node
    return as_text(found) if isinstance(found, Scalar) else ""


def key_place(table: Node | None, name: str) -> Place | None:
    """Return where a key of a mapping is."""
    return table.keys.get(name) if isinstance(table, Table) else None


def named(node: Node | None) -> Iterator[tuple[str, Node, Place]]:
    """Yield each entry of a mapping with the place of its key."""
    if isinstance(node, Table):
        for name, value in node.entries.items():
            yield name, value, node.keys.get(name, value.place)
