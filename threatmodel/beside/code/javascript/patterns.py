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
        return node("parameter", "", [_bound(*one) for one in _members(pattern)], at)
    default = at.child_by_field_name("value") or at.child_by_field_name("right")
    return node("parameter", text(pattern), every([default]), at)


def _bound(key: str, local: Tree, default: Tree | None) -> Node:
    """Return a name of a parameter that is a pattern: its key, and its default if it has one."""
    found = named(text(local), key, local)
    return found if default is None else found._replace(parts=(*found.parts, expression(default)))


def _unpacked(target: Tree, value: Node, at: Tree) -> Iterator[Node]:
    if target.type not in _PATTERNS:
        yield node("assign", "", [expression(target), value], at)
        return
    for key, inner, default in _members(target):
        item = [value, node("constant", key, (), inner)] if key.isdigit() else [value]
        found = node("attribute", key, [value], at) if key and not key.isdigit() else node("item", "", item, at)
        either = found if default is None else node("or", "", [found, expression(default)], at)
        yield from _unpacked(inner, either, at)


def _members(pattern: Tree) -> Iterator[tuple[str, Tree, Tree | None]]:
    """Yield the keys or indexes that a pattern takes, ... for all other keys, each with its target and default."""
    for one in children(pattern):
        index = str(sum(1 for other in pattern.children if other.type == "," and other.start_byte < one.start_byte))
        place = index if pattern.type == "array_pattern" else ""
        match one.type:
            case "shorthand_property_identifier_pattern":
                yield text(one), one, None
            case "pair_pattern":
                key, value = one.child_by_field_name("key"), one.child_by_field_name("value")
                if key is not None and value is not None:
                    yield key_name(key), *_target(value)
            case "object_assignment_pattern" | "assignment_pattern":
                left, default = _target(one)
                yield (text(left) if left.type.startswith("shorthand") else place), left, default
            case "rest_pattern":
                rest = "..." if pattern.type == "object_pattern" else ""
                yield from ((rest, inner, None) for inner in children(one)[:1])
            case _:
                yield place, one, None


def _target(at: Tree) -> tuple[Tree, Tree | None]:
    left = at.child_by_field_name("left") if at.type.endswith("assignment_pattern") else None
    return (at, None) if left is None else (left, at.child_by_field_name("right"))
