"""Access that a stack gives outsiders: as guests of an identity pool, through other roles, and by uploads."""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import each, flag, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answer, Gathered, Outcome, judged, named, said, some, yes
from threatmodel.evidence.policies.grants import allowing, grants
from threatmodel.stacks.stack import Resource, Stack

_POOLS = "cognito-identity."
_WRITES = frozenset({"PUT", "POST"})


@analysis("pool")
def pool_has_guests(parts: Sequence[Gathered], resource: Resource, _stack: Stack) -> Outcome:
    """Whether an identity pool gives credentials to callers that did not sign in."""

    def guests(part: Gathered) -> Answer:
        return said(flag(read(part.node, "AllowUnauthenticatedIdentities"), left_out=False), part.resource.place)

    return some(judged(named(parts, "pool"), resource, guests))


@analysis("trust")
def roles_beside_functions(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Yes where a role admits users of an identity pool; a stack cannot show that there are no other roles."""
    for grant in allowing(grants(named(parts, "trust"), resource, stack)):
        if any(one.kind == "Federated" and one.pattern.text.startswith(_POOLS) for one in grant.principals):
            return yes(grant.place)
    return None


@analysis("rule")
def browsers_upload(parts: Sequence[Gathered], _resource: Resource, _stack: Stack) -> Outcome:
    """Yes where a bucket lets browsers of another site write to it; a stack cannot show who else uploads."""
    for part in named(parts, "rule"):
        if any(worded(method) in _WRITES for method in each(read(part.node, "AllowedMethods"))):
            return yes(part.resource.place)
    return None
