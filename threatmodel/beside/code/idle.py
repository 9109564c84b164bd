"""What only writes a log: nothing comes of it for a request."""

from __future__ import annotations

from collections.abc import Iterable

from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.syntax import Node, walk

NOTES = frozenset({"print", "log", "debug", "info", "warning", "warn", "error", "exception", "critical"})
"""What is called to write a log."""
_CALLBACKS = frozenset({"callback", "cb", "done"})
"""Names of the parameter that ends an invocation, and not the function that calls it."""
_CHANGES = frozenset({"assign", "declare", "return", "raise", "leave"})


def only_notes(function: Function, branches: Iterable[Node]) -> bool:
    """Return whether some blocks only write a log, or call Lambda's callback: they leave and set nothing."""
    inside = [one for branch in branches for one in walk(branch)]
    called = (one.parts[0] for one in inside if one.kind == "call")
    plain = all(one.name in NOTES or (one.name in _CALLBACKS & function.bound and one.kind == "name") for one in called)
    return plain and not any(one.kind in _CHANGES for one in inside)
