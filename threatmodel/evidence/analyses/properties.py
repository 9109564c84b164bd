"""What analyses share: properties and documents."""

from __future__ import annotations

import re

from threatmodel.evidence.policies.written import parsed
from threatmodel.stacks.values import Joined, List, Node, Scalar, Table, Unknown, is_set, items, shape_of

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
    return None if node is None else parsed(node)
