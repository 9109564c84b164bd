"""What each role of a stack may do with the stack's elements, and what of that is open.

Boundaries and session policies are left aside: they only take away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from threatmodel.evidence.answers import Gathered, Unanswered
from threatmodel.evidence.outside import named
from threatmodel.evidence.policies.arns import arn_parts, covers_every
from threatmodel.evidence.policies.grants import MARK, Grant, Pattern, pattern, takes
from threatmodel.evidence.policies.iam import expanded
from threatmodel.evidence.policies.permissions import reached
from threatmodel.evidence.policies.role_policies import role_policies
from threatmodel.evidence.policies.work import use_of
from threatmodel.evidence.relations.naming import Names, named_by_text, open_in
from threatmodel.evidence.relations.use import (
    BOTH_WAYS,
    POLLS,
    RELATION,
    RELATIONS,
    RELATIONS_OF,
    SERVICES,
    InvocationRight,
    Noted,
    Role,
)
from threatmodel.evidence.resource_types import known
from threatmodel.reading.problems import Place, quoted
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Joined, Link, Unknown, links


@lru_cache(maxsize=4096)
def _uses_of(action: str) -> Mapping[str, frozenset[str]]:
    """Return what a pattern of actions does with elements, by service; polling of streams is separate, as `poll`."""
    found: dict[str, set[str]] = {}
    for one in expanded(action):
        service = one.name.partition(":")[0].lower()
        wanted = SERVICES.get(service)
        if wanted is not None:
            name = one.name.lower()
            uses = {"poll"} if name in POLLS else {use_of(one)}
            uses |= {"read"} if name in BOTH_WAYS else set()
            found.setdefault(service, set()).update(uses & (wanted[1] | {"poll"}))
    return {service: frozenset(uses) for service, uses in found.items() if uses}


def _granted(grant: Grant) -> Mapping[str, frozenset[str]]:
    """What a statement is about, by service; not the polling that Lambda does itself."""
    if grant.but_actions:
        spared = {one.text for one in grant.actions if one.open is None}
        return {service: uses for service, (_, uses) in SERVICES.items() if spared.isdisjoint(("*", f"{service}:*"))}
    found: dict[str, frozenset[str]] = {}
    for one in grant.actions:
        for service, uses in _uses_of(one.text).items() if one.open is None else ():
            polled = frozenset({"read"} if "poll" in uses and service == "kinesis" and not grant.source else ())
            own = (uses - {"poll"}) | polled
            if own:
                found[service] = found.get(service, frozenset()) | own
    return found


def _without_unread_parts(grant: Grant) -> Grant | None:
    """The statement without actions that do not exist (AWS's own policy templates have some); None where none is left.

    Nor with those on streams of tables, which only start functions.
    """
    if grant.but_actions or not grant.actions:
        return grant
    kept = tuple(one for one in grant.actions if one.open is not None or expanded(one.text))
    on_streams = not _granted(grant) and all(one.text.startswith("dynamodb:") for one in kept)
    return grant._replace(actions=kept) if kept and not on_streams else None


class Roles:
    """What each role of a stack may do, looked at once however many functions share it."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.stack = names.stack
        self.held = role_policies(names.stack)
        self.open = [(open_in(node) or named_by_text(node), name) for node, name in self.held.open]
        self._known: dict[str, Role] = {}

    def of(self, name: str) -> Role:
        """What a role may do."""
        if name not in self._known:
            role = self.held.all[name]
            own = self._known[name] = self._read(role)  # roles that assume each other end here
            for other, why in self.held.assumed(role, own.grants):
                taken = self.of(other.name) if why is None else _hidden(Unanswered(why.why, why.place))
                self._known[name] = self._known[name].assuming(taken)
        return self._known[name]

    # --- reading

    def _read(self, role: Resource) -> Role:
        found = [self._meant(grant) for grant in self.held.statements(role)]
        noted = Noted()
        narrow = [grant for grant in found if grant.effect == "Deny" or not self._is_wide(grant, noted)]
        narrow = [kept for grant in narrow if (kept := _without_unread_parts(grant)) is not None]
        for hidden, name in self.open:
            if self.names.may_name(hidden, role):
                noted.every(f"{quoted(name)} may be attached to its role: {hidden.why}", hidden.place)
        reach = reached(narrow, self.names.targets)
        for one in reach.values():
            if one.unknown and one.resource in self.names.functions:
                noted.hide("invokes", one.unknown[0].why, one.unknown[0].place)
            for kind, relations in RELATIONS_OF.items():
                if one.unknown and kind in self.names.kinds.get(one.resource, ()):
                    for relation in relations:
                        noted.hide(relation, one.unknown[0].why, one.unknown[0].place)
        invokes = [InvocationRight("", place) for place in noted.calls]
        invokes += noted.perhaps
        invokes += [
            InvocationRight(name, one.places["invoke"][0])
            for name, one in reach.items()
            if "invoke" in one.actions and name in self.names.functions
        ]
        connected = {link.resource for part in self.held.of[role.name] if _connects(part) for link in links(part.node)}
        return Role(
            reach,
            noted.covers,
            noted.open,
            frozenset(noted.hidden),
            frozenset(map(self.names.meant, connected)),
            tuple(invokes),
            tuple(found),
            noted.outside,
            dict(self._referred(role)),
            sum(takes(grant, self.stack) for grant in found),
        )

    def _referred(self, role: Resource) -> Iterator[tuple[str, Place]]:
        """What the policies of a role refer to that are known after apply only: none of their actions is known."""
        for part in self.held.of[role.name]:
            node = part.node
            if isinstance(node, Joined) and isinstance(node.parts[0], Unknown) and part.resource.doubt is None:
                yield from ((self.names.meant(link.resource), node.place) for link in links(node))

    def _meant(self, grant: Grant) -> Grant:
        """The statement with each resource that stands for another one replaced by that."""
        if not any(self._stands_for(link) for one in grant.resources for link in one.links):
            return grant
        return grant._replace(resources=tuple(self._led(one) for one in grant.resources))

    def _stands_for(self, link: Link) -> bool:
        return (
            bool(known(self.stack.resources[link.resource].type).stands_for)
            if link.resource in self.stack.resources
            else False
        )

    def _led(self, one: Pattern) -> Pattern:
        for link in one.links:
            if self._stands_for(link):
                meant = link._replace(resource=self.names.meant(link.resource), attribute="Arn")
                spelt = pattern(link).text
                one = one._replace(
                    text=one.text.replace(spelt, pattern(meant).text),
                    links=tuple(meant if other[:2] == link[:2] else other for other in one.links),
                )
        return one

    def _is_wide(self, grant: Grant, noted: Noted) -> bool:
        """Notes what of a statement leaves a list open; true where it covers all resources, so that it names none."""
        if grant.open is not None and not grant.actions:
            noted.every(grant.open.why, grant.open.place)
            return False
        for one in grant.actions:
            if one.open is not None:
                for relation in self._perhaps(one, grant):
                    noted.hide(relation, one.open.why, one.open.place)
                noted.perhaps += self._perhaps_called(one, grant)
        wide = False
        granted = _granted(grant)
        if not granted and any(not one.text.strip("*") for one in grant.resources):
            for one in grant.actions:
                noted.covers.setdefault((one.text.partition(":")[0], "manage"), grant.place)
            return True
        for service, uses in granted.items():
            covered = covers_every(grant, service)[0]
            wide |= covered is True
            if covered:
                noted.wide(service, uses, grant.place)
            else:
                self._note_elsewhere(grant, service, uses, noted, alone=len(granted) == 1)
        return wide

    def _note_elsewhere(self, grant: Grant, service: str, uses: Iterable[str], noted: Noted, *, alone: bool) -> None:
        """Notes what a statement covers of a service that is not in this file; `alone`: it is about no other service.

        What is given as a whole, by a parameter or by another stack, is of the one service that the statement is about.
        """
        for one in grant.resources:
            if self._is_elsewhere(one, service):
                whose = alone or one.text.startswith("arn:")
                noted.elsewhere(service, uses, grant, self.names.elsewhere(named(one, service)) if whose else None)

    def _perhaps(self, action: Pattern, grant: Grant) -> Iterator[str]:
        """The relations that an action which is not known may be about, by what of it is known and by the resources."""
        if grant.but_actions:
            yield from RELATIONS
            return
        for service, uses in _uses_of(MARK.sub("*", action.text)).items():
            if grant.but_resources or not grant.resources or any(self._may_be(one, service) for one in grant.resources):
                polled = {"read"} if "poll" in uses and service == "kinesis" else set()
                yield from (RELATION[use] for use in sorted((uses | polled) & RELATION.keys()))

    def _perhaps_called(self, action: Pattern, grant: Grant) -> Iterator[InvocationRight]:
        """The functions that an action which is not known may call: those that the resources name, or every one."""
        may = grant.but_actions or "invoke" in _uses_of(MARK.sub("*", action.text)).get("lambda", ())
        if action.open is None or grant.effect == "Deny" or not may:
            return
        everything = grant.but_resources or not grant.resources
        for one in grant.resources:
            called = [name for link in one.links if (name := self.names.meant(link.resource)) in self.names.functions]
            if not everything and one.open is None and called:
                yield from (InvocationRight(name, action.open.place, action.open.why) for name in called)
            else:
                everything = everything or self._may_be(one, "lambda")
        if everything:
            yield InvocationRight("", action.open.place, action.open.why)

    def _may_be(self, one: Pattern, service: str) -> bool:
        """Whether a pattern may be about resources of a service: by the text of an ARN, or by what it refers to."""
        held = [self.names.targets.resources.get(link.resource) for link in one.links]
        if held and one.open is None:
            return any(target is None or service in target[1].services for target in held)
        return _is_of(one, service)

    def _is_elsewhere(self, one: Pattern, service: str) -> bool:
        """Whether a pattern is about more than resources that this file has."""
        if any(match.named for match in self.names.targets.covered(one, service)):
            return False
        if one.links:
            return not any(link.resource in self.names.targets.resources for link in one.links)
        return _is_of(one, service)


def _hidden(why: Unanswered) -> Role:
    """A role of which it is not known whether it counts."""
    return Role(open=dict.fromkeys(RELATIONS, why), hidden=frozenset(RELATIONS))


def _connects(part: Gathered) -> bool:
    """Whether a policy is what SAM makes of a connector."""
    return bool(part.resource.made_by) and part.resource.type == "AWS::IAM::ManagedPolicy" and part.part == "policy"


_ARN_SERVICE = {"rds-data": "rds"}


def _is_of(one: Pattern, service: str) -> bool:
    """Whether a pattern can be about resources of a service at all, as far as its text says."""
    parts = arn_parts(one.text)
    if parts[0] != "arn" or len(parts) < 3 or set(parts[2]) & {"$", "\x00"}:  # noqa: PLR2004 - up to the service
        return True
    return parts[2] in {_ARN_SERVICE.get(service, service), "*"}
