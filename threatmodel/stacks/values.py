"""What a property of a resource can be, once a template or plan has been resolved as far as its text allows.

A tree of nodes, each with its place: plain values, links to other resources, texts with links inside, and what cannot
be known.  Every reader (CloudFormation, SAM, Terraform, serverless.yml) gives these, and all that looks for facts works
on them alone.  Nodes are never changed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from threatmodel.reading.problems import Place


class Scalar(NamedTuple):
    """A text, number, yes/no or null that is there.

    `given` are the parameters that it comes from; of a text that is put together, `spelled` has their names, marked, in
    place of what they give: `mark`.
    """

    value: str | int | float | bool | None
    place: Place
    given: tuple[str, ...] = ()
    spelled: str = ""


class Table(NamedTuple):
    """A mapping: its nodes by key, in order.  `keys` are the places of the keys (none where a reader made them)."""

    entries: Mapping[str, Node]
    place: Place
    keys: Mapping[str, Place] = {}


class List(NamedTuple):
    """A list of nodes."""

    items: tuple[Node, ...]
    place: Place
    given: tuple[str, ...] = ()


class Link(NamedTuple):
    """What refers to a resource of the same file: its name there, and which of its attributes ('' for `Ref`).

    A name that is no resource of the stack is one that SAM's transform makes (``OrderBotRole``).
    """

    resource: str
    attribute: str
    place: Place


class Joined(NamedTuple):
    """A text of which some parts are links or unknown (`Fn::Sub`, `Fn::Join`, a Terraform reference in a text).

    `given` and `spelled` are those of `Scalar`.
    """

    parts: tuple[str | Link | Unknown, ...]
    place: Place
    given: tuple[str, ...] = ()
    spelled: str = ""


class Unknown(NamedTuple):
    """What the file alone does not tell: `why` in words (never a value), `usual` what parameter defaults would give.

    `usual` is None where defaults do not tell either, and a null where they would leave the value out.  `imported` is
    the name under which another stack gives it away, as far as it is written out, and `imports` all of it.  `choices`
    are the conditions (``?Name``) and parameters that decide it, where a deployment decides these; None where that is
    not recorded: any of them may.
    """

    why: str
    place: Place
    usual: Node | None = None
    given: tuple[str, ...] = ()
    imported: str = ""
    choices: frozenset[str] | None = None
    imports: Node | None = None


ALWAYS: frozenset[str] = frozenset()
"""The choices of what is unknown in every deployment."""
ANY_CHOICE = "*"
"""Stands for every choice that a file leaves open."""

Node: TypeAlias = "Scalar | Table | List | Link | Joined | Unknown"
_Part = TypeVar("_Part", "Link", "Unknown")
_NODES = (Scalar, Table, List, Link, Joined, Unknown)


def node_of(value: Any, place: Place) -> Node:
    """Plain data with nodes inside as a node; keys whose value is None are left out."""
    if isinstance(value, _NODES):
        return value
    if isinstance(value, Mapping):
        return Table({key: node_of(child, place) for key, child in value.items() if child is not None}, place)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return List(tuple(node_of(child, place) for child in value), place)
    return Scalar(value, place)


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """A mapping or list with each of its values changed; the very same node where none is, and where it is neither."""
    match node:
        case Table(entries=entries):
            changed = {name: change(child) for name, child in entries.items()}
            return node if all(changed[name] is entries[name] for name in changed) else node._replace(entries=changed)
        case List(items=children):
            found = tuple(map(change, children))
            return node if all(map(operator.is_, found, children)) else node._replace(items=found)
    return node


def is_set(node: Node | None) -> bool:
    """Whether something is given: neither nothing, null nor an empty text or list."""
    match node:
        case None:
            return False
        case Scalar(value=value):
            return value is not None and value != ""
        case List(items=children):
            return bool(children)
        case _:
            return True


def is_null(node: Node | None) -> bool:
    """Whether a null is written."""
    return isinstance(node, Scalar) and node.value is None


def get(node: Node | None, *names: str) -> Node | None:
    """The node behind some keys, or None where there is none; an unknown on the way is the answer."""
    for name in names:
        if isinstance(node, Unknown):
            return node
        node = node.entries.get(name) if isinstance(node, Table) else None
    return node


def entries(node: Node | None) -> Mapping[str, Node]:
    """The entries of a mapping; none where it is no mapping."""
    return node.entries if isinstance(node, Table) else {}


def text(node: Node | None) -> str | None:
    """The text of a scalar that is a text."""
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def as_text(node: Scalar) -> str:
    """A value as a text holds it."""
    return "" if node.value is None else str(node.value).lower() if isinstance(node.value, bool) else str(node.value)


def items(node: Node | None) -> tuple[Node, ...]:
    """The items of a list, or the node itself where it is one alone (`Action: s3:GetObject`); none where it is None."""
    if node is None:
        return ()
    return node.items if isinstance(node, List) else (node,)


def links(node: Node | None) -> Iterator[Link]:
    """Every link in a node, in order; those that only defaults would give are not among them."""
    return _within(node, Link)


def unknowns(node: Node | None) -> Iterator[Unknown]:
    """Everything in a node that is not known, in order."""
    return _within(node, Unknown)


def choices_of(*nodes: Node | None) -> frozenset[str]:
    """The choices that decide what is unknown in some nodes."""
    found: set[str] = set()
    for node in nodes:
        for one in unknowns(node):
            found.update((ANY_CHOICE,) if one.choices is None else one.choices)
    return frozenset(found)


def both(one: Unknown | None, other: Unknown | None) -> Unknown | None:
    """Return the first of two doubts, as one that the choices of either decide."""
    if one is None or other is None:
        return one or other
    return one._replace(choices=choices_of(one, other))


def tables(node: Node | None) -> Iterator[Table]:
    """Every mapping in a node, however deep, the outer ones first."""
    if isinstance(node, Table):
        yield node
    for child in node.entries.values() if isinstance(node, Table) else node.items if isinstance(node, List) else ():
        yield from tables(child)


def leaves(node: Node | None) -> Iterator[Node]:
    """Every value in a node that is no mapping and no list, however deep, in order."""
    match node:
        case None:
            return
        case Table(entries=entries):
            for child in entries.values():
                yield from leaves(child)
        case List(items=children):
            for child in children:
                yield from leaves(child)
        case _:
            yield node


def measured(node: Node, most: int) -> tuple[int, int]:
    """How many nodes a node consists of, and how many levels it has; counted up to `most` nodes and no further."""
    count = deepest = 0
    waiting = [(node, 0)]
    while waiting and count <= most:
        node, level = waiting.pop()
        count += 1
        if isinstance(node, Table | List):
            deepest = max(deepest, level + 1)
            inside = node.entries.values() if isinstance(node, Table) else node.items
            waiting += [(child, level + 1) for child in inside]
    return count, deepest


def size(node: Node, most: int) -> int:
    """How many nodes a node consists of, counted up to `most`."""
    return measured(node, most)[0]


def counts(node: Node | None) -> bool:
    """Whether a value counts as given: it is neither missing, null, empty, 0 nor false."""
    match node:
        case None:
            return False
        case Scalar(value=value):
            return bool(value)
        case Table(entries=inside) | List(items=inside):
            return bool(inside)
    return True


def _within(node: Node | None, kind: type[_Part]) -> Iterator[_Part]:
    """Every part of a node that is of a kind, in order."""
    for leaf in leaves(node):
        if isinstance(leaf, Joined):
            yield from (part for part in leaf.parts if isinstance(part, kind))
        elif isinstance(leaf, kind):
            yield leaf


class NotPlain(Exception):  # noqa: N818 - no error of anybody's: a value that has to be looked at node by node
    """A node that holds a link or something unknown."""


def plain(node: Node) -> Any:
    """The node as plain data.  Raises NotPlain where it holds a link or something unknown."""
    match node:
        case Scalar(value=value):
            return value
        case Table(entries=entries):
            return {name: plain(child) for name, child in entries.items()}
        case List(items=children):
            return [plain(child) for child in children]
        case _:
            raise NotPlain


def same(one: Node | None, other: Node | None) -> bool:
    """Whether two nodes stand for the same value, wherever they stand; what is unknown is never the same."""
    match one, other:
        case (Scalar(value=a, given=a_from), Scalar(value=b, given=b_from)):
            return a.__class__ is b.__class__ and a == b and a_from == b_from
        case (Link(resource=name, attribute=attribute), Link()):
            return (name, attribute) == other[:2]
        case (Joined(parts=a, given=a_from), Joined(parts=b, given=b_from)):
            return len(a) == len(b) and a_from == b_from and all(map(_same_part, a, b))
        case (List(items=a, given=a_from), List(items=b, given=b_from)):
            return len(a) == len(b) and a_from == b_from and all(map(same, a, b))
        case (Table(entries=a), Table(entries=b)):
            return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
        case _:
            return one is None and other is None


def _same_part(one: str | Link | Unknown, other: str | Link | Unknown) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return same(one, other)


def mark(names: Iterable[str]) -> str:
    """What is in a text for what is unknown, with the names of what would give it."""
    return f"\x00{','.join(names)}\x01"


def spelling(piece: Node | str) -> str:
    """A piece of a text as it may be shown: parameters by their names, marked, and links as `shape_of` has them."""
    match piece:
        case str():
            return piece
        case Scalar(given=given, spelled=spelled) | Joined(given=given, spelled=spelled) if given:
            return spelled or mark(given)
        case Scalar():
            return as_text(piece)
        case Joined(parts=parts):
            return "".join(map(spelling, parts))
        case Unknown(given=given, imported=imported):
            return mark(given or ((imported,) if imported else ()))
        case _:
            return shape_of(piece)


DYNAMIC = re.compile(r"\{\{resolve:[^{}]*\}\}")
"""A dynamic reference in a text: any value, which is read from another store at deployment."""


def shape_of(node: Node | None) -> str:
    """A text in which links are written as ``${Name.Attribute}`` and unknown parts as ``*``; '' for anything else."""
    match node:
        case Scalar(value=str() as value):
            return value
        case Link(resource=resource, attribute=attribute):
            return f"${{{resource}.{attribute}}}" if attribute else f"${{{resource}}}"
        case Joined(parts=parts):
            return "".join(part if isinstance(part, str) else shape_of(part) for part in parts)
        case Unknown():
            return "*"
        case _:
            return ""


def by_defaults(node: Node) -> str:
    """That a value comes from parameters, which a deployment may give other values."""
    given = node.given if isinstance(node, Scalar | Joined) else ()
    return f"from the default of the parameter {' and '.join(given)}" if given else ""
