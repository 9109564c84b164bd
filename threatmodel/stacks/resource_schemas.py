"""What AWS's own schemas say of types of resources: a table that scripts/resource_schemas.py writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import NamedTuple

from threatmodel.reading.tables import table
from threatmodel.stacks.stack import ELSEWHERE, UNKNOWN, Resource
from threatmodel.stacks.values import List, Node, Table, Unknown, is_set


class ResourcePolicy(NamedTuple):
    """Where a type holds policies that name principals.

    `documents` are paths (``Replicas[].ResourcePolicy.PolicyDocument``); `about` names the properties with their
    are about, none where that is the resource itself.
    """

    documents: tuple[str, ...]
    about: tuple[str, ...]


class Permission(NamedTuple):
    """A type that is one statement: the properties with the principal, the action and the resource."""

    principal: str
    action: str
    about: tuple[str, ...]


_table = partial(table, __file__, "resource-schemas.json")


@cache
def policies() -> Mapping[str, ResourcePolicy]:
    """The types that hold policies of resources."""
    rows = _table()["policies"].items()
    return {name: ResourcePolicy(tuple(row["documents"]), tuple(row["about"])) for name, row in rows}


@cache
def permissions() -> Mapping[str, Permission]:
    """The types that are a single statement each."""
    rows = _table()["permissions"].items()
    return {name: Permission(row["principal"], row["action"], tuple(row["about"])) for name, row in rows}


@cache
def exists(name: str) -> bool:
    """Whether CloudFormation has a type of this name."""
    space, _, last = name.rpartition("::")
    return last in _table()["types"].get(space, "").split()


def is_unknown(resource: Resource) -> bool:
    """Whether a resource is of a type that no table has: what one does to those that it names is unknown."""
    kind = resource.type
    if kind.startswith(UNKNOWN) or resource.written:
        return kind.startswith(UNKNOWN)
    return "::" in kind and not kind.endswith(("::MODULE", ELSEWHERE)) and not exists(kind)


@cache
def of_the_provider_awscc() -> Mapping[str, str]:
    """Return CloudFormation's types by the names that the provider awscc makes of them, without underscores."""
    names = (f"{space}::{last}" for space, types in _table()["types"].items() for last in types.split())
    return {"".join(name.split("::")[1:]).lower(): name for name in names if name.startswith("AWS::")}


def encryption_switch(name: str) -> str:
    """Return the path of the property that enables encryption at rest; '' where a type has none."""
    return str(_table()["encryption"].get(name, ""))


@cache
def is_in_a_network(name: str) -> bool:
    """Return whether resources of a type are in a network, where clients use them without a grant."""
    return name in _table()["networked"]["types"].split()


def at(node: Node | None, path: str) -> Iterator[Node]:
    """Return the value at a path of a table, ``[]`` for each item of a list; an unknown on the way is the value."""
    if not path or isinstance(node, Unknown):
        if node is not None and is_set(node):
            yield node
        return
    first, _, rest = path.partition(".")
    found = node.entries.get(first.removesuffix("[]")) if isinstance(node, Table) else None
    for one in found.items if first.endswith("[]") and isinstance(found, List) else (found,):
        yield from at(one, rest)
