"""Documents that are written as a text of JSON, plain, encoded as in a URL, or joined with links inside."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from threatmodel.reading.problems import Place
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown

LARGEST_DOCUMENT = 200_000
"""Characters of a document that is written as JSON text; IAM's own limit is a tenth of that."""


def parsed(node: Node) -> Node:
    """A document as a table where it is JSON text; anything else as it is."""
    match node:
        case Scalar(value=str() as value, place=place, given=given):
            return _decoded(value, place, {}, given)
        case Joined(parts=(Unknown() as first, *others)) if not any(isinstance(one, str) for one in others):
            return first
        case Joined(parts=parts, place=place, given=given):
            holes = {f"\ue000{index}\ue001": part for index, part in enumerate(parts) if not isinstance(part, str)}
            whole = "".join(
                part if isinstance(part, str) else f"\ue000{index}\ue001" for index, part in enumerate(parts)
            )
            if any("\ue000" in part or "\ue001" in part for part in parts if isinstance(part, str)):
                return Unknown("the policy text cannot be read", place)
            return _decoded(whole, place, holes, given)
        case _:
            return node


def as_nodes(raw: Any, place: Place) -> Node:
    """A document that was read from JSON already, all of it at one place."""
    return _node(raw, place, {}, ())


def _decoded(value: str, place: Place, holes: dict[str, Link | Unknown], given: tuple[str, ...]) -> Node:
    if len(value) > LARGEST_DOCUMENT:
        return Unknown("the policy text is too long", place)
    try:
        raw = json.loads(unquote(value) if value.lstrip()[:3].lower() == "%7b" else value)
        return _node(raw, place, holes, given)
    except (ValueError, RecursionError):
        return Unknown("the policy is a string that is not JSON", place)


_HOLE = re.compile("(\ue000[0-9]+\ue001)")


def _node(raw: Any, place: Place, holes: dict[str, Link | Unknown], given: tuple[str, ...]) -> Node:
    match raw:
        case dict():
            if any("\ue000" in key for key in raw):
                return Unknown("a part of the policy text is unknown", place)
            return Table({key: _node(child, place, holes, given) for key, child in raw.items()}, place, {})
        case list():
            return List(tuple(_node(child, place, holes, given) for child in raw), place)
        case str() if "\ue000" in raw:
            parts = tuple(holes.get(part, part) for part in _HOLE.split(raw) if part)
            return parts[0] if len(parts) == 1 and not isinstance(parts[0], str) else Joined(parts, place, given)
        case _:
            return Scalar(raw, place, given)
