"""Which resource a text names: by the name that it gives itself, or by one that AWS makes up and the text may be."""

from __future__ import annotations

import re
from collections.abc import Iterator

from threatmodel.evidence.resource_types import known
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Joined, Link, Node, Scalar, Unknown, links, shape_of

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


_OF_ACCOUNT = re.compile(r"(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:\d{12}|\x00\d+\x01):(?:function:)?")
"""How a partial ARN of a function begins: with the account, which may be a variable."""


def names_in(node: Node) -> tuple[str, ...]:
    """Return the own names that a text can mean: itself, the resource of an ARN or an address, a function's in part."""
    if isinstance(node, Joined) and not any(links(node)):
        stated: object = shape_of(node)
    else:
        stated = node.value if isinstance(node, Scalar) else None
    if not isinstance(stated, str) or len(stated) > _LONGEST or "\x00" in stated:
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


def may_be(resource: Resource, name: str) -> bool:
    """Whether a name may be a resource's that the file does not tell whole: made up by AWS, or given at deployment."""
    row = known(resource.type)
    key = row.own_name
    node = resource.properties.entries.get(key)
    if not key or (node is not None and not isinstance(node, Scalar | Joined)):
        return bool(key)
    own = shape_of(node)
    if not own:
        return not resource.written and _made_up(resource.name.rpartition(".")[2], name)
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
