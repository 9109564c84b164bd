"""What only code can answer about a function: its layers, its variables, its callers, where it can connect to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.properties import (
    Say,
    doubt_of,
    each,
    every,
    flag,
    named,
    opaque_of,
    open_at,
    read,
    unless_unread,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.secrets import Supply, supplied
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Joined, Link, Node, Table, Unknown

# --- layers

_LAYER_TYPES = ("AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion", "aws_lambda_layer_version")
_LAYER = re.compile(r"arn:[^:]*:lambda:[^:]*:(?P<account>[^:]*):layer:[^:]+(?::(?P<version>[^:]+))?\Z")


@analysis("layer")
def layers_trusted(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Each layer is named by version; whether a foreign account is trusted no file of infrastructure code tells."""
    says = [_layer(part.node, stack) for part in parts]
    return every(says, "each layer is a version of this account's", "a layer is not named by version")


def _layer(node: Node, stack: Stack) -> Say:
    if isinstance(node, Link):
        target = stack.resources.get(node.resource)
        if target is None or target.type not in _LAYER_TYPES:
            return Say(None, node.place, "it refers to something that is no layer version of this file")
        return Say(node.attribute != "layer_arn", node.place)  # Terraform's name for the ARN without version
    told = worded(node)
    if told is None:
        return open_at(node)
    found = _LAYER.match(told)
    if found is None or found["version"] is None:
        return Say(value=False if found else None, place=node.place)
    own = found["account"] == "<AccountId>"
    return Say(own or None, node.place, "the file does not tell whether the team trusts the layer's account")


# --- variables


@analysis("variables")
def secret_in_environment(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Whether a variable's value is a secret: one certain suffices, and for a no all have to be certain."""
    supplies: list[Supply] = []
    hidden: Unknown | None = None
    for part in parts:
        if isinstance(part.node, Table):
            others = part.node.entries.get("*")  # what a plugin adds
            hidden = others if isinstance(others, Unknown) else hidden
            supplies += [supplied(name, node, stack) for name, node in part.node.entries.items() if name != "*"]
        else:
            return Unanswered(open_at(part.node).why, part.node.place)
    found = [supply for supply in supplies if supply.secret]
    if found:
        more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
        note = "; ".join(supply.told() for supply in found[:_MOST]) + more
        return Answered(value=True, places=tuple(supply.place for supply in found), note=note)
    for supply in supplies:
        if supply.secret is None:
            return Unanswered(f"{supply.told()}: {supply.why}", supply.place)
    if hidden is not None:
        return Unanswered(hidden.why, hidden.place)
    return Answered(value=False, places=tuple(part.node.place for part in parts), note="")


_MOST = 8
"""Variables that a note names."""

# --- callers

_ALIASES = ("AWS::Lambda::Alias", "aws_lambda_alias")
_VERSIONS = ("AWS::Lambda::Version",)
_QUALIFIED = ("qualified_arn", "qualified_invoke_arn")
_FUNCTION = re.compile(
    r"(?:arn:[^:]*:lambda:[^:]*:[^:]*:function:|[^:/]*:function:)?(?P<name>[^:/]+)(?::(?P<to>[^:/]+))?\Z"
)


@analysis("caller", "url", "permission", answers=("alias", "version", "latest"))
def qualifier(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """What all callers of the function are bound to; unknown where they differ or one is unknown."""
    bound: list[tuple[str, Place]] = []
    for part in parts:
        for word, place, why in _bindings(part, resource, stack):
            if not word:
                return Unanswered(why, place)
            doubt = doubt_of(part.resource, resource)
            if doubt is not None and bound and bound[0][0] != word:
                return Unanswered(doubt.why, doubt.place)
            bound.append((word, place))
    if not bound:
        return None
    places = tuple(place for _, place in bound)
    if len({word for word, _ in bound}) > 1:
        other = next(place for word, place in bound if word != bound[0][0])
        return Unanswered("its callers are bound to different things", other)
    return unless_unread(Answered(bound[0][0], places), stack, ("alias", "version"))


def _bindings(part: Gathered, resource: Resource, stack: Stack) -> Iterator[tuple[str, Place, str]]:
    """What a caller is bound to ('' where unknown, then why); nothing for another function's."""
    node = part.node
    if part.part == "caller":
        yield from _bound(node, None, resource, stack)
        return
    hidden = opaque_of(part)
    if hidden is not None:
        yield "", hidden.place, hidden.why
        return
    function = read(node, "TargetFunctionArn|FunctionName")
    if function is not None:
        yield from _bound(function, read(node, "Qualifier"), resource, stack)


def _bound(node: Node, qualified: Node | None, resource: Resource, stack: Stack) -> Iterator[tuple[str, Place, str]]:
    if isinstance(node, Unknown):
        yield "", node.place, node.why
        return
    if qualified is not None:
        yield _to(qualified, stack), qualified.place, open_at(qualified).why
        return
    links = [node] if isinstance(node, Link) else [part for part in _parts(node) if isinstance(part, Link)]
    for link in links:
        target = stack.resources.get(link.resource)
        if target is not None and target.type in (*_ALIASES, *_VERSIONS):
            yield "alias" if target.type in _ALIASES else "version", node.place, ""
            return
        if link.resource == resource.name:
            word = _attribute(link, resource) or _to_behind(node, link, stack)
            yield word, node.place, "what it is bound to is not told"
            return
    if not links:
        yield from _by_text(node, resource)


def _parts(node: Node) -> tuple[str | Link | Unknown, ...]:
    return node.parts if isinstance(node, Joined) else ()


def _attribute(link: Link, resource: Resource) -> str:
    """What an attribute of the function itself is bound to; '' where that is not in the attribute."""
    if link.attribute in _QUALIFIED:
        publishes = flag(read(resource.properties, "Publish"), left_out=False)
        return {True: "version", False: "latest", None: ""}[publishes]
    return {"Alias": "alias", "Version": "version"}.get(link.attribute, "")


def _to_behind(node: Node, link: Link, stack: Stack) -> str:
    """What stands behind a function's ARN in a text: ``:live`` names an alias, nothing the unqualified function."""
    if link.attribute in _QUALIFIED:
        return ""
    parts = _parts(node)
    after = parts[parts.index(link) + 1 :] if parts else ()
    if not after:
        return "latest"
    first = after[0]
    if not isinstance(first, str):
        return ""
    if not first.startswith(":"):
        return "latest" if first.startswith("/") else ""
    name = first[1:].split("/")[0]
    if name:
        return _word(name)
    return _to(after[1], stack) if len(after) > 1 and not isinstance(after[1], str) else ""


def _to(node: Node, stack: Stack) -> str:
    if isinstance(node, Link):
        target = stack.resources.get(node.resource)
        if target is not None and target.type in _ALIASES:
            return "alias"
        version = target is not None and (target.type in _VERSIONS or node.attribute in {"Version", "version"})
        return "version" if version else ""
    told = worded(node)
    return _word(told) if told else ""


def _word(name: str) -> str:
    if name == "$LATEST":
        return "latest"
    if name.isdigit():
        return "version"
    return "alias" if re.fullmatch(r"[A-Za-z0-9_-]+", name) else ""


def _by_text(node: Node, resource: Resource) -> Iterator[tuple[str, Place, str]]:
    """A caller that gives the function's own name as text; one that gives another name says nothing of this one."""
    told = worded(node)
    if told is None:
        yield "", node.place, open_at(node).why
        return
    if "/functions/" in told:
        told = told.split("/functions/", 1)[1].removesuffix("/invocations")
    found = _FUNCTION.match(told)
    own = worded(read(resource.properties, "FunctionName"))
    if found is not None and own is not None and found["name"] == own:
        yield _word(found["to"]) if found["to"] else "latest", node.place, "what it is bound to is not told"


# --- egress

_OUT = ("open", "unknown", "restricted", "none")
"""From the widest on: what is known to be open decides, then what is not known."""


@analysis("vpc", "security-group", "egress-rule", answers=("open", "restricted", "none"))
def egress(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Where the security groups let out to, by the widest rule."""
    for part in named(parts, "vpc"):
        if isinstance(part.node, Unknown):
            return Unanswered(part.node.why, part.node.place)
        if not each(read(part.node, "SubnetIds")):
            return Answered("open", (part.node.place,), "no subnets: outside a VPC")
    groups = named(parts, "security-group")
    if not groups:
        place = parts[0].node.place
        return Unanswered("the VPC's default security group is not in this file", place)
    rules = [rule for group in groups for rule in _rules(group, parts, stack)]
    rules += [
        rule
        for part in named(parts, "egress-rule")
        for rule in _separate(part, doubt_of(part.resource, resource), stack)
    ]
    widest = min((_OUT.index(word) for word, _, _ in rules), default=_OUT.index("none"))
    found = [(place, why) for word, place, why in rules if word == _OUT[widest]]
    if _OUT[widest] == "unknown":
        return Unanswered(found[0][1], found[0][0])
    places = tuple(place for place, _ in found) or tuple(group.resource.place for group in groups)
    return unless_unread(Answered(_OUT[widest], places), stack, ("restricted", "none"))


_Rule = tuple[str, Place, str]


def _rules(group: Gathered, parts: Sequence[Gathered], stack: Stack) -> Iterator[_Rule]:
    """The rules that stand in a group itself; without any, CloudFormation leaves the rule that lets out everywhere."""
    hidden = opaque_of(group)
    if hidden is not None:
        yield "unknown", hidden.place, hidden.why
        return
    own = read(group.node, "SecurityGroupEgress|Egress")
    stray = next((part.node for part in named(parts, "egress-rule") if isinstance(part.node, Unknown)), None)
    of_it = [part for part in named(parts, "egress-rule") if _is_of(part, group.resource, stack)]
    doubts = [doubt_of(part.resource, group.resource) for part in of_it]
    separate = any(doubt is None for doubt in doubts)
    if isinstance(own, Unknown) and not (separate and not own.usual and group.resource.type == "aws_security_group"):
        yield "unknown", own.place, own.why
    elif own is None and not separate and group.resource.type != "aws_security_group":
        doubt = next(iter(doubts), stray)
        yield ("open", group.resource.place, "") if doubt is None else ("unknown", doubt.place, doubt.why)
    elif not isinstance(own, Unknown):  # else Terraform computes it from the separate rules
        for rule in each(own):
            yield _rule(rule, stack, group.resource)


def _is_of(part: Gathered, group: Resource, stack: Stack) -> bool:
    reference = read(part.node, "GroupId|security_group_id")
    return not isinstance(part.node, Unknown) and stack.target(reference) is group and _lets_out(part)


def _lets_out(part: Gathered) -> bool:
    return worded(read(part.node, "type")) != "ingress" or part.resource.type != "aws_security_group_rule"


def _separate(part: Gathered, doubt: Unknown | None, stack: Stack) -> Iterator[_Rule]:
    hidden = opaque_of(part)
    if hidden is not None:
        yield "unknown", hidden.place, hidden.why
    elif _lets_out(part):
        kind = read(part.node, "type")
        doubt = doubt or (kind if isinstance(kind, Unknown) else None)
        group = stack.target(read(part.node, "GroupId|security_group_id"))
        word, place, why = _rule(part.node, stack, group)
        yield ("unknown", doubt.place, doubt.why) if doubt is not None and word != "none" else (word, place, why)


_ADDRESSES = "CidrIp|cidr_ipv4|cidr_blocks", "CidrIpv6|cidr_ipv6|ipv6_cidr_blocks"
_GROUPS = "DestinationSecurityGroupId|referenced_security_group_id|source_security_group_id|security_groups"
_PREFIXES = "DestinationPrefixListId|prefix_list_id|prefix_list_ids"


def _rule(rule: Node, stack: Stack, group: Resource | None) -> _Rule:
    """How wide one rule is: by its widest destination."""
    if isinstance(rule, Unknown):
        return "unknown", rule.place, rule.why
    words = [_address(node, stack, group) for name in _ADDRESSES for node in each(read(rule, name))]
    words += [_prefixes(node, stack) for node in each(read(rule, _PREFIXES))]
    words += ["none" for _ in each(read(rule, _GROUPS))]
    if flag(read(rule, "self"), left_out=False):
        words.append("none")
    word = min(words, key=_OUT.index, default="unknown")
    return word, rule.place, "it does not tell where to"


def _address(node: Node, stack: Stack, group: Resource | None) -> str:
    if isinstance(node, Link):
        target = stack.resources.get(node.resource)
        of_vpc = target is not None and target.type in {"AWS::EC2::VPC", "aws_vpc", "AWS::EC2::Subnet", "aws_subnet"}
        return "none" if of_vpc else "unknown"
    network = _network(node)
    if network is None:
        return "unknown"
    if network.prefixlen <= 1:
        return "open"
    inside = network.is_loopback or _inside(network, stack, group)
    return "none" if inside else "unknown" if inside is None else "restricted"


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(node: Node | None) -> _Network | None:
    try:
        return ipaddress.ip_network(worded(node) or "", strict=False)
    except ValueError:
        return None


_PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)


def _inside(network: _Network, stack: Stack, group: Resource | None) -> bool | None:
    """Whether a network lies in the VPC of the group; None where it may, and the file does not show that one's."""
    vpc = stack.target(read(group.properties, "VpcId")) if group is not None else None
    whole = _network(read(vpc.properties, "CidrBlock")) if vpc is not None else None
    if whole is not None and whole.version == network.version:
        return _within(network, whole)
    return None if any(_within(network, one) for one in _PRIVATE) else False


def _within(network: _Network, whole: _Network) -> bool:
    match network, whole:
        case (ipaddress.IPv4Network(), ipaddress.IPv4Network()):
            return network.subnet_of(whole)
        case (ipaddress.IPv6Network(), ipaddress.IPv6Network()):
            return network.subnet_of(whole)
        case _:
            return False


def _prefixes(node: Node, stack: Stack) -> str:
    """A prefix list is narrow where it is an endpoint's or AWS's own; one that somebody keeps may hold anything."""
    if isinstance(node, Link):
        target = stack.resources.get(node.resource)
        kind = target.type if target is not None else node.resource
        return "none" if "aws_vpc_endpoint" in kind or "aws_prefix_list" in kind else "unknown"
    return "unknown"
