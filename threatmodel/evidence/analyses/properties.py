"""What analyses share: properties, documents, and answers in three values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Joined, List, Node, Scalar, Table, Unknown, is_set, items, shape_of

_DEEPEST = 100
"""Levels of a document in JSON text that are read; deeper ones are unknown."""
_LONGEST = 200_000
"""Characters of a document in JSON text; a longer one is unknown."""

NOT_UNDERSTOOD = "the value cannot be read"

# --- properties


def read(node: Node | None, *names: str) -> Node | None:
    """Return the node at some keys (``A|B``: either key); None if it is missing or null.

    A block that Terraform puts into a list of one is entered; an unknown on the way is the answer.
    """
    for name in names:
        if isinstance(node, List) and len(node.items) == 1:
            node = node.items[0]
        if isinstance(node, Unknown):
            return node
        if not isinstance(node, Table):
            return None
        node = next((node.entries[form] for form in name.split("|") if is_set(node.entries.get(form))), None)
    return node


def each(node: Node | None) -> tuple[Node, ...]:
    """The items of a list that are set, or the node itself where it is one alone."""
    return tuple(child for child in items(node) if is_set(child))


def stands(node: Node | None) -> bool | None:
    """Return whether a value is there.  A parameter without default has to be given; a condition may leave it out."""
    if isinstance(node, Unknown):
        return True if node.given else None
    return is_set(node)


def flag(node: Node | None, *, left_out: bool | None = None) -> bool | None:
    """A yes or no; `left_out` where there is none, None where it is not known."""
    if node is None:
        return left_out
    return {"true": True, "false": False}.get(str(node.value).lower()) if isinstance(node, Scalar) else None


def number(node: Node | None) -> int | None:
    """A whole number, or a text of digits; None for anything else."""
    if not isinstance(node, Scalar) or isinstance(node.value, bool):
        return None
    value = node.value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return (
        int(value) if isinstance(value, int) or (isinstance(value, str) and re.fullmatch(r"\d{1,9}", value)) else None
    )


_PSEUDO = re.compile(r"\$\{AWS::(\w+)\}")


def worded(node: Node | None) -> str | None:
    """Return a text, with AWS's own values as ``<Region>`` and links as ``${Name.Attribute}``; None if it is unknown.

    Other than ``${AWS::Region}``, ``<Region>`` has no colon, so that an ARN can be split.
    """
    if isinstance(node, Joined) and any(isinstance(part, Unknown) for part in node.parts):
        return None
    if isinstance(node, Unknown | Table | List) or node is None:
        return None
    raw = str(node.value) if isinstance(node, Scalar) else shape_of(node)
    return _PSEUDO.sub(r"<\1>", raw)


# --- documents


def document(node: Node | None) -> Node | None:
    """Return a policy, pattern or rule as nodes, whether it is a mapping or JSON text."""
    if not isinstance(node, Scalar | Joined):
        return node
    raw = worded(node)
    if raw is None or len(raw) > _LONGEST:
        return Unknown(_reason(node) or NOT_UNDERSTOOD, node.place)
    try:
        return _nodes(json.loads(raw), node.place, 0)
    except (ValueError, RecursionError):
        return Unknown(NOT_UNDERSTOOD, node.place)


def _nodes(raw: Any, place: Place, depth: int) -> Node:
    if depth > _DEEPEST:
        return Unknown("it is nested too deeply", place)
    match raw:
        case dict():
            return Table({name: _nodes(child, place, depth + 1) for name, child in raw.items()}, place, {})
        case list():
            return List(tuple(_nodes(child, place, depth + 1) for child in raw), place)
        case _:
            return Scalar(raw, place)


def _reason(node: Node) -> str:
    parts = node.parts if isinstance(node, Joined) else ()
    return next((part.why for part in parts if isinstance(part, Unknown)), "")


# --- three values


class Say(NamedTuple):
    """Yes, no or None for unknown, with the place and the reason; `doubt`: it may not exist at all."""

    value: bool | None
    place: Place
    why: str = NOT_UNDERSTOOD
    doubt: Unknown | None = None


def all_of(values: Sequence[bool | None]) -> bool | None:
    """Whether all are true, in three values."""
    return False if False in values else None if None in values else True


def one_of(values: Sequence[bool | None]) -> bool | None:
    """Whether one is true, in three values."""
    return True if True in values else None if None in values else False


def open_at(node: Node) -> Say:
    """That a value is not known, for its own reason."""
    return Say(None, node.place, node.why if isinstance(node, Unknown) else _reason(node) or NOT_UNDERSTOOD)


def doubt_of(resource: Resource, element: Resource) -> Unknown | None:
    """Return what the existence of a resource depends on, unless the element depends on the same."""
    doubt = resource.doubt
    return None if doubt is None or (element.doubt is not None and element.doubt.why == doubt.why) else doubt


def every(says: Iterable[Say], note: str = "", otherwise: str = "") -> Outcome:
    """Whether all are true: no as soon as one certainly is not, yes if no reading of the rest could change it.

    None where there is nothing to ask about.
    """
    outcome = some((say._replace(value=None if say.value is None else not say.value) for say in says), otherwise, note)
    return outcome._replace(value=not outcome.value) if isinstance(outcome, Answered) else outcome


def some(says: Iterable[Say], note: str = "", otherwise: str = "") -> Outcome:
    """Return whether one is true; `note` goes with yes, `otherwise` with no.  None if there is nothing to ask about."""
    known = tuple(says)
    if not known:
        return None
    true = tuple(say.place for say in known if say.value and say.doubt is None)
    if true:
        return Answered(value=True, places=true, note=note)
    for say in known:
        if say.value is None:
            return Unanswered(say.why, say.place)
        if say.value and say.doubt is not None:
            return Unanswered(say.doubt.why, say.doubt.place)
    certain = tuple(say.place for say in known if say.doubt is None)
    if certain:
        return Answered(value=False, places=certain, note=otherwise)
    doubt = known[0].doubt
    return None if doubt is None else Unanswered(doubt.why, doubt.place)


def unless_unread(outcome: Outcome, stack: Stack, good: Sequence[bool | str | int]) -> Outcome:
    """Return an outcome, or that it is unknown because an unread part of the file might undo a good one."""
    if isinstance(outcome, Answered) and outcome.value in good and stack.unread:
        first = stack.unread[0]
        return Unanswered(f"{first.name} may hold more of these: {first.why}", first.place, stands=outcome)
    return outcome


# --- gathered parts


def named(parts: Sequence[Gathered], *names: str) -> tuple[Gathered, ...]:
    """The parts of some names."""
    return tuple(part for part in parts if part.part in names)


def opaque_of(part: Gathered) -> Unknown | None:
    """Why a part that is a whole resource cannot be read as one."""
    return part.node if isinstance(part.node, Unknown) else part.resource.opaque
