"""Whether the security groups of a resource admit every address on the internet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.networks import ADDRESSES, is_everywhere, network_of
from threatmodel.evidence.analyses.properties import each, flag, number, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered, doubt_of, named
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown

_HTTPS = 443
_WITHOUT_PORTS = ("icmp", "icmpv6", "1", "58")


@analysis("public", "security-group", "ingress-rule")
def ingress_restricted(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether no rule admits every address to a port other than HTTPS: only that one does is ever shown.

    Another file may add a rule to any group, so the lack of one proves nothing.
    """
    for rule, of in _rules(parts, stack):
        ports = _open_to_all(rule)
        if ports:
            why = f"a security group admits every address on the internet to {ports}"
            doubt = doubt_of(of, resource)
            said = Answered(value=False, places=(rule.place,), note=why)
            return said if doubt is None else Unanswered(doubt.why, doubt.place)
    return None


@analysis("public", "security-group", "ingress-rule")
def reached_from_internet(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a database has a public address and a security group that admits every address on the internet."""
    public = [flag(part.node) for part in named(parts, "public")]
    if public and not any(one is not False for one in public):
        return Answered(value=False, places=tuple(part.node.place for part in named(parts, "public")), note="")
    admits = ingress_restricted(parts, resource, stack)
    if True in public and isinstance(admits, Answered):
        return admits._replace(value=True)
    return None


def _rules(parts: Sequence[Gathered], stack: Stack) -> Iterator[tuple[Node, Resource]]:
    """The rules of the groups, in them or beside them, each with the resource that holds it."""
    groups = {part.resource.name for part in named(parts, "security-group")}
    for part in named(parts, "security-group"):
        for rule in each(read(part.node, "SecurityGroupIngress")):
            yield rule, part.resource
    for part in named(parts, "ingress-rule"):
        group = stack.target(read(part.node, "GroupId"))
        if group is not None and group.name in groups:
            yield part.node, part.resource


def _open_to_all(rule: Node) -> str:
    """The ports to which a rule admits every address, in words; '' for none, HTTPS alone, or where it is not known."""
    networks = [network_of(node) for name in ADDRESSES for node in each(read(rule, name))]
    if isinstance(rule, Unknown) or not any(one is not None and is_everywhere(one) for one in networks):
        return ""
    protocol = (worded(read(rule, "IpProtocol")) or _WITHOUT_PORTS[0]).lower()
    first, last = number(read(rule, "FromPort")), number(read(rule, "ToPort"))
    if protocol in _WITHOUT_PORTS or first == last == _HTTPS:
        return ""
    if protocol in {"-1", "all"}:
        return "all ports"
    if first is None or last is None:
        return ""
    return f"port {first}" if first == last else f"ports {first} to {last}"
