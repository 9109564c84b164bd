"""Rights that policies of resources give to a role: they are the role's as much as those that are attached to it.

A queue's policy, a key's, a permission of a function or the trust of another role names the role as its principal; in
the same account that is enough.  Where such policies stand, AWS's own schemas say (`resource_schemas`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from threatmodel.evidence.policies.grants import (
    MARK,
    Grant,
    Pattern,
    Principal,
    in_doubt,
    pattern,
    statements,
    within_work,
)
from threatmodel.evidence.policies.written import parsed
from threatmodel.stacks.resource_schemas import ResourcePolicy, at, is_unknown, permissions, policies
from threatmodel.stacks.stack import ELSEWHERE, Resource, Stack
from threatmodel.stacks.values import Joined, Link, List, Node, Table, Unknown, items, links

_ROLES = ("AWS::IAM::Role",)


class GivenRights(NamedTuple):
    """Statements that give rights, each with its resource, by the role that they name; `wide` may name any role."""

    by_role: Mapping[str, Sequence[tuple[Grant, str]]]
    wide: frozenset[str]

    def to(self, role: str) -> tuple[Grant, ...]:
        """The statements for a role."""
        return tuple(grant for grant, _ in self.by_role.get(role, ()))


def given_to(function: Resource, stack: Stack) -> tuple[Grant, ...]:
    """Return the statements of resource policies that name the role of a function, each on its resource."""
    node = function.properties.entries.get("Role")
    target = stack.target(node) if node is not None else None
    name = target.name if target is not None else "" if node is not None else f"{function.name}Role"
    given = given_rights(stack)
    for _, owner in given.by_role.get(name, ()):
        stack.resources.get(owner)  # recorded: it may not be there
    return given.to(name)


def given_rights(stack: Stack) -> GivenRights:
    """All such statements, whatever resources are left out; looked for once for a stack that is asked about again."""
    whole = stack.regardless()
    return whole.once(_given_rights, lambda: _given_rights(whole))


def _given_rights(stack: Stack) -> GivenRights:
    found: dict[str, list[tuple[Grant, str]]] = {}
    wide: set[str] = set()
    names: dict[str, list[str]] = {}
    for own, role in _own_names(stack):
        names.setdefault(own, []).append(role)
    every = [role.name for role in stack.of_type(*_ROLES)]
    for resource in stack.resources.values():
        for grant in within_work(in_doubt(_statements(resource), resource.doubt), stack):
            if grant.effect != "Deny" and not grant.but_principals:
                named = dict.fromkeys(_roles(grant, names), grant)
                hidden = _hidden(grant)
                wide |= {resource.name} if hidden is not None else set()
                perhaps = dict.fromkeys(every if hidden is not None else (), grant._replace(open=grant.open or hidden))
                for role, one in (perhaps | named).items():
                    found.setdefault(role, []).append((one, resource.name))
    return GivenRights(found, frozenset(wide))


_A_ROLE = "arn:aws:iam::"


def _hidden(grant: Grant) -> Unknown | None:
    """Why a statement may name any role: it cannot be read and refers to nothing, or a principal of it is unknown."""
    if not grant.actions and not grant.principals:
        return grant.open
    return next(
        (one.pattern.open for one in grant.principals if one.kind == "AWS" and _may_be_a_role(one.pattern)), None
    )


def _may_be_a_role(found: Pattern) -> bool:
    head = MARK.split(found.text)[0]
    rest = ":user/" in found.text or found.text.endswith(":root")
    return found.open is not None and not found.links and not rest and (":role/" in head or _A_ROLE.startswith(head))


def _own_names(stack: Stack) -> Iterator[tuple[str, str]]:
    """The names that roles give themselves, with the names that they have in the file."""
    for role in stack.of_type(*_ROLES):
        own = role.properties.entries.get("RoleName")
        if own is not None and (name := pattern(own)).text and name.open is None:
            yield name.text, role.name


def _roles(grant: Grant, names: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for one in grant.principals:
        if one.kind == "AWS":
            yield from (link.resource for link in one.pattern.links)
            if ":role/" in one.pattern.text and not MARK.search(one.pattern.text):
                yield from names.get(one.pattern.text.rsplit("/", 1)[-1], ())


def _statements(resource: Resource) -> Iterator[Grant]:
    """Every statement of a resource's own policies."""
    for node, path, about in _documents(resource):
        for grant in _read(node, path):
            yield _on_its_own(grant, _on(resource, about))
    single = permissions().get(resource.type)
    if single is not None:
        yield from _single(resource, single.principal, single.action, single.about)


def _documents(resource: Resource) -> Iterator[tuple[Node, str, Sequence[str]]]:
    """Return the policies of a resource, with their path and the properties that name their subject."""
    row = policies().get(resource.type.removesuffix(ELSEWHERE), ResourcePolicy((), ()))
    yield from ((node, path, row.about) for path in row.documents for node in at(resource.properties, path))
    if "::" not in resource.type or is_unknown(resource):  # whatever property reads as a policy is one
        for name, node in resource.properties.entries.items():
            if isinstance(found := parsed(node), Table) and "Statement" in found.entries:
                yield found, name, ()


def _read(node: Node, path: str) -> Sequence[Grant]:
    """The statements of a document; one that cannot be read may name whatever it refers to."""
    if path.endswith("Statement") and not isinstance(node, List):
        node = Table({"Statement": node}, node.place, {})
    named = tuple(Principal("AWS", pattern(link)) for link in links(node))
    return [
        grant if grant.open is None or grant.actions else grant._replace(principals=named) for grant in statements(node)
    ]


def _single(resource: Resource, principal: str, action: str, about: Sequence[str]) -> Iterator[Grant]:
    """The statement that a resource is, where it is whole."""
    entries = resource.properties.entries
    who, actions = entries.get(principal), items(entries.get(action))
    if who is None or not actions:
        return
    done = tuple(found._replace(text=found.text.lower()) for found in map(pattern, actions))
    named = (Principal("AWS", pattern(who)),)
    yield Grant("Allow", done, _on(resource, about), named, (), resource.place)


def _on(resource: Resource, about: Sequence[str]) -> tuple[Pattern, ...]:
    """Return the resources that a policy is attached to, and what is below them; nothing is below a role."""
    nodes: list[Node] = [one for name in about for node in at(resource.properties, name) for one in items(node)]
    nodes = nodes if about else [Link(resource.name, "Arn", resource.place)]
    below = (
        [] if resource.type in _ROLES else [Joined((one, "/*"), one.place) for one in nodes if isinstance(one, Link)]
    )
    return tuple(pattern(one) for one in (*nodes, *below))


def _on_its_own(grant: Grant, on: tuple[Pattern, ...]) -> Grant:
    """Return the statement on its resource, if it covers all: a policy of a resource is about that alone."""
    everything = not grant.resources or any(not one.text.strip("*") for one in grant.resources)
    return grant._replace(resources=on, but_resources=False) if everything and on else grant
