"""The value at a path of a resource, what that means for a fact, and which resource a text names.

A text names a resource by the name that it gives itself, or by one that AWS makes up and the text may be.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from typing import Any

from threatmodel.evidence.answers import Answered, Unanswered
from threatmodel.evidence.mappings.format import FactMapping, PathPart, ValuePath
from threatmodel.evidence.resource_types import known
from threatmodel.model.vocabulary import FactRow
from threatmodel.reading.problems import Place
from threatmodel.reading.shape import Flag, Number, Word
from threatmodel.reading.tokens import redacted
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import (
    DYNAMIC,
    Joined,
    Link,
    List,
    Node,
    Scalar,
    Table,
    Unknown,
    by_defaults,
    links,
    shape_of,
    unknowns,
)

OUTSIDE = "it refers to something outside this file"


def standing(root: Node, path: ValuePath) -> Iterator[Node]:
    """Return the nodes at a path: what is missing, null or empty is left out; an unknown on the way is included."""
    return (node for node in _followed(root, path) if _stands(node))


def lacking(root: Node, path: ValuePath) -> Iterator[Node]:
    """Return the items on the way, of lists of which all items count, without a value further on."""
    for at, part in enumerate(path):
        if part.kind == "items" and not part.where and at + 1 < len(path):
            rest = path[at + 1 :]
            return (item for item in standing(root, path[: at + 1]) if not any(True for _ in standing(item, rest)))
    return iter(())


def _stands(node: Node) -> bool:
    empty = (isinstance(node, Table) and not node.entries) or (isinstance(node, List) and not node.items)
    return not empty and not (isinstance(node, Scalar) and node.value in {None, ""})


def _followed(node: Node, path: Sequence[PathPart]) -> Iterator[Node]:
    if not path or isinstance(node, Unknown):
        yield node
        return
    part, rest = path[0], path[1:]
    if part.where and isinstance(node, List):
        yield from _filtered(node, part, rest)
        return
    if isinstance(node, Link | Joined):
        if part.kind == "items" and not part.where:
            yield from _followed(node, rest)  # one value where a list may stand
        else:
            yield Unknown(OUTSIDE, node.place)
        return
    for child in _children(node, part):
        yield from _followed(child, rest)


def _children(node: Node, part: PathPart) -> Iterator[Node]:
    match part.kind, node:
        case "key", Table(entries=entries):
            if part.name in entries:
                yield entries[part.name]
        case "items", List(items=children):
            yield from children
        case "items", Scalar() if not part.where:
            yield node
        case "values", Table(entries=entries):
            yield from entries.values()


def _filtered(node: List, part: PathPart, rest: Sequence[PathPart]) -> Iterator[Node]:
    """Return what follows the items that have some values; after those that may have them it is unknown."""
    for child in node.items:
        having = has_values(child, part.where)
        for found in _followed(child, rest) if having is not False else ():
            if having or isinstance(found, Unknown):
                yield found
            elif _stands(found):
                yield Unknown(NOT_SHOWN, found.place)


NOT_SHOWN = "its value does not show whether this is meant"


def has_values(node: Node, where: Sequence[tuple[str, str]]) -> bool | None:
    """Whether properties have these values; None where one may: it is unknown, or a parameter gives it."""
    found = [_has(node, name, wanted) for name, wanted in where]
    return False if False in found else None if None in found else True


def _has(node: Node, name: str, wanted: str) -> bool | None:
    child = node.entries.get(name) if isinstance(node, Table) else None
    if isinstance(node, Unknown | Link | Joined) or any(unknowns(child)) or bool(getattr(child, "given", ())):
        return None
    return _as_text(child) == wanted


# --- predicates


def said(row: FactRow, mapping: FactMapping, node: Node, at: Place) -> Answered | Unanswered:
    """Return what a value means."""
    if isinstance(node, Unknown):
        return Unanswered(node.why, at)
    if mapping.predicate == "says":
        return Answered(mapping.says, (at,))
    stated, note = _as_text(node), by_defaults(node)
    if stated is not None:
        for pattern, value in mapping.words.items():
            if fnmatch.fnmatchcase(stated, pattern):
                return Answered(value, (at,), note)
    if mapping.value:
        value = _taken(row, mapping.value, node)
        if value is not None:
            return Answered(value, (at,), note)
    return Unanswered("the value cannot be read", at)


def _as_text(node: Node | None) -> str | None:
    """Return a value as its file has it: true, 30, a text with its links spelled out."""
    if isinstance(node, Scalar):
        return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)
    return shape_of(node) or None if isinstance(node, Link | Joined) else None


def _taken(row: FactRow, how: str, node: Node) -> Any:
    """Return the value as the fact's type has it; None if it is not one."""
    raw = node.value if isinstance(node, Scalar) else None
    match row.shape, how:
        case Flag(), _:
            flag = {"true": True, "false": False}.get(str(raw).lower())
            return None if flag is None else flag is not (how == "negated")
        case Word() as word, _:
            return redacted(raw) if isinstance(raw, str) and word.takes(raw) else None
        case Number(low, high), _:
            number = _number(raw)
            number = None if number is None else number // 24 if how == "hours-as-days" else number
            return number if number is not None and low <= number <= high else None


def _number(raw: object) -> int | None:
    try:
        return None if isinstance(raw, bool) else int(float(str(raw)))
    except (ValueError, OverflowError):
        return None


# --- names that resources give themselves
_TOKEN = re.compile(r"\$\{[^{}]*\}")
_MASK = re.compile("\x00([0-9]+)\x01")
"""A variable in a text, whose name may contain colons."""
_ARN = 5
"""The position of the resource in an ARN, between colons."""
_LONGEST = 512
_SHORTEST = 8
"""Letters of a logical id that CloudFormation keeps at least where a name would become too long."""
_MADE_UP = re.compile(r".+-(?P<id>[A-Za-z0-9]+)-[A-Za-z0-9]{6,}\Z")
"""Return the name that CloudFormation gives a resource without one: its stack, its logical id and random letters."""
_RANDOM = re.compile(r"\*[A-Za-z0-9]*\Z")
"""How a text ends that may be such a name, after what is not known of it."""


_OF_ACCOUNT = re.compile(r"(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:\d{12}|\x00\d+\x01):(?:function:)?")
"""How a partial ARN of a function begins: with the account, which may be a variable."""


def names_in(node: Node) -> tuple[str, ...]:
    """Return the own names that a text can mean: itself, the resource of an ARN or an address, a function's in part."""
    if isinstance(node, Joined) and not any(links(node)):
        stated: object = shape_of(node)
    else:
        stated = node.value if isinstance(node, Scalar) else None
    stated = DYNAMIC.sub("*", stated) if isinstance(stated, str) else None
    if stated is None or len(stated) > _LONGEST or "\x00" in stated:
        return ()
    tokens = _TOKEN.findall(stated)
    numbers = iter(range(len(tokens)))
    masked = _TOKEN.sub(lambda _: f"\x00{next(numbers)}\x01", stated)
    parts = masked.split(":")
    if parts[0] == "arn" and len(parts) > _ARN:
        last = re.split("[:/]", ":".join(parts[_ARN:]))
        found = (last[-1], last[1] if len(last) > 1 else last[0])
    elif masked.startswith(("https://", "http://")):
        found = (masked, masked.rpartition("/")[2])  # how a queue is named
    else:
        found = (masked, _OF_ACCOUNT.sub("", masked.removeprefix("function:"), count=1).split(":")[0])
    return tuple(dict.fromkeys(_MASK.sub(lambda mask: tokens[int(mask[1])], one) for one in found))


def names_other(kind: str, node: Node) -> bool:
    """Whether a name is that of a resource which only its text relates to another: no log group that Lambda writes to.

    A function writes to ``/aws/lambda/<function>``; a group with the function's name in another one is not its own.
    """
    if (
        kind != "AWS::Logs::LogGroup"
        or isinstance(node, Unknown)
        or (isinstance(node, Link) and "log" in node.attribute)
    ):
        return False
    return not shape_of(node).startswith(_OF_LAMBDA) or len([*links(node)]) > 1


_OF_LAMBDA = "/aws/lambda/"


def own_names(resource: Resource) -> Iterator[str]:
    """The names that a resource gives itself, as plain texts."""
    row = known(resource.type)
    node = resource.properties.entries.get(row.own_name)
    if isinstance(node, Scalar) and isinstance(node.value, str):
        yield node.value
        if "lambda" in row.services:
            yield f"{_OF_LAMBDA}{node.value}"


def may_be(resource: Resource, text: Node) -> bool:
    """Whether a text may be a resource's name that the file does not tell whole: made up by AWS, or given later."""
    hidden = any(not one.given for one in unknowns(text)) or bool(DYNAMIC.search(shape_of(text)))
    return any(_may_be(resource, name, hidden=hidden) for name in names_in(text))


def _may_be(resource: Resource, name: str, *, hidden: bool) -> bool:
    """The same for one name; `hidden`: a part of it that no parameter gives, so that a made-up name may be known."""
    row = known(resource.type)
    key = row.own_name
    node = resource.properties.entries.get(key)
    if not key or (node is not None and not isinstance(node, Scalar | Joined)):
        return bool(key)
    own = shape_of(node)
    if not own:
        fits = hidden and _RANDOM.search(name) is not None
        return not resource.written and (fits or _made_up(resource.name.rpartition(".")[2], name))
    wild = isinstance(node, Joined) or bool(getattr(node, "given", ()))
    mine = "*" if wild and isinstance(node, Scalar) else _TOKEN.sub("*", own)
    return mine != name and (_globbed(mine, name) or _globbed(_TOKEN.sub("*", name), own))


def _made_up(logical: str, name: str) -> bool:
    found = _MADE_UP.match(_TOKEN.sub("x", name))
    if found is None:
        return False
    part, whole = found["id"].lower(), logical.lower()
    return part == whole or (len(part) >= _SHORTEST and whole.startswith(part))


def _globbed(pattern: str, text: str) -> bool:
    """Whether a pattern with wildcards fits; each part is taken where it first fits, so that time stays bounded."""
    if "*" not in pattern:
        return False
    first, *middle, last = (re.escape(part) for part in re.split(r"\*+", pattern))
    return re.fullmatch(first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}", text, re.DOTALL) is not None
