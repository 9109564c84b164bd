"""Whether what is lost can be had again: copies of a store that are kept long enough.

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
    said,
    some,
    unknown,
    worst,
)
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown

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
    says += _worst([_log_of_replica(part.node) for part in named(parts, "global-replica")])
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


def _log_of_replica(replica: Node) -> Answer:
    """Whether a replica of a global table keeps a log of changes, as long as one table has to."""
    return _log(read(replica, "PointInTimeRecoverySpecification") or Table({}, replica.place, {}))


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
