"""One value in place of each node of JSON data in turn."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any


def changed_at_each_node(whole: Any, put: Any) -> Iterator[Any]:
    """The data with `put` in place of one node, for each node but the first; `removed` takes the node out."""
    for path in _paths(whole):
        changed = copy.deepcopy(whole)
        holder = changed
        for step in path[:-1]:
            holder = holder[step]
        if put == "removed":
            del holder[path[-1]]
        else:
            holder[path[-1]] = put
        yield changed


def _paths(whole: Any) -> Iterator[tuple[Any, ...]]:
    items = whole.items() if isinstance(whole, dict) else enumerate(whole) if isinstance(whole, list) else ()
    for key, value in items:
        yield (key,)
        yield from ((key, *rest) for rest in _paths(value))
