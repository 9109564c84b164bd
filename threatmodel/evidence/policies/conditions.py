"""What a condition of a statement narrows: it does only if its value does.

A condition limits who is meant where its operator asks for a value (not for anything but one, nor only where there is
one), its key is one that the caller cannot choose, and each of its values excludes some callers.  A caller chooses the
user agent, the referrer and private addresses; ``o-*`` is every organization, and anyone can create a role of some name
in an account.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from threatmodel.evidence.answers import one_of, opposite
from threatmodel.evidence.policies.arns import account_of, arn_parts, whole
from threatmodel.evidence.policies.grants import MARK, ConditionKey, Pattern

_ACCOUNTS = frozenset(
    {
        *("aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths", "aws:principalorgid"),
        *("aws:principalorgpaths", "aws:principalaccount", "aws:userid", "kms:calleraccount"),
        *("aws:sourcevpc", "aws:sourcevpce"),
    }
)
_ARNS = frozenset(
    {
        *("aws:sourcearn", "aws:principalarn", "lambda:sourcefunctionarn"),
        "elasticfilesystem:accesspointarn",
    }
)
_NETWORKS = frozenset({"aws:sourceip"})
_ELSEWHERE = frozenset({"s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:accesspointnetworkorigin"})
"""Keys by which a policy leaves it to those of access points who gets in."""
POSITIVE = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress")
NEGATIVE = (
    "stringnotequals",
    "stringnotequalsignorecase",
    "stringnotlike",
    "arnnotequals",
    "arnnotlike",
    "notipaddress",
)


def limits(condition: ConditionKey) -> bool:
    """Whether a condition asks for some values, rather than for none of them or only where there is one."""
    return condition.operator.removeprefix("foranyvalue:") in POSITIVE


def narrows(condition: ConditionKey, operators: Sequence[str] = POSITIVE) -> bool | None:
    """Whether a condition limits a statement to accounts, an organization, sources or networks; None if unknown."""
    if not condition.key:
        return None
    operator = condition.operator.removeprefix("foranyvalue:")
    if operator in operators and condition.key in _ELSEWHERE:
        return None
    if operator not in operators or condition.key not in _ACCOUNTS | _ARNS | _NETWORKS:
        return False
    if condition.open is not None:
        return None
    if condition.key in _NETWORKS:
        return (
            None if any(one.open for one in condition.values) else _narrow(tuple(one.text for one in condition.values))
        )
    wide = one_of([_wide(one, condition.key, operator) for one in condition.values])
    return opposite(wide) if condition.values else False


# --- texts

_VARIABLE = re.compile(r"\$\{(?!aws:resource(account|orgid|orgpaths)\})[A-Za-z0-9-]+:(?!:)[^{}]*\}", re.IGNORECASE)
"""Return whether it is a variable of the request: the caller sets its value, except the account of the target."""

_WHOLE_ID = re.compile(r"[0-9]{12}|o-[a-z0-9]{10,32}(/[*]?|/.*)?|vpce?-[0-9a-f]{8,17}|[A-Z0-9]{16,32}(:.*)?")
"""What names one account, organization, network or identity whatever follows behind it."""


def _wide(one: Pattern, key: str, operator: str) -> bool | None:
    """Return whether a value of a condition allows any principal."""
    if _VARIABLE.search(one.text):
        return True
    if "like" not in operator and not operator.startswith("arn"):
        return False  # compared literally: even a star matches nothing
    return wide_arn(one) if key in _ARNS else _wide_text(one)


def wide_arn(one: Pattern) -> bool | None:
    """Return whether an ARN with wildcards matches any account: it names none, and nothing that identifies one."""
    if one.links:
        return False
    parts = arn_parts(one.text)
    if len(parts) < 6:  # noqa: PLR2004 - an ARN's parts
        return _wide_text(one)
    account = account_of(one)
    if set(account) & set("*?"):
        return True
    if "\x00" in account:
        return None
    if account:
        return False
    own = parts[5].split("/", 1)[0]  # without account (a bucket's): any name may have this prefix
    return True if whole(one, parts[2]) else None if "\x00" in own else bool(set(own) & set("*?"))


def _wide_text(one: Pattern) -> bool | None:
    spelt = MARK.sub("\x00", one.text)
    fixed = re.split(r"[*?\x00]", spelt, maxsplit=1)[0]
    if fixed == spelt:
        return False
    if _WHOLE_ID.fullmatch(fixed):
        return False
    return True if set(spelt) & set("*?") else None


# --- networks

_MOST_ADDRESSES = 2**26
"""Addresses of IPv4 that together are no limit any more: four of the largest networks there are."""
_SHORTEST_PREFIX = 19
"""Of IPv6: the shortest prefix that a registry gives to one holder."""

_INSIDE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8")))
_INSIDE_OF_IPV6 = IPv6Network("fc00::/7")
"""Private networks: no caller comes from them over the internet, and anyone may use them in their own VPC."""


@lru_cache(maxsize=1024)
def _narrow(texts: tuple[str, ...]) -> bool | None:
    """Return whether networks exclude most of the internet; None for private ones, which are not on the internet."""
    old: list[IPv4Network] = []
    new: list[IPv6Network] = []
    for one in texts:
        try:
            network = ip_network(one, strict=False)
        except ValueError:
            return None
        if isinstance(network, IPv4Network):
            old.append(network)
        else:
            new.append(network)
    if not texts:
        return False
    if sum(one.num_addresses for one in collapse_addresses(old)) > _MOST_ADDRESSES:
        return False
    if any(one.prefixlen < _SHORTEST_PREFIX for one in collapse_addresses(new)):
        return False
    inside = all(any(one.subnet_of(own) for own in _INSIDE) for one in old)
    return None if inside and all(one.subnet_of(_INSIDE_OF_IPV6) for one in new) else True
