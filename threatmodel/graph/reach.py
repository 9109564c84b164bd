"""Which kinds of element are related, by one hop: the shape of the relation that `Graph.related` walks."""

from __future__ import annotations

from threatmodel.model.vocabulary import KINDS, PLANES

_NEIGHBOURS: dict[str, frozenset[str]] = {
    "function": frozenset({"api", "store", "queue", "secret"}),
    "api": frozenset({"function"}),
    "store": frozenset({"function"}),
    "queue": frozenset({"function"}),
    "secret": frozenset({"function"}),
    "flow": frozenset({"function", "api", "store", "queue", "secret"}),
}

REACHES = {kind: frozenset({kind, *PLANES}) | _NEIGHBOURS.get(kind, frozenset()) for kind in KINDS}
"""For each kind, the scopes whose controls can count for a threat to it: itself, its neighbours, every plane."""
