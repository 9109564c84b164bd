"""Networks of IP addresses, as the rules of security groups spell them."""

from __future__ import annotations

import ipaddress

from threatmodel.evidence.analyses.properties import worded
from threatmodel.stacks.values import Node

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
