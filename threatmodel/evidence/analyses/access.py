"""Whether only functions may read a secret or send to a queue, by the policies of these files for other principals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from threatmodel.evidence.analyses.guardrails import exempts
from threatmodel.evidence.analyses.properties import each, read
from threatmodel.evidence.analyses.registry import rows
from threatmodel.evidence.analyses.roles import is_lambda
from threatmodel.evidence.analyses.sharing import everybody
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered, named, no, one_of, yes
from threatmodel.evidence.policies.arns import Targets, resources_of
from threatmodel.evidence.policies.conditions import NEGATIVE, limits, narrows
from threatmodel.evidence.policies.grants import (
    ConditionKey,
    Grant,
    Pattern,
    allowing,
    in_doubt,
    statement,
    statements,
)
from threatmodel.evidence.policies.work import CHANGES_POLICY, READS_SECRETS, RECEIVES, SENDS, SUBSCRIBES
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Scalar, Table, Unknown, items, links

# --- who may read a secret, and who may send to a queue


def _restricted(  # noqa: PLR0913 - what every analysis gets, and of whom what is asked
    parts: Sequence[Gathered],
    resource: Resource,
    stack: Stack,
    *,
    actions: frozenset[str],
    what: str,
    alone: bool = False,
) -> Outcome:
    """Answer no if a policy allows another principal, and yes if one denies it to all but roles of functions.

    `alone`: only the resource's own policy answers, since other consumers may have that work by identity policies.
    """
    own = named(parts, "policy", "bus-statement")
    parts = own if alone else parts
    if not parts:
        return None
    found = [grant for part in own for grant in _own_grants(part)]
    users = stack.once(_Holders, lambda: _Holders(stack))  # for the elements that are asked about one after the other
    lets_services = any(grant.effect != "Deny" and _may_let_services(grant, actions, stack) for grant in found)
    others = _others(found, actions, users, what)
    several = {part.resource.name: part for part in named(parts, "policy")}
    if len(several) > 1 and resource.type not in _WITH_MANY:
        second = list(several.values())[1]
        why = "several policies are written to it, and only the last one is in effect"
        return others or Unanswered(why, second.node.place)
    elsewhere = _elsewhere(resource, actions)
    for grant in found:
        guards = grant.effect == "Deny" and users.about(grant, resource)
        if guards and _denies_all_but_functions(grant, actions, users, services=not lets_services):
            if not _denies_changes([one for one in found if users.about(one, resource)], _service(grant)):
                return Unanswered("a principal that may change its policy can remove this denial", grant.place)
            return elsewhere or yes(grant.place, f"only roles of functions may {what}")
    others = others or _identities(named(parts, "identity-policy"), resource, actions, users)
    why = f"policies outside this file may allow other principals to {what}"
    return others or elsewhere or Unanswered(why, parts[0].node.place)


def _others(found: Sequence[Grant], actions: frozenset[str], users: _Holders, what: str) -> Answered | None:
    """A no, where a statement of the resource's own policy surely allows another principal."""
    for grant in found:
        where = _lets_others(grant, actions, users) if grant.effect == "Allow" else None
        if where is not None:
            return where if where.note else where._replace(note=f"principals other than the functions may {what}")
    return None


def _elsewhere(resource: Resource, actions: frozenset[str]) -> Unanswered | None:
    """Why the policy of a resource does not say all: what has a separate policy gives the same."""
    replicas = next((one for one in each(read(resource.properties, "ReplicaRegions"))), None)
    if replicas is not None:
        return Unanswered("its replicas have separate policies, which are not in this file", replicas.place)
    separate = _SEPARATE.get((resource.type, actions))
    return Unanswered(separate, resource.place) if separate else None


_SEPARATE = {
    ("AWS::Kinesis::Stream", RECEIVES): (
        "a registered consumer reads it too, as a separate resource that the policy of the stream is not about"
    ),
    ("AWS::Events::EventBus", SENDS): (
        "its policy cannot deny changes of itself: events:PutPermission is about no resource"
    ),
    ("AWS::Events::EventBus", SUBSCRIBES): (
        "its rules are separate resources, and who may write them is not in the policy of the bus alone"
    ),
}
"""Resources whose own policy does not bind all that gives the same, and why."""
_WITH_MANY = ("AWS::Events::EventBus", "AWS::Kinesis::Stream")
"""A resource that has a separate policy for each of its uses."""


def _own_grants(part: Gathered) -> Sequence[Grant]:
    """Return the statements of a resource's own policy; of a bus, also one in its properties."""
    node = part.node
    if part.part == "bus-statement" and isinstance(node, Table):
        if "Statement" in node.entries:
            found: Sequence[Grant] = [statement(one) for one in items(node.entries["Statement"])]
        else:
            found = [statement(Table({"Effect": Scalar("Allow", node.place), **node.entries}, node.place, {}))]
    else:
        found = statements(node)
    return in_doubt(found, part.resource.doubt)


_PASS_ON = frozenset(
    f"{one}.amazonaws.com" for one in ("apigateway", "appsync", "events", "pipes", "scheduler", "sns", "states")
)
"""Services that pass on what a system has them pass on: an API its requests, a machine what its tasks name."""
_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_ROLES = ("AWS::IAM::Role",)


class _Holders:
    """Who the roles of a stack belong to, and what its identity policies say, each looked at once."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.targets = Targets(stack)
        self.of_functions: set[str] = set()
        self._once = stack.once
        for function in stack.of_type(*_FUNCTIONS):
            role = function.properties.entries.get("Role")
            target = stack.target(role)
            if target is not None:
                self.of_functions.add(target.name)

    def about(self, grant: Grant, resource: Resource) -> bool:
        """Whether a statement surely is about a resource: a Deny guards only what it names."""
        held = self.targets.resources.get(resource.name)
        services = held[1].services if held is not None else ()
        return any(
            one.open is None
            and (
                one.text == "*"
                or any(
                    match.resource == resource.name and match.sure and match.below in {"", "*"}
                    for service in services
                    for match in self.targets.covered(one, service)
                )
            )
            for one in grant.resources
        )

    def another_account(self, name: str) -> bool | None:
        """Return whether a role admits a principal that is not a function; None if that is unknown."""
        return self._once(("trusts others", name), lambda: self._trusts_others(name))

    def _trusts_others(self, name: str) -> bool | None:
        role = self.stack.resources.get(name)
        if role is None or role.type not in _ROLES:
            return None
        trust = role.properties.entries.get("AssumeRolePolicyDocument")
        principals = [one for grant in allowing(statements(trust)) for one in grant.principals]
        others = [one for one in principals if one.pattern.open is None and not is_lambda(one)]
        if others and all(one.kind == "Service" and one.pattern.text in _PASS_ON for one in others):
            return None  # they do what this system has set up, as functions do: who else it is for, no role shows
        if others:
            return True
        return False if name in self.of_functions and principals else None

    def others_hold(self, holder: Resource) -> bool:
        """Return whether a policy certainly belongs to a principal that is not a function."""
        return self._once(("others hold", holder.name), lambda: holder.doubt is None and self._other_holder(holder))

    def _other_holder(self, holder: Resource) -> bool:
        entries = holder.properties.entries
        if holder.type in _ROLES:
            return self.another_account(holder.name) is True
        people = [
            one for name in ("Users", "Groups") for one in items(entries.get(name)) if not isinstance(one, Unknown)
        ]
        named = [link.resource for name in ("Roles", "RoleName") for link in links(entries.get(name))]
        return bool(people) or any(self.another_account(name) for name in named)

    def grants(self, part: Gathered) -> tuple[Grant, ...]:
        """The statements of an identity policy."""
        return self.stack.reads.once(part.node, statements, lambda: statements(part.node))


def _lets_others(grant: Grant, actions: frozenset[str], users: _Holders) -> Answered | None:
    """Return where a statement of the resource's own policy allows a principal other than these functions."""
    if grant.open is not None or not any(grant.covers(action) for action in actions):
        return None
    narrowed = one_of(narrows(one) for one in grant.conditions)
    sources = [one for one in grant.conditions if one.key == "aws:sourcearn" and limits(one)]
    links_there = (link.resource for one in sources for value in one.values for link in value.links)
    wired = any(name in users.stack.resources for name in links_there)
    if grant.but_principals:
        return no(grant.place) if narrowed is False else None
    for one in grant.principals:
        if one.kind == "*" and narrowed is False and not wired:
            return no(one.pattern.place, "its policy allows any principal")
        if one.kind == "Service" and one.pattern.open is None and narrowed is False and not is_lambda(one):
            return no(one.pattern.place, "its policy allows a service to act for any account")
        if one.kind == "AWS" and any(users.another_account(link.resource) for link in one.pattern.links):
            return no(one.pattern.place, "its policy allows a role that is not the role of a function")
    return None


def _denies_all_but_functions(grant: Grant, actions: frozenset[str], users: _Holders, *, services: bool) -> bool:
    """Return whether a statement certainly denies the actions to all but roles of functions.

    With `services` also one that spares AWS's services: these need a statement that lets them in, and there is none.
    """
    wanted = [action for action in actions if action.startswith(f"{_service(grant)}:")]
    if grant.open is not None or not wanted or not all(grant.covers(action) is True for action in wanted):
        return False
    if any(one.open is not None for one in grant.resources) or grant.but_resources:
        return False
    if grant.but_principals:
        return not grant.conditions and all(_is_functions(one.pattern, users) for one in grant.principals)
    conditions = [one for one in grant.conditions if not (services and _spares_services(one))]
    if everybody(grant)[0] is not True or len(conditions) != 1:
        return False
    (one,) = conditions
    named = one.key == "aws:principalarn" and one.operator in NEGATIVE
    return named and bool(one.values) and all(_is_functions(value, users) for value in one.values)


def _service(grant: Grant) -> str:
    """Return the service of the first action that names one."""
    return next((one.text.partition(":")[0] for one in grant.actions if ":" in one.text), "")


def _denies_changes(found: Sequence[Grant], service: str) -> bool:
    """Return whether statements certainly deny changes of the policy that they are in to all but named principals."""
    guards = [
        one for one in found
        if one.effect == "Deny" and one.open is None and everybody(one)[0] is True and all(map(exempts, one.conditions))
    ]  # fmt: skip
    return all(any(one.covers(action) is True for one in guards) for action in CHANGES_POLICY[service])


def _spares_services(condition: ConditionKey) -> bool:
    """Return whether a condition of a Deny exempts AWS services, and no other principal."""
    return (
        condition.operator == "boolifexists"  # without it, unsigned callers would be exempt too
        and condition.key == "aws:principalisawsservice"
        and condition.open is None
        and [one.text for one in condition.values if one.open is None and not one.given] == ["false"]
        and len(condition.values) == 1
    )


def _may_let_services(grant: Grant, actions: frozenset[str], stack: Stack) -> bool:
    """Whether a statement may let a service in for anything but resources of these files."""
    if grant.actions and all(grant.covers(action) is False for action in actions):
        return False
    if grant.open is not None or grant.but_principals or any(not one.key for one in grant.conditions):
        return True
    sources = [one for one in grant.conditions if one.key == "aws:sourcearn" and limits(one)]
    own = any(_only_own(one, stack) for one in sources)
    named = [one.kind == "AWS" and one.pattern.open is None and one.pattern.text != "*" for one in grant.principals]
    return not own and not (named and all(named))


def _only_own(condition: ConditionKey, stack: Stack) -> bool:
    """Whether all values of a condition are resources of these files."""
    return bool(condition.values) and all(
        one.open is None
        and one.links
        and not set("*?") & set(one.text)
        and all(link.resource in stack.resources for link in one.links)
        for one in condition.values
    )


def _is_functions(one: Pattern, users: _Holders) -> bool:
    return one.open is None and len(one.links) == 1 and users.another_account(one.links[0].resource) is False


def _identities(
    parts: Sequence[Gathered], resource: Resource, actions: frozenset[str], users: _Holders
) -> Answered | None:
    """A no, where an identity policy of these files surely allows another principal."""
    for part in parts:
        for grant in allowing(users.grants(part)) if users.others_hold(part.resource) else ():
            services = {action.partition(":")[0] for action in actions if grant.covers(action)}
            reached = [match for one in sorted(services) for match in resources_of(grant, users.targets, one)]
            if grant.open is None and any(match.resource == resource.name and match.sure for match in reached):
                return no(grant.place, f"{part.resource.name} allows a principal that is not a function")
    return None


rows("policy", "key-policy", "identity-policy")({
    "readers-restricted": partial(_restricted, actions=READS_SECRETS, what="read it")
})  # fmt: skip
rows("policy", "bus-statement", "identity-policy")({
    "senders-restricted": partial(_restricted, actions=SENDS, what="send to it"),
    "receivers-restricted": partial(_restricted, actions=RECEIVES, what="receive from it", alone=True),
    "subscribers-restricted": partial(_restricted, actions=SUBSCRIBES, what="subscribe to it", alone=True),
})  # fmt: skip
