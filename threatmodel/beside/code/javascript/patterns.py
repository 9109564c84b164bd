"""What a pattern of JavaScript takes apart: targets of assignments and parameters."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.beside.code.javascript.expressions import key_name
from threatmodel.beside.code.javascript.tree import Tree, children, every, expression, node, text
from threatmodel.beside.code.syntax import Node

_PATTERNS = frozenset({"object_pattern", "array_pattern"})


def bound(left: Tree | None, right: Tree | None, at: Tree) -> list[Node]:
    """Return the assignments of a value to a target, which may be a pattern."""
    if left is None or right is None:
        return []
    return list(_unpacked(left, expression(right), at))


def named(local: str, name: str, at: Tree) -> Node:
    """Return a name that is bound to what has another name elsewhere."""
    return node("as", local, [node("text", name, (), at)], at)


def parameter(at: Tree) -> Node:
    """Return a parameter; one that is a pattern has the names that it binds, each with its key."""
    pattern = at.child_by_field_name("pattern") or at.child_by_field_name("left") or at
    if pattern.type == "rest_pattern":
        pattern = (children(pattern) or [pattern])[0]
    if pattern.type in _PATTERNS:
        return node("parameter", "", [named(text(one), key, one) for key, one in _members(pattern)], at)
    default = at.child_by_field_name("value") or at.child_by_field_name("right")
    return node("parameter", text(pattern), every([default]), at)


def _unpacked(target: Tree, value: Node, at: Tree) -> Iterator[Node]:
    if target.type not in _PATTERNS:
        yield node("assign", "", [expression(target), value], at)
        return
    for key, inner in _members(target):
        item = [value, node("constant", key, (), inner)] if key.isdigit() else [value]
        found = node("attribute", key, [value], at) if key and not key.isdigit() else node("item", "", item, at)
        yield from _unpacked(inner, found, at)


def _members(pattern: Tree) -> Iterator[tuple[str, Tree]]:
    """Yield the targets of a pattern, each with the key or the index that it takes: ... for all other keys."""
    for one in children(pattern):
        index = str(sum(1 for other in pattern.children if other.type == "," and other.start_byte < one.start_byte))
        place = index if pattern.type == "array_pattern" else ""
        match one.type:
            case "shorthand_property_identifier_pattern":
                yield text(one), one
            case "pair_pattern":
                key, value = one.child_by_field_name("key"), one.child_by_field_name("value")
                if key is not None and value is not None:
                    yield key_name(key), _target(value)
            case "object_assignment_pattern" | "assignment_pattern":
                left = one.child_by_field_name("left")
                if left is not None:
                    yield (text(left) if left.type.startswith("shorthand") else place), _target(left)
            case "rest_pattern":
                rest = "..." if pattern.type == "object_pattern" else ""
                yield from ((rest, inner) for inner in children(one)[:1])
            case _:
                yield place, one


def _target(at: Tree) -> Tree:
    left = at.child_by_field_name("left") if at.type == "assignment_pattern" else None
    return left if left is not None else at
