"""Which policies each role of a file holds, and which other roles of the file it may assume with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from threatmodel.evidence.answers import Gathered, doubt_of
from threatmodel.evidence.policies.arns import account_of, spelt
from threatmodel.evidence.policies.given import given_rights
from threatmodel.evidence.policies.grants import Grant, Pattern, Principal, grants, in_doubt, statements
from threatmodel.reading.problems import quoted
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown, get, is_set, items

_HOLDERS: Mapping[str, str] = {
    "AWS::IAM::Policy": "Roles",
    "AWS::IAM::ManagedPolicy": "Roles",
    "AWS::IAM::RolePolicy": "RoleName",
}
"""Types that attach a policy to roles: the property with the roles."""
ASSUME_ROLE = "sts:assumerole"


class RolePolicies:
    """The policies `of` each role of a stack, by its name; `open` are the others, with what they are attached to."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.all = {one.name: one for one in stack.resources.values() if one.type == "AWS::IAM::Role"}
        own = {name: spelt(one.properties.entries.get("RoleName")) for name, one in self.all.items()}
        self._by_name = {key: name for name, key in own.items() if key is not None}
        self.open: list[tuple[Node, str]] = []
        self.of: dict[str, list[Gathered]] = {name: [] for name in self.all}
        for resource in stack.resources.values():
            if resource.type in _HOLDERS:
                self._attach(resource)
        for role in self.all.values():
            self.of[role.name] += self._inline(role)

    def named(self, node: Node | None) -> str:
        """The role of this file that a value names, or ''."""
        target = self.stack.target(node)
        if target is not None:
            return target.name if target.name in self.all else ""
        key = spelt(node)
        if key is None:
            return ""
        return self._by_name.get(key) or self._by_name.get((re.split(r"[:/]", key[0])[-1], key[1]), "")

    def _attach(self, resource: Resource) -> None:
        written = resource.properties.entries.get("PolicyDocument")
        for node in _each(resource.properties.entries.get(_HOLDERS[resource.type]), resource):
            name = self.named(node)
            if name and is_set(written):
                self.of[name].append(Gathered("policy", written or node, resource))
            elif not name and self.stack.target(node) is None:
                self.open.append((node, resource.name))

    def _inline(self, role: Resource) -> Iterator[Gathered]:
        for one in _each(get(role.properties, "Policies")):
            document = get(one, "PolicyDocument")
            if is_set(document):
                yield Gathered("policy", document or one, role)
        for one in _each(get(role.properties, "ManagedPolicyArns")):
            target = self.stack.target(one)
            if target is not None and target.type == "AWS::IAM::ManagedPolicy":
                written = get(target.properties, "PolicyDocument") or Unknown("a policy has no document", target.place)
                yield Gathered("policy", written, target if role.doubt is None else role)
            else:
                yield Gathered("managed", one, role)
        if role.opaque is not None:
            yield Gathered("policy", role.opaque, role)

    def statements(self, role: Resource) -> tuple[Grant, ...]:
        """All that a role's own policies and those of resources allow and deny it."""
        return (*grants(self.of[role.name], role, self.stack), *given_rights(self.stack).to(role.name))

    def assumed(self, role: Resource, own: Iterable[Grant]) -> Iterator[tuple[Resource, Unknown | None]]:
        """The roles that statements of a role name for sts:AssumeRole; why one may not be assumed, where that is so."""
        for grant in own:
            if grant.effect != "Allow" or grant.but_resources or grant.covers(ASSUME_ROLE) is not True:
                continue
            for named, target in ((one, each) for one in grant.resources for each in self._meant(one)):
                doubt = grant.open or named.open or _by_number(named) or doubt_of(target, role)
                if doubt is None and not _trusts(target, role.name):
                    why = f"its role may assume {quoted(target.name)}, whose trust policy may not allow it"
                    doubt = Unknown(why, grant.place)
                if target is not role:
                    yield target, doubt

    def _meant(self, resource: Pattern) -> Iterable[Resource]:
        """The roles of the file that a resource of a statement means: the first that it links to, or every one."""
        if _is_every_role(resource):
            return self.all.values()
        return [self.all[link.resource] for link in resource.links if link.resource in self.all][:1]


def role_policies(stack: Stack) -> RolePolicies:
    """Return the policies of the roles of a stack, which are looked for once."""
    return stack.once(RolePolicies, lambda: RolePolicies(stack))


def as_others(function: Resource, own: Sequence[Grant], stack: Stack) -> Iterator[Grant]:
    """What a function may do as the roles of the file that it may assume, one after another.

    It is in doubt where the trust policy may not allow it, or the role is denied something as well.
    """
    if not any(grant.covers(ASSUME_ROLE) and any(map(_may_be_of_the_file, grant.resources)) for grant in own):
        return
    held = role_policies(stack)
    name = held.named(function.properties.entries.get("Role"))
    waiting, reached = [(held.all[name], own)] if name else [], {name}
    for one, its in waiting:  # it grows
        for target, why in held.assumed(one, its):
            if target.name not in reached and _trusts(target, one.name) is not False:
                reached.add(target.name)
                theirs = held.statements(target)
                denied = next((Unknown(_LIMITED, grant.place) for grant in theirs if grant.effect == "Deny"), None)
                about = f"the role {quoted(target.name)}, which it may assume,"
                allowed = (grant._replace(source=grant.source or about) for grant in theirs if grant.effect != "Deny")
                yield from in_doubt(allowed, why or denied)
                waiting.append((target, theirs))


def _may_be_of_the_file(resource: Pattern) -> bool:
    return bool(resource.links) or _is_every_role(resource)


def _is_every_role(resource: Pattern) -> bool:
    """Whether a resource is every role of an account, or of every account."""
    return resource.text == "*" or (resource.text.endswith(":role/*") and bool(account_of(resource)))


def _by_number(resource: Pattern) -> Unknown | None:
    """Why it is not known whether roles are of the deploying account: a number may be its own."""
    why = "it may assume the roles of an account that is given by its number"
    return Unknown(why, resource.place) if account_of(resource).isdigit() else None


_LIMITED = "a statement denies the role that it may assume some of it"


def _trusts(target: Resource, name: str) -> bool | None:
    """Whether a role's trust policy lets another role of the account assume it; None where that is not sure."""
    found = [
        one for one in statements(target.properties.entries.get("AssumeRolePolicyDocument")) if one.effect != "Deny"
    ]
    for grant in found:
        sure = grant.effect == "Allow" and grant.open is None and not grant.conditions and not grant.but_principals
        if sure and grant.covers(ASSUME_ROLE) and any(_names(one, name) for one in grant.principals):
            return True
    whole = all(grant.principals and not grant.but_principals for grant in found)
    return False if whole and all(_is_another(one, name) for grant in found for one in grant.principals) else None


def _names(one: Principal, name: str) -> bool:
    """Whether a principal is a role by a link, every one, or the deploying account as a whole."""
    text = one.pattern.text
    of_account = (text.endswith(":root") and account_of(one.pattern) == "$") or text in {"*", "${AWS::AccountId}"}
    linked = of_account or name in {link.resource for link in one.pattern.links}
    return linked and one.kind in {"AWS", "*"} and one.pattern.open is None


def _is_another(one: Principal, name: str) -> bool:
    """Whether a principal is surely not this role: a service, a provider of identities, or other roles by links."""
    linked = {link.resource for link in one.pattern.links}
    return one.pattern.open is None and (one.kind not in {"AWS", "*"} or (bool(linked) and name not in linked))


def _each(node: Node | None, holder: Resource | None = None) -> Iterator[Node]:
    """The items that are set; for a resource whose property is not written, why it may be there."""
    yield from filter(is_set, items(node) or (() if holder is None or holder.opaque is None else (holder.opaque,)))
