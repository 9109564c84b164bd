"""What security groups admit: the destinations of a function, and the internet's addresses to a database.

A destination is open, narrow (a list of addresses), inside the network, or unknown.  The sum of several rules counts:
eight eighths of the internet are the internet.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from threatmodel.evidence.analyses.properties import each, flag, number, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    doubt_of,
    named,
    unknown,
    unless_unread,
    worst,
)
from threatmodel.evidence.policies.grants import ConditionKey, Grant, Pattern, statements
from threatmodel.reading.problems import Place, quoted
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Link, Node, Unknown

_OUT = ("open", "restricted", "none")
"""From the widest on: what is known to be open decides, then what is not known."""


@analysis("vpc", "security-group", "egress-rule", "endpoint", answers=("open", "restricted", "none"))
def egress(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Return the destinations that the security groups allow, by the widest rule, and the AWS endpoints among them."""
    outcome = _let_out(parts, resource, stack) if named(parts, "vpc") else None
    if not isinstance(outcome, Answered) or outcome.value == "open":
        return outcome
    leads = _leads_to(parts, stack)
    reached = [part for part in named(parts, "endpoint") if _is_reached(part, leads, stack)]
    wide = next((part for part in reached if not narrow(part)), None)
    if wide is None:
        return outcome
    why = f"through {quoted(wide.resource.name)} it can reach resources of any account, because its policy names none"
    return Unanswered(why, wide.resource.place)


_INSIDE = "*"
"""Stands for the network's own addresses, and for a group of another file."""


def _leads_to(parts: Sequence[Gathered], stack: Stack) -> frozenset[str]:
    """The resources that rules lead to, by name: groups, and endpoints by their lists of prefixes."""
    groups = named(parts, "security-group")
    rules = [rule for one in groups for rule in each(read(one.node, "SecurityGroupEgress"))]
    rules += [one.node for one in named(parts, "egress-rule")]
    found: set[str] = set()
    for rule in rules:
        if isinstance(rule, Unknown):
            continue
        addresses = [node for name in ADDRESSES for node in each(read(rule, name))]
        networks = [network_of(node) for node in addresses]
        if any(one is None or any(within(one, inside) for inside in PRIVATE) for one in networks):
            found.add(_INSIDE)
        for node in (*each(read(rule, _PREFIXES)), *each(read(rule, _GROUPS))):
            target = stack.target(node)
            found.add(target.name if target is not None else _INSIDE)
    return frozenset(found)


def _is_reached(endpoint: Gathered, leads: frozenset[str], stack: Stack) -> bool:
    """Whether rules lead to an endpoint: to its prefixes, to a group that it has, or to whatever is in the network."""
    targets = (stack.target(one) for one in each(read(endpoint.node, "SecurityGroupIds")))
    names = {endpoint.resource.name, *(target.name for target in targets if target is not None)}
    return _INSIDE in leads or not leads.isdisjoint(names)


def _let_out(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    for part in named(parts, "vpc"):
        if isinstance(part.node, Unknown):
            return unknown(part.node)
        if not each(read(part.node, "SubnetIds")):
            return Answered("open", (part.node.place,), "no subnets, so it runs outside a VPC")
    groups = named(parts, "security-group")
    if not groups:
        place = parts[0].node.place
        return Unanswered("the VPC's default security group is not in this file", place)
    rules = [rule for group in groups for rule in _rules(group, parts, stack)]
    rules += [_separate(part, doubt_of(part.resource, resource), stack) for part in named(parts, "egress-rule")]
    rules += _together(rules)
    outcome = worst((rule.out for rule in rules), _OUT)
    outcome = outcome or Answered("none", tuple(group.resource.place for group in groups))
    return unless_unread(outcome, stack, ("restricted", "none"))


class _Rule(NamedTuple):
    """How wide a rule's egress is (a word of `_OUT`), and the outside networks that it lists, with their place."""

    out: Answer
    outside: tuple[tuple[Network, Place], ...] = ()


def _rules(group: Gathered, parts: Sequence[Gathered], stack: Stack) -> Iterator[_Rule]:
    """Return the rules in the group itself; without any, CloudFormation keeps the rule that allows all egress."""
    if group.hidden is not None:
        yield _Rule(unknown(group.hidden))
        return
    own = read(group.node, "SecurityGroupEgress")
    stray = next((part.node for part in named(parts, "egress-rule") if isinstance(part.node, Unknown)), None)
    doubts = [
        doubt_of(part.resource, group.resource)
        for part in named(parts, "egress-rule")
        if not isinstance(part.node, Unknown) and stack.target(read(part.node, "GroupId")) is group.resource
    ]
    if isinstance(own, Unknown):
        yield _Rule(unknown(own))
    elif own is None and not any(doubt is None for doubt in doubts):
        doubt = next(iter(doubts), stray)
        yield _Rule(Answered("open", (group.resource.place,)) if doubt is None else unknown(doubt))
    else:
        yield from (_rule(rule, stack, group.resource) for rule in each(own))


def _separate(part: Gathered, doubt: Unknown | None, stack: Stack) -> _Rule:
    if part.hidden is not None:
        return _Rule(unknown(part.hidden))
    rule = _rule(part.node, stack, stack.target(read(part.node, "GroupId")))
    inside = isinstance(rule.out, Answered) and rule.out.value == "none"
    return rule if doubt is None or inside else _Rule(unknown(doubt))


_GROUPS = "DestinationSecurityGroupId"
_PREFIXES = "DestinationPrefixListId"


def _rule(rule: Node, stack: Stack, group: Resource | None) -> _Rule:
    """How wide one rule is: by its widest destination."""
    if isinstance(rule, Unknown):
        return _Rule(unknown(rule))
    addresses = [node for name in ADDRESSES for node in each(read(rule, name))]
    words = [_address(node, stack, group) for node in addresses]
    listed = [node for node, word in zip(addresses, words, strict=True) if word == "restricted"]
    outside = tuple((found, rule.place) for node in listed if (found := network_of(node)))
    prefixes = each(read(rule, _PREFIXES))
    words += ["none" if isinstance(one, Link) and stack.type_of(one.resource) in _NARROW else "" for one in prefixes]
    words += ["none" for _ in each(read(rule, _GROUPS))]
    at = rule.place
    known = [Answered(word, (at,)) if word else Unanswered("its destination is unknown", at) for word in words or ("",)]
    return _Rule(worst(known, _OUT) or known[0], outside)


def _address(node: Node, stack: Stack, group: Resource | None) -> str:
    """How wide one address is; '' where that is not known."""
    if isinstance(node, Link):
        target = stack.resources.get(node.resource)
        of_vpc = target is not None and target.type in {"AWS::EC2::VPC", "AWS::EC2::Subnet"}
        return "none" if of_vpc else ""
    network = network_of(node)
    if network is None:
        return ""
    if is_everywhere(network):
        return "open"
    inside = network.is_loopback or _inside(network, stack, group)
    return "none" if inside else "" if inside is None else "restricted"


_FEW = {4: 2**16, 6: 2**96}
"""The most addresses that are a list of places, by version: a /16, the largest network that one organization used to
get (RFC 1466, class B), and a /32 of IPv6, what a registry gives a provider for all its customers (ripe-738, 5.1).
Wider egress reaches machines that anyone can rent."""


def _together(rules: Iterable[_Rule]) -> Iterator[_Rule]:
    """What the networks of all rules are together, where that is more than a list of places."""
    outside = [one for rule in rules for one in rule.outside]
    v4 = ipaddress.collapse_addresses(one for one, _ in outside if isinstance(one, ipaddress.IPv4Network))
    v6 = ipaddress.collapse_addresses(one for one, _ in outside if isinstance(one, ipaddress.IPv6Network))
    for version, merged in ((4, tuple(v4)), (6, tuple(v6))):
        count = sum(network.num_addresses for network in merged)
        place = next((place for network, place in outside if network.version == version), None)
        if place is not None and any(map(is_everywhere, merged)):
            yield _Rule(Answered("open", (place,)))
        elif place is not None and count > _FEW[version]:
            yield _Rule(Unanswered(f"egress allows {count:,} addresses; that is not an allow-list", place))


def _inside(network: Network, stack: Stack, group: Resource | None) -> bool | None:
    """Return whether a network is in the VPC of the group; None if it may be, and the file does not show the VPC's."""
    vpc = stack.target(read(group.properties, "VpcId")) if group is not None else None
    whole = network_of(read(vpc.properties, "CidrBlock")) if vpc is not None else None
    if whole is not None and whole.version == network.version:
        return within(network, whole)
    return None if any(within(network, one) for one in PRIVATE) else False


_NARROW = frozenset(("AWS::EC2::VPCEndpoint", "AWS::EC2::ServicePrefixList"))
"""What has a narrow list of prefixes, also where a plan looks it up; a customer's list may contain anything."""


# --- endpoints

_OF_OTHERS = re.compile(r"\.vpce\.|vpce-svc-")
"""Services of other accounts, whose endpoints have no policy."""
_OWNERS = frozenset(("aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"))
"""Keys of conditions that say whose resources a statement is for."""


def narrow(endpoint: Gathered) -> bool:
    """Whether an endpoint surely leads to named resources or owners alone, or is none of AWS's services."""
    if _OF_OTHERS.search(worded(read(endpoint.node, "ServiceName")) or ""):
        return True
    if endpoint.hidden is not None:
        return False
    policy = read(endpoint.node, "PolicyDocument")
    return policy is not None and _narrows(policy)


def _narrows(policy: Node) -> bool:
    found = statements(policy)
    known = all(one.open is None for one in found)
    return bool(found) and known and all(one.effect == "Deny" or _is_narrow(one) for one in found)


def _is_narrow(grant: Grant) -> bool:
    named_resources = bool(grant.resources) and not grant.but_resources and not any(map(_is_anybodys, grant.resources))
    return named_resources or any(map(_names_owner, grant.conditions))


def _is_anybodys(one: Pattern) -> bool:
    """Whether a pattern of resources fits those of any owner."""
    return one.open is not None or re.fullmatch(r"\*|arn:[^:]*:[^:]*:[^:]*:\*?:\*.*", one.text) is not None


def _names_owner(condition: ConditionKey) -> bool:
    positive = condition.operator in {"stringequals", "stringlike"} and condition.key in _OWNERS
    return positive and all(one.open is None and one.text.strip("*?o-") != "" for one in condition.values)


# --- who is admitted
_HTTPS = 443
_WITHOUT_PORTS = ("icmp", "icmpv6", "1", "58")


@analysis("public", "security-group", "ingress-rule")
def ingress_restricted(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether no rule admits every address to a port other than HTTPS: only that one does is ever shown.

    Another file may add a rule to any group, so the lack of one proves nothing.
    """
    for rule, of in _ingress_rules(parts, stack):
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


def _ingress_rules(parts: Sequence[Gathered], stack: Stack) -> Iterator[tuple[Node, Resource]]:
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


# --- networks of IP addresses, as rules spell them
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
ADDRESSES = ("CidrIp", "CidrIpv6")
"""The properties of a rule that hold networks."""


def network_of(node: Node | None) -> Network | None:
    """The network that a text names; an IPv4 one that is written as IPv6 is one of IPv4."""
    try:
        found = ipaddress.ip_network(worded(node) or "", strict=False)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Network):
        for prefix in _CARRIERS:
            if found.subnet_of(prefix):
                low = int(found.network_address) & 0xFFFF_FFFF
                return ipaddress.IPv4Network((low, found.prefixlen - prefix.prefixlen))
    return found


_CARRIERS = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96")))
"""IPv6 prefixes that contain all of IPv4: mapped addresses (RFC 4291), and NAT64 (RFC 6052), which a NAT gateway
translates (docs.aws.amazon.com/vpc: "nat-gateway-nat64-dns64")."""
_GLOBAL = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is global so far (iana.org: "ipv6-unicast-address-assignments")."""
PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)


def is_everywhere(network: Network) -> bool:
    """Whether a network has half of all addresses or more."""
    if isinstance(network, ipaddress.IPv6Network):
        return network.supernet_of(_GLOBAL) or any(network.supernet_of(one) for one in _CARRIERS)
    return network.prefixlen <= 1


def within(network: Network, whole: Network) -> bool:
    """Whether a network is part of another one."""
    match network, whole:
        case (ipaddress.IPv4Network(), ipaddress.IPv4Network()):
            return network.subnet_of(whole)
        case (ipaddress.IPv6Network(), ipaddress.IPv6Network()):
            return network.subnet_of(whole)
        case _:
            return False
