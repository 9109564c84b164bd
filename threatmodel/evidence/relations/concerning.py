"""Which resources of a file may matter to what starts a function and to what it uses: those connected with it.

Whether a resource is there decides nothing about a function if neither names the other, at once or by way of others.
Stores, queues, secrets, APIs and services are named by many functions: they connect none of these with each other.
What may name any function (an unknown target, a right on every function, a part that is not read) concerns all of them,
and so does what it is connected with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from threatmodel.evidence.policies.given import given_rights
from threatmodel.evidence.relations.naming import Names, may_be_called_anything
from threatmodel.evidence.relations.uses import Functions
from threatmodel.evidence.relations.ways import Ways
from threatmodel.evidence.resource_types import known
from threatmodel.evidence.unread_parts import acting, handed_to, own_names
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import links

_PASSIVE = (
    *("AWS::CertificateManager::", "AWS::CloudWatch::", "AWS::EC2::", "AWS::KMS::", "AWS::Logs::LogGroup"),
    *("AWS::Route53::", "AWS::WAFv2::"),
)
"""How types begin that functions share, and that neither start a function nor give it rights."""
_POLLS = ("mapping", "pipe")
"""Readers of what takes from a queue."""


def concerning(names: Names, using: Functions, ways: Ways) -> Mapping[str, frozenset[str]]:
    """The resources that may or may not be there and may matter to each function, by the function's name."""
    optional = {name: one for name, one in names.stack.resources.items() if one.doubt is not None}
    if not optional:
        return dict.fromkeys(names.functions, frozenset())
    near = _Near(names, _edges(names, using, ways))
    everywhere = near.to(_loose(names, using, ways))
    everywhere |= {name for name, one in optional.items() if may_be_called_anything(one)}
    return {name: frozenset((near.to((name,)) | everywhere) & optional.keys()) for name in names.functions}


def _edges(names: Names, using: Functions, ways: Ways) -> Iterator[tuple[str, str]]:
    """Each two resources of which one names the other, or was found to be about it."""
    called = own_names(names.stack)
    for one in names.stack.resources.values():
        linked = (link.resource for link in links(one.properties))
        yield from ((one.name, other) for other in {one.made_by, *linked, *handed_to(one.properties, called)})
    for name, found in ways.found.items():
        yield from ((name, other) for other in (*ways.said_by[name], *(start.source for start in found.starts)))
    for name in using.roles.all:
        role = using.roles.of(name)
        attached = [part.resource.name for part in using.roles.policies_of(name)]
        attached += [owner for _, owner in given_rights(names.stack).by_role.get(name, ())]
        yield from ((name, other) for other in (*attached, *role.reach, *(one.function for one in role.invokes)))


def _loose(names: Names, using: Functions, ways: Ways) -> Iterator[str]:
    """The resources that may concern any function."""
    yield from ways.loose
    yield from given_rights(names.stack).wide
    yield from (name for _, name in using.roles.open)
    yield from (one.name for one in names.stack.unread)
    yield from (one.name for one in names.stack.resources.values() if one.opaque is not None or acting(one))
    every = (name for name in using.roles.all for one in using.roles.of(name).invokes if not one.function)
    yield from every


class _Near:
    """The resources of a stack, each with those that it is connected with."""

    def __init__(self, names: Names, edges: Iterable[tuple[str, str]]) -> None:
        self._names = names
        self._beside: dict[str, set[str]] = {}
        for one, other in edges:
            if not other:
                continue
            self._beside.setdefault(one, set()).add(other)
            self._beside.setdefault(other, set()).add(one)

    def to(self, start: Iterable[str]) -> set[str]:
        """The resources that are connected with some, these included."""
        waiting = list(start)
        seen = set(waiting)
        while waiting:
            ahead = set(self._ahead(waiting.pop())) - seen
            seen |= ahead
            waiting += ahead
        return seen

    def _ahead(self, name: str) -> Iterable[str]:
        beside = self._beside.get(name, set())
        resource = self._names.stack.resources.get(name)
        if resource is None or not self._is_shared(resource):
            return beside
        rows = ((one, self._names.stack.resources.get(one)) for one in beside)
        return [one for one, other in rows if other is not None and known(other.type).read_as in _POLLS]

    def _is_shared(self, resource: Resource) -> bool:
        kinds = self._names.kinds.get(resource.name, ())
        return (bool(kinds) and "function" not in kinds) or resource.type.startswith(_PASSIVE)
