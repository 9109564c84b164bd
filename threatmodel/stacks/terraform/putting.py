"""Putting values at paths of a table that is being made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from threatmodel.stacks.values import List, Node, Table


def put(entries: dict[str, Node], steps: Sequence[str], value: Node) -> None:
    """Put a value at a path of names; ``Name[]`` adds it to a list, and tables become one."""
    first, *rest = steps
    name = first.removesuffix("[]")
    before = entries.get(name)
    if rest:
        inner = dict(before.entries) if isinstance(before, Table) else {}
        put(inner, rest, value)
        entries[name] = Table(inner, before.place if isinstance(before, Table) else value.place)
    elif first.endswith("[]"):
        more = value.items if isinstance(value, List) else (value,)
        known = before.items if isinstance(before, List) else (before,) if before is not None else ()
        entries[name] = List((*known, *more), value.place)
    elif isinstance(before, Table) and isinstance(value, Table):
        inner = dict(before.entries)
        for key, child in value.entries.items():
            put(inner, [key], child)
        entries[name] = before._replace(entries=inner)
    else:
        entries[name] = value


def at(entries: Mapping[str, Node], steps: Sequence[str]) -> Node | None:
    """The node at a path of names; what is no table on the way is that node."""
    found = entries.get(steps[0].removesuffix("[]"))
    if len(steps) == 1 or found is None:
        return found
    return at(found.entries, steps[1:]) if isinstance(found, Table) else found
