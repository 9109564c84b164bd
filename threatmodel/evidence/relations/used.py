"""The calls that a function was seen to make, as rights on resources of the file that deploys it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from threatmodel.evidence.analyses.properties import read
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Table, links

if TYPE_CHECKING:
    from threatmodel.probe.seen import SeenCall

_RIGHT: Mapping[str, str] = {
    "sqs:sendmessagebatch": "sqs:sendmessage",
    "sns:publishbatch": "sns:publish",
    "s3:headobject": "s3:getobject",
    "dynamodb:executestatement": "",
}
"""Operations that another right of the same service allows ('' for those that need different ones), from the service
authorization reference; every other operation needs the permission of the same name."""


def used(calls: Iterable[SeenCall], function: Resource, stack: Stack) -> frozenset[tuple[str, str]]:
    """The rights (in small letters) that the calls need, each with the resource that the variable refers to.

    A call on something that no variable of the function refers to shows the use of no resource of the file.
    """
    return frozenset(_used(calls, function, stack))


def unable(
    calls: Iterable[SeenCall], function: Resource, stack: Stack, rights: frozenset[tuple[str, str]]
) -> tuple[str, ...]:
    """The calls that a function was seen to make and that its rights do not allow on what its variables refer to.

    `rights` is all that its role allows: actions in small letters, each with the resource of the file.
    """
    return tuple(f"{action} on {on}" for action, on in sorted(used(calls, function, stack) - rights))


def _used(calls: Iterable[SeenCall], function: Resource, stack: Stack) -> Iterator[tuple[str, str]]:
    variables = read(function.properties, "Environment", "Variables")
    if not isinstance(variables, Table):
        return
    for call in calls:
        operation = f"{call.service}:{call.action}".lower()
        named = {link.resource for link in links(variables.entries.get(call.variable))} & stack.resources.keys()
        right = _RIGHT.get(operation, operation)
        if right and len(named) == 1:
            yield right, named.pop()
