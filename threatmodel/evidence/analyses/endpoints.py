"""Whether an endpoint of a VPC leads to what is one's own: its policy says whose resources it is for.

Without a policy, an endpoint leads to resources of any account (docs.aws.amazon.com/vpc: "vpc-endpoints-access").
"""

from __future__ import annotations

import re

from threatmodel.evidence.analyses.properties import read, worded
from threatmodel.evidence.answers import Gathered
from threatmodel.evidence.policies.grants import ConditionKey, Grant, Pattern, statements
from threatmodel.stacks.values import Node

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
