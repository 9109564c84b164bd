"""Which kinds of element are related, by one hop: the shape of the relation that `Graph.related` walks."""

from __future__ import annotations

from threatmodel.model.vocabulary import KINDS, PLANES

REACHES: dict[str, frozenset[str]] = {
    kind: frozenset({kind, *PLANES} | extra)
    for kind, extra in {
        **dict.fromkeys(KINDS, set()),
        "function": {"api", "store", "queue", "secret"},
        "api": {"function"},
        "store": {"function"},
        "queue": {"function"},
        "secret": {"function"},
        "flow": {"function", "api", "store", "queue", "secret"},
    }.items()
}
"""For each kind, the scopes whose controls can count for a threat to it: itself, its neighbours, every plane."""
