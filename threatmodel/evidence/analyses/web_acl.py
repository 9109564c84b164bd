"""Whether web ACLs limit every request to an api: each stage by its own, or a CDN's where nothing gets past the CDN.

The bound is from AWS's "Best Practices for DDoS Resiliency" ("AWS WAF - Rate-based rules"): a blanket rule without
scope-down that blocks, for instance 500 requests in five minutes; taken here is 2,000, the least that AWS WAF took
before 2019.  A rule that counts a part of the requests, or by what callers write themselves (headers, forwarded
addresses), certainly limits no caller; nor does one after a rule that allows requests before they are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.cdn import ASSOCIATIONS, cdn_only
from threatmodel.evidence.analyses.properties import (
    each,
    number,
    read,
    stands,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.stages import Stage, at_stage, stages
from threatmodel.evidence.answers import (
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    all_of,
    doubt_of,
    named,
    one_of,
    unless_unread,
)
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown, unknowns

_MOST = 2_000
_WINDOW = 300
"""Requests from one address in so many seconds."""
_GROUP = "RuleGroupReferenceStatement"
_BESIDE = "AWS::WAFv2::WebACLRuleGroupAssociation"
"""The type that adds rules to a web ACL from beside it."""


@analysis("stage", "deployment", "acl", "origin", "origin-access", "auth", "policy")
def rate_rule_blocks(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a rate-based rule blocks on every way to the api: at each stage, or at a CDN that it alone answers."""
    ties = tuple(stack.of_type(*ASSOCIATIONS))
    staged = [_guarded(stage, ties, resource, stack) for stage in stages(parts)]
    guarded = all_of(staged) if staged else False
    acls = named(parts, "acl")
    fronted = one_of(
        None if isinstance(part.node, Unknown) else _acl_limits(part.resource, "CLOUDFRONT", resource, stack)
        for part in acls
    )
    closed = _closed(parts, resource, stack) if fronted is not False else False
    value = one_of((guarded, all_of((fronted, closed))))
    bound = (stack.target(read(tie.properties, "WebACLArn")) for tie in ties)
    relevant = [*ties, *(part.resource for part in acls), *(acl for acl in bound if acl is not None)]
    if not relevant:
        return None
    places = tuple(dict.fromkeys(one.place for one in relevant))
    if value is None:
        why = "it is unknown whether a rate-based rule covers every stage and endpoint"
        hidden = (one.place for resource in relevant for one in unknowns(resource.properties))
        return Unanswered(why, next(hidden, places[0]))
    if value:
        return unless_unread(Answered(value=True, places=places), stack, [True])
    open_way = (
        "the API accepts requests that bypass its CDN" if fronted else "not every stage has a blocking rate-based rule"
    )
    return Answered(value=False, places=places, note=open_way)


def _closed(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> bool | None:
    """Whether the api answers its CDN alone."""
    outcome = cdn_only(parts, resource, stack)
    return outcome.value if isinstance(outcome, Answered) else None


# --- which stage


def _guarded(stage: Stage, ties: Sequence[Resource], resource: Resource, stack: Stack) -> bool | None:
    """Whether a stage has a web ACL with a rule that limits."""
    if stage.hidden is not None:
        return None
    bound = [tie for tie in ties if at_stage(stage, read(tie.properties, "ResourceArn"), resource) is not False]
    found = one_of([_by_tie(stage, tie, resource, stack) for tie in bound])
    if found and len(bound) > 1:  # a stage has one web ACL: the last one that is bound
        found = all_of([_by_tie(stage, tie, resource, stack) for tie in bound]) or None
    unsure = stage.there is None or doubt_of(stage.part.resource, resource) is not None
    return None if unsure and found is False else found


def _by_tie(stage: Stage, tie: Resource, resource: Resource, stack: Stack) -> bool | None:
    if tie.opaque is not None:
        return None
    bound = at_stage(stage, read(tie.properties, "ResourceArn"), resource)
    acl = stack.target(read(tie.properties, "WebACLArn"))
    limits = None if acl is None else _acl_limits(acl, "REGIONAL", resource, stack)
    sure = True if doubt_of(tie, resource) is None else None
    return all_of((bound, limits, sure))


# --- what a web ACL does


def _acl_limits(acl: Resource, scope: str, resource: Resource, stack: Stack) -> bool | None:
    """Return whether a web ACL that may protect it blocks callers with too many requests."""
    if acl.opaque is not None:
        return None
    stated = worded(read(acl.properties, "Scope"))
    if stated is not None and stated != scope:
        return False
    listed = read(acl.properties, "Rules")
    rules = each(listed)
    if isinstance(listed, Unknown):
        return None
    limiting = one_of([_limiting(rule, rules, stack) for rule in rules])
    beside = any(stack.target(read(one.properties, "WebAclArn")) in (acl, None) for one in stack.of_type(_BESIDE))
    sure = True if doubt_of(acl, resource) is None and stated is not None and not beside else None
    return all_of((limiting, sure))


def _limiting(rule: Node, rules: Sequence[Node], stack: Stack) -> bool | None:
    """Whether a rule blocks, and no rule lets requests in before it."""
    value = one_of(_rate_rule(rule, stack))
    if value is False:
        return False
    at = number(read(rule, "Priority"))
    before = [_lets_in(other, at, stack) for other in rules if other is not rule]
    return all_of((value, None if any(one is not False for one in before) else True))


def _lets_in(rule: Node, at: int | None, stack: Stack) -> bool | None:
    """Whether a rule may let requests in before those of a priority."""
    priority = number(read(rule, "Priority"))
    if at is not None and priority is not None and priority > at:
        return False
    action = read(rule, "Action")
    if isinstance(action, Unknown) or isinstance(rule, Unknown):
        return None
    reference = read(rule, "Statement", _GROUP)
    if reference is not None:
        group = stack.target(read(reference, "Arn"))
        inner = each(read(group.properties, "Rules")) if group is not None else ()
        return None if group is None else one_of([stands(read(one, "Action", "Allow")) for one in inner])
    return stands(read(action, "Allow")) if action is not None else False


def _rate_rule(rule: Node, stack: Stack, *, in_group: bool = False) -> Iterator[bool | None]:
    """Whether a rule blocks callers with too many requests: of a rule group each of its rules."""
    statement = read(rule, "Statement")
    rated, blocks = read(statement, "RateBasedStatement"), read(rule, "Action", "Block")
    reference = read(statement, _GROUP)
    if any(isinstance(one, Unknown) for one in (rule, statement, rated, reference)):
        yield None
    elif reference is not None and not in_group:
        yield from _in_group(rule, reference, stack)
    else:
        yield rated is not None and all_of((stands(blocks), _enough(rated)))


def _enough(rated: Node) -> bool | None:
    """Whether a rule counts every request by the caller's address, and few enough."""
    limit, window = number(read(rated, "Limit")), read(rated, "EvaluationWindowSec")
    seconds = _WINDOW if window is None else number(window)
    few = None if limit is None or not seconds else limit * _WINDOW <= _MOST * seconds
    key = read(rated, "AggregateKeyType")
    by_address = True if worded(key) == "IP" or key is None else None
    narrow = read(rated, "ScopeDownStatement")
    return all_of((few, by_address, True if narrow is None else None))


def _in_group(rule: Node, reference: Node, stack: Stack) -> Iterator[bool | None]:
    """The rules of a rule group, unless the reference to it turns them all into counting ones."""
    group = stack.target(read(reference, "Arn"))
    if group is None or group.opaque is not None or group.doubt is not None:
        yield None
        return
    counts = read(rule, "OverrideAction", "Count") or read(reference, "RuleActionOverrides")
    for inner in each(read(group.properties, "Rules")):
        for blocks in _rate_rule(inner, stack, in_group=True):
            yield None if blocks and counts is not None else blocks
