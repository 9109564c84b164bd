"""What only code can answer about a store or a queue: when a bucket deletes, where an event bus's failures go."""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import (
    each,
    number,
    read,
    stands,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import (
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    doubt_of,
    doubted,
    every,
    named,
    open_at,
    places,
    said,
    unknown,
    unless_unread,
)
from threatmodel.reading.problems import Place
from threatmodel.reading.shape import Number
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown

_NARROWING = (
    *("Prefix", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And"),
)  # fmt: skip
_LONGEST = 36_500


@analysis("rules", "replication", "lock", answers=Number)
def expiration_days(parts: Sequence[Gathered], resource: Resource, _stack: Stack) -> Outcome:
    """After how many days nothing of the bucket's is left, by rules that cover all of it.

    In a bucket with versions, expiry only hides an object: then the days until the hidden versions go are added.  What
    is locked goes after its lock at the earliest, and what is copied elsewhere by the rules of that place.
    """
    rules = named(parts, "rules")
    if not rules:
        return None
    outcome = _expired(rules, resource)
    if not isinstance(outcome, Answered) or outcome.value is None:
        return outcome
    copied = [part for part in named(parts, "replication") if worded(read(part.node, "Status")) != "Disabled"]
    if copied:
        return Unanswered("it is unknown how long its copies elsewhere are kept", copied[0].node.place)
    return _locked(named(parts, "lock"), outcome)


def _locked(locks: Sequence[Gathered], outcome: Answered) -> Outcome:
    """The days after which things go, or those for which they are locked, where these are more."""
    for part in locks:
        default = read(part.node, "Rule", "DefaultRetention")
        if default is None:
            continue
        days, years = number(read(default, "Days")), number(read(default, "Years"))
        if days is None and years is None:
            return open_at(default)
        least = days or (years or 0) * 366
        if least > outcome.value:
            return Answered(least, (default.place,), "the retention period of its lock")
    return outcome


def _expired(parts: Sequence[Gathered], resource: Resource) -> Outcome:
    covering: list[Node] = []
    for rule, doubt in [(rule, doubt_of(part.resource, resource)) for part in parts for rule in each(part.node)]:
        covers = _covers(rule)
        if covers is None or (covers and doubt is not None):
            return open_at(doubt or rule)
        if covers:
            covering.append(rule)
    if resource.opaque is not None:
        return unknown(resource.opaque)
    current = _soonest(covering, ("ExpirationInDays",), ("Expiration", "Days"))
    versioned = _versioned(resource)
    if isinstance(current, Unanswered) or current is None or versioned is False:
        return current or Answered(None, places(parts), "no lifecycle rule deletes every object")
    old = _soonest_of_old(covering)
    if versioned is None:
        return Unanswered("it is unknown whether versioning is on", resource.place)
    if isinstance(old, Unanswered) or old is None:
        return old or Answered(None, current.places, "noncurrent versions are kept indefinitely")
    days = current.value + old.value
    if days > _LONGEST:
        return Unanswered("it is longer than a hundred years", old.places[0])
    return Answered(days, (*current.places, *old.places), "including the days for which noncurrent versions are kept")


def _covers(rule: Node) -> bool | None:
    """Whether a rule is on and holds for every object."""
    if isinstance(rule, Unknown):
        return None
    status = read(rule, "Status")
    on = {"Enabled": True, "Disabled": False}.get(worded(status) or "")
    narrow = [read(rule, name) for name in _NARROWING] + [read(rule, "Filter", name) for name in _NARROWING]
    if on is False or any(one is not None and not isinstance(one, Unknown) for one in narrow):
        return False
    return None if on is None or any(one is not None for one in narrow) else True


def _soonest(rules: Sequence[Node], *paths: tuple[str, ...]) -> Answered | Unanswered | None:
    """The fewest days that one of the rules gives at one of these paths."""
    found: list[tuple[int, Place]] = []
    for rule in rules:
        for path in paths:
            node = read(rule, *path)
            days = number(node)
            if node is None or days == 0:
                continue
            if days is None or days > _LONGEST:
                return open_at(node)
            found.append((days, node.place))
    if not found:
        return None
    days, place = min(found)
    return Answered(days, (place,))


def _soonest_of_old(rules: Sequence[Node]) -> Answered | Unanswered | None:
    """The fewest days after which a version that is no longer current goes, by rules that keep none of them."""
    keeping = [(stands(read(rule, "NoncurrentVersionExpiration", "NewerNoncurrentVersions")), rule) for rule in rules]
    unknown = next((rule for keeps, rule in keeping if keeps is None), None)
    if unknown is not None:
        return Unanswered("it is unknown whether some versions are kept", unknown.place)
    paths = (("NoncurrentVersionExpirationInDays",), ("NoncurrentVersionExpiration", "NoncurrentDays"))
    return _soonest([rule for keeps, rule in keeping if not keeps], *paths)


def _versioned(resource: Resource) -> bool | None:
    """Whether a bucket keeps versions."""
    words = {"Enabled": True, "Suspended": True, "Disabled": False}  # suspended: those from before are still there
    own = read(resource.properties, "VersioningConfiguration", "Status")
    if own is not None:
        return words.get(worded(own) or "")
    return False


@analysis("target")
def dead_letter_everywhere(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether every target of the bus's rules has a dead-letter queue."""
    says = []
    for part in parts:
        hidden = part.hidden if part.node is part.resource.properties else None
        queue = read(part.node, "DeadLetterConfig", "Arn")
        answer = unknown(hidden) if hidden else said(stands(queue), part.node.place, open_at(queue or part.node).why)
        says.append(doubted(answer, doubt_of(part.resource, resource)))
    return unless_unread(every(says, "", "a target has no dead-letter queue"), stack, [True])
