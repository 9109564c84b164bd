"""What only code can answer about a store or a queue: when a bucket deletes, and whether copies are kept long enough.

A copy counts from seven days on, the least that AWS Security Hub asks of backups of databases (DocumentDB.2,
Neptune.5); a table's log of changes keeps 35 days where nothing else is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import (
    each,
    flag,
    number,
    read,
    stands,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    all_of,
    doubt_of,
    doubted,
    every,
    judged,
    named,
    no,
    one_of,
    open_at,
    places,
    said,
    some,
    unknown,
    unless_unread,
    worst,
)
from threatmodel.reading.problems import Place
from threatmodel.reading.shape import Number
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown

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


# --- copies that are kept
_FEWEST_DAYS = 7


@analysis("log", "selection", "versions", "rule", "days", "cluster", "replica", "global-replica")
def recoverable(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a table's log of changes, or a backup plan with a rule for the store, keeps a copy long enough.

    Nothing is said where only plans are there, and none is enough: the store's own settings may be.
    """
    clusters = named(parts, "cluster")
    if clusters:  # it alone says how long copies of its instances are kept
        parts = [part for part in parts if part.part != "days"]
    source = next((one for name in _COPIES if (one := read(resource.properties, name)) is not None), None)
    if source is not None:
        return Unanswered("it is unknown how backups of this replica are kept", source.place)
    says = _worst([_log(part.node) for part in named(parts, "log")])
    says += [_of_cluster(part) for part in clusters]
    says += _worst([
        _log(read(part.node, "PointInTimeRecoverySpecification") or Table({}, part.node.place, {}))
        for part in named(parts, "global-replica")
    ])  # fmt: skip
    says += _worst([_versions(part, named(parts, "rule"), resource) for part in named(parts, "versions")])
    says += [_say(_at_least(part.node), part.node) for part in named(parts, "days")]
    replicas = [_replica(part) for part in named(parts, "replica")]
    says += judged(named(parts, "selection"), resource, lambda part: _selection(part, stack))
    outcome = some(says, "", "no backup of it is kept for a week")
    if isinstance(outcome, Answered) and outcome.value and replicas and not named(parts, "selection"):
        outcome = every((*says, *replicas), "", "no backup of a replica is kept for a week")
    if isinstance(outcome, Answered) and not outcome.value and not named(parts, *_OWN):
        return None
    return outcome


_COPIES = (*("SourceDBInstanceIdentifier", "ReplicationSourceIdentifier"),)
"""By what a database says that it copies another one."""


def _of_cluster(part: Gathered) -> Answer:
    if isinstance(part.node, Unknown):
        return unknown(part.node)
    days = read(part.node, "BackupRetentionPeriod")
    return no(part.resource.place) if days is None else _say(_at_least(days), days)


_OWN = ("log", "versions", "days", "cluster", "global-replica")
"""What a store's own settings say of its copies."""


def _worst(says: Sequence[Answer]) -> list[Answer]:
    """The least of what is said of one setting: of each replica, or by several resources that write the same one."""
    return [one for one in (worst(says, (False, True)),) if one is not None]


def _say(value: bool | None, node: Node) -> Answer:  # noqa: FBT001 - a truth of three values is what is said
    return said(value, node.place, open_at(node).why)


def _replica(part: Gathered) -> Answer:
    """Return whether a replica has its own log of changes, which keeps 35 days."""
    if part.hidden is not None:
        return unknown(part.hidden)
    on = read(part.node, "PointInTimeRecovery")
    return _say(flag(on, left_out=False), on or part.node)


def _versions(part: Gathered, rules: Sequence[Gathered], resource: Resource) -> Answer:
    """Whether old versions of a bucket's objects are kept, and no rule deletes them within a week."""
    kept = {"enabled": True, "true": True}.get((worded(part.node) or "").lower(), False)
    value = None if isinstance(part.node, Unknown) else kept
    longs = [_keeps_versions(one.node) for one in rules]
    why = "it is unknown how long noncurrent versions are kept"
    return doubted(said(all_of((value, *longs)), part.node.place, why), doubt_of(part.resource, resource))


def _keeps_versions(rule: Node) -> bool | None:
    if isinstance(rule, Unknown):
        return None
    if (worded(read(rule, "Status")) or "Enabled") == "Disabled":
        return True
    ends = [
        read(rule, "NoncurrentVersionExpiration", "NoncurrentDays"),
        read(rule, "NoncurrentVersionExpirationInDays"),
    ]
    return all_of([_at_least(one) for one in ends if one is not None])


def _log(node: Node) -> Answer:
    if isinstance(node, Unknown):
        return unknown(node)
    days = read(node, "RecoveryPeriodInDays")
    long = True if days is None else _at_least(days)
    on = read(node, "PointInTimeRecoveryEnabled")
    return said(all_of((flag(on, left_out=False), long)), node.place, open_at(days or on or node).why)


def _at_least(days: Node) -> bool | None:
    stated = number(days)
    return None if stated is None else stated >= _FEWEST_DAYS


def _selection(part: Gathered, stack: Stack) -> Answer:
    """Whether a selection takes the store into a plan that makes copies by the clock and keeps them."""
    chosen = read(part.node, "BackupSelection") or part.node
    narrow = [read(chosen, name) for name in ("Conditions", "NotResources", "ListOfTags")]
    plan = stack.target(read(part.node, "BackupPlanId"))
    place = part.resource.place
    if plan is None or plan.opaque is not None or plan.doubt is not None:
        return Unanswered("its backup plan is not in this file", place)
    body = read(plan.properties, "BackupPlan") or plan.properties
    rules = read(body, "BackupPlanRule")
    if isinstance(rules, Unknown):
        return unknown(rules)
    keeps = one_of([_keeps(rule) for rule in each(rules)])
    whole = None if any(one is not None for one in narrow) else True
    return said(
        all_of((keeps, whole)), place, "it is unknown whether its backup plan includes it and keeps its backups"
    )


def _keeps(rule: Node) -> bool | None:
    if isinstance(rule, Unknown):
        return None
    days = read(rule, "Lifecycle", "DeleteAfterDays")
    return all_of((_often(read(rule, "ScheduleExpression")), True if days is None else _at_least(days)))


_RATE = re.compile(r"rate\((?:(?P<number>\d{1,4}) )?(?P<unit>hour|day|week)s?\)")
_CRON = re.compile(r"cron\(\S+ \S+ (?P<day>\S+) (?P<month>\S+) (?P<weekday>\S+) (?P<year>\S+)\)")
_EACH_DAY = re.compile(r"\*|\?|(?:\*|1)/[1-7]")


def _often(schedule: Node | None) -> bool | None:
    """Whether a schedule runs once a week at least, which keeps what is lost below a week's work."""
    stated = worded(schedule)
    if stated is None:
        return False if schedule is None else None
    rate, cron = _RATE.fullmatch(stated), _CRON.fullmatch(stated)
    if rate is not None:
        days = {"hour": 24, "day": 1, "week": 1 / 7}[rate["unit"]]
        return int(rate["number"] or 1) / days <= _FEWEST_DAYS
    if cron is None:
        return None
    return all(cron[name] in {"*", "*/1", "1/1"} for name in ("month", "year")) and (
        cron["weekday"] not in {"*", "?"} or _EACH_DAY.fullmatch(cron["day"]) is not None
    )
