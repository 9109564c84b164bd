"""Which kinds of element are related, by one hop: the shape of the relation that `Graph.related` walks."""

from __future__ import annotations

from threatmodel.model.vocabulary import KINDS, PLANES, RELATIONS

_MET = {kind for row in RELATIONS["function"].values() for kind in row.to if kind in KINDS}
"""The kinds that a function meets."""
_NEIGHBOURS = {"function": _MET, "flow": {"function", *_MET}, **{kind: {"function"} for kind in _MET}}

REACHES = {kind: frozenset({kind, *PLANES}) | _NEIGHBOURS.get(kind, set()) for kind in KINDS}
"""For each kind, the scopes whose controls can count for a threat to it: itself, its neighbours, every plane."""
