"""The services of AWS that a function calls, by what its role allows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from threatmodel.evidence.outside import is_service, whole
from threatmodel.evidence.outside import named as named_outside
from threatmodel.evidence.policies.arns import resources_of
from threatmodel.evidence.policies.grants import Grant
from threatmodel.evidence.policies.iam import expanded
from threatmodel.evidence.policies.work import NETWORK, is_of
from threatmodel.evidence.policies.work import PLATFORM as OF_PLATFORM
from threatmodel.evidence.relations.naming import Names
from threatmodel.evidence.relations.use import ELEMENTS, Role
from threatmodel.evidence.resource_types import known
from threatmodel.evidence.services import MOST_SERVICES, PLATFORM, TITLES
from threatmodel.reading.problems import Place

_FINDS_BROKERS = frozenset({
    "kafka:describecluster", "kafka:describeclusterv2", "kafka:getbootstrapbrokers", "kafka:describevpcconnection",
    "mq:describebroker",
})  # fmt: skip
"""What Lambda asks of a cluster that it polls for a function."""
_NEVER_CALLED = ("kms", "logs", "xray", "ec2messages", "ssmmessages", "sts")
"""Services of the platform that no function works with for their own sake: keys, logs, traces, identities."""
_HANDED_OUT = frozenset(("iam:passrole", "ec2:detachnetworkinterface"))
"""Rights that are no call by themselves, or that SAM's policy for functions in a VPC has beside the network's own."""


class Calls:
    """What one function calls: `sources` start it, and `variables` are the elements that its environment names."""

    def __init__(self, names: Names, role: Role, sources: Collection[str], variables: Collection[str]) -> None:
        self.names = names
        self.role = role
        self.sources = sources
        self.variables = variables

    def each(self) -> Mapping[str, Mapping[Place, None]]:
        """Return what it calls, with the lines: a resource of the service if one is named, else the whole service."""
        found: dict[str, dict[Place, None]] = {}
        for grant in (*self.role.grants, *self.role.assumed):
            if (
                grant.effect == "Allow"
                and grant.open is None
                and not grant.but_actions
                and not self._is_an_outfit(grant)
            ):
                for service in self._services(grant):
                    for name in self._called(service, grant):
                        found.setdefault(name, {})[grant.place] = None
        return found

    def _services(self, grant: Grant) -> Iterator[str]:
        """The services that a statement is about; not those of which Lambda only asks what it polls.

        Of a policy of AWS these are the services that it is called after: it allows others for their sake.
        """
        services = list(dict.fromkeys(one.text.partition(":")[0] for one in grant.actions if one.open is None))
        called_after: set[str] = set()
        if grant.source:
            same = [one for one in self.role.grants if one.source == grant.source]
            every = {action.text.partition(":")[0] for one in same for action in one.actions}
            called_after = {one for one in every if _is_named(one, grant.source)}
        for service in services:
            actions = {one.text for one in grant.actions if one.text.startswith(f"{service}:")}
            beside_others = grant.source and actions == {f"{service}:*"} and len(actions) < len(grant.actions)
            counts = service in called_after if called_after else not beside_others
            if counts and not (whole(service) in self.sources and actions <= _FINDS_BROKERS):
                yield service

    def _called(self, service: str, grant: Grant) -> Iterator[str]:
        there = [match.resource for match in resources_of(grant, self.names.targets, service) if match.named]
        own = [name for name in there if "external system" in self.names.kinds.get(name, ())]
        named = (self.names.elsewhere(named_outside(one, service)) for one in grant.resources)
        beyond = [one for one in named if one is not None]
        drawn = (name for name in self.variables if "external system" in self.names.kinds.get(name, ()))
        signed = [name for name in drawn if service in known(self.names.stack.resources[name].type).services]
        if own or signed:
            yield from own or signed
        elif service in {"states", "sts"} and beyond:
            yield from (one.key for one in beyond)
        elif is_service(service) and service not in ELEMENTS:
            actions = (one.text for one in grant.actions if one.text.startswith(f"{service}:"))
            if service not in PLATFORM or (not grant.source and any(map(_works, actions))):
                yield whole(service)

    def _is_an_outfit(self, grant: Grant) -> bool:
        """Whether a statement comes from a policy of AWS about so much that it tells nothing of what is called."""
        if not grant.source:
            return False
        same = (one for one in self.role.grants if one.source == grant.source)
        return len({action.text.partition(":")[0] for one in same for action in one.actions}) > MOST_SERVICES


def _is_named(service: str, policy: str) -> bool:
    """Whether a policy of AWS is called after a service: after the word in its actions, or its title."""
    folded = policy.lower()
    return service.replace("-", "") in folded or TITLES.get(service, service).replace(" ", "").lower() in folded


def _works(action: str) -> bool:
    """Return whether an action is a function's own work with a service that serves every function, too.

    A wildcard is, where it covers more than what the platform and the network need.
    """
    if action.partition(":")[0] in _NEVER_CALLED or action in _HANDED_OUT:
        return False
    return any(
        ("*" in action or one.name.lower() == action) and not is_of(one, OF_PLATFORM, NETWORK)
        for one in expanded(action)
    )
