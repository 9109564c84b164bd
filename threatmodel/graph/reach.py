"""Which kinds of element are related, by one hop: the shape of the relation that `Graph.related` walks."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.model.vocabulary import KINDS, PLANES, RELATIONS, Kind

_MET: frozenset[Kind] = frozenset(
    kind for kind in KINDS for row in RELATIONS["function"].values() if kind in row.to and kind != "function"
)
"""The kinds of neighbors that a function has: another function that it calls is none, and answers for itself."""
_FUNCTION: frozenset[Kind] = frozenset({"function"})
_NEIGHBOURS: Mapping[Kind, frozenset[Kind]] = {
    "function": _MET,
    "flow": _FUNCTION | _MET,
    **dict.fromkeys(_MET, _FUNCTION),
}

REACHES: Mapping[Kind, frozenset[Kind]] = {
    kind: frozenset((kind, *PLANES)) | _NEIGHBOURS.get(kind, frozenset()) for kind in KINDS
}
"""For each kind, the scopes whose controls can count for a threat to it: itself, its neighbors, every plane."""
