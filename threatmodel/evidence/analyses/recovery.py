"""Whether what is lost can be had again: copies of a store that are kept long enough, failures that end somewhere.

A copy counts from seven days on, the least that AWS Security Hub asks of backups of databases (DocumentDB.2,
Neptune.5); a table's log of changes keeps 35 days where nothing else is said.  A message is tried at most a hundred
times: SQS takes a maxReceiveCount of 1,000, with which nothing ever ends in the queue for dead letters.  That queue
keeps them for a day at least, and no shorter than the queue from which they come, since they keep the time at which
they were sent first (docs.aws.amazon.com/AWSSimpleQueueService: "sqs-dead-letter-queues").  A stream's mapping tries
without end where neither attempts nor age are bounded, so that nothing reaches its destination for failures before it
expires.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import (
    Say,
    all_of,
    document,
    doubt_of,
    each,
    every,
    flag,
    named,
    number,
    one_of,
    opaque_of,
    open_at,
    read,
    some,
    stands,
    unless_unread,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answered, Gathered, Outcome
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown

_FEWEST_DAYS = 7
_MOST_TRIES = 100
_ASKING = {"apigateway.amazonaws.com", "elasticloadbalancing.amazonaws.com"}
"""Services that wait for the answer, so that a failure is theirs to tell."""


@analysis("log", "selection", "versions", "rule", "days", "replica", "global-replica")
def recoverable(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a table's log of changes, or a backup plan with a rule for the store, keeps a copy long enough.

    Nothing is said where only plans are there, and none is enough: the store's own settings may be.
    """
    says = [_log(part.node) for part in named(parts, "log")]
    says += [_logs(named(parts, "global-replica"))] if named(parts, "global-replica") else []
    says += [_versions(part, named(parts, "rule"), resource) for part in named(parts, "versions")]
    says += [_say(_at_least(part.node), part.node) for part in named(parts, "days")]
    replicas = [_replica(part) for part in named(parts, "replica")]
    says += [
        _selection(part, stack)._replace(doubt=doubt_of(part.resource, resource)) for part in named(parts, "selection")
    ]
    outcome = some(says, "", "no copy of it is kept for a week")
    if isinstance(outcome, Answered) and outcome.value and replicas and not named(parts, "selection"):
        outcome = every((*says, *replicas), "", "no copy of a replica is kept for a week")
    if isinstance(outcome, Answered) and not outcome.value and not named(parts, *_OWN):
        return None
    return outcome


_OWN = ("log", "versions", "days", "global-replica")
"""What a store's own settings say of its copies."""


def _logs(replicas: Sequence[Gathered]) -> Say:
    """Whether each replica of a global table keeps a log of changes, as long as one table has to."""
    logs = [read(one.node, "PointInTimeRecoverySpecification") or Table({}, one.node.place, {}) for one in replicas]
    says = [_log(log) for log in logs]
    return min(says, key=lambda say: (False, None, True).index(say.value))


def _say(value: bool | None, node: Node) -> Say:  # noqa: FBT001 - a truth of three values is what is said
    return Say(value, node.place, open_at(node).why)


def _replica(part: Gathered) -> Say:
    """Whether a replica has a log of changes of its own, which keeps 35 days."""
    hidden = opaque_of(part)
    if hidden is not None:
        return open_at(hidden)
    on = read(part.node, "PointInTimeRecovery")
    return _say(flag(on, left_out=False), on or part.node)


def _versions(part: Gathered, rules: Sequence[Gathered], resource: Resource) -> Say:
    """Whether old versions of a bucket's objects are kept, and no rule deletes them within a week."""
    kept = {"enabled": True, "true": True}.get((worded(part.node) or "").lower(), False)
    value = None if isinstance(part.node, Unknown) else kept
    longs = [_keeps_versions(one.node) for one in rules]
    why = "how long old versions are kept is not told"
    return Say(all_of((value, *longs)), part.node.place, why, doubt_of(part.resource, resource))


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


def _log(node: Node) -> Say:
    if isinstance(node, Unknown):
        return open_at(node)
    days = read(node, "RecoveryPeriodInDays")
    long = True if days is None else _at_least(days)
    on = read(node, "PointInTimeRecoveryEnabled|enabled")
    return Say(all_of((flag(on, left_out=False), long)), node.place, open_at(days or on or node).why)


def _at_least(days: Node) -> bool | None:
    told = number(days)
    return None if told is None else told >= _FEWEST_DAYS


def _selection(part: Gathered, stack: Stack) -> Say:
    """Whether a selection takes the store into a plan that makes copies by the clock and keeps them."""
    hidden = opaque_of(part)
    if hidden is not None:
        return open_at(hidden)
    chosen = read(part.node, "BackupSelection") or part.node
    narrow = [read(chosen, name) for name in ("Conditions|condition", "NotResources", "ListOfTags|selection_tag")]
    plan = stack.target(read(part.node, "BackupPlanId|plan_id"))
    place = part.resource.place
    if plan is None or plan.opaque is not None or plan.doubt is not None:
        return Say(None, place, "its backup plan is not in this file")
    body = read(plan.properties, "BackupPlan") or plan.properties
    rules = read(body, "BackupPlanRule|rule")
    if isinstance(rules, Unknown):
        return open_at(rules)
    keeps = one_of([_keeps(rule) for rule in each(rules)])
    whole = None if any(one is not None for one in narrow) else True
    return Say(all_of((keeps, whole)), place, "whether its backup plan takes it in, and keeps copies, is not told")


def _keeps(rule: Node) -> bool | None:
    if isinstance(rule, Unknown):
        return None
    days = read(rule, "Lifecycle", "DeleteAfterDays|delete_after")
    return all_of((_often(read(rule, "ScheduleExpression|schedule")), True if days is None else _at_least(days)))


_RATE = re.compile(r"rate\((?:(?P<number>\d{1,4}) )?(?P<unit>hour|day|week)s?\)")
_CRON = re.compile(r"cron\(\S+ \S+ (?P<day>\S+) (?P<month>\S+) (?P<weekday>\S+) (?P<year>\S+)\)")
_EACH_DAY = re.compile(r"\*|\?|(?:\*|1)/[1-7]")


def _often(schedule: Node | None) -> bool | None:
    """Whether a schedule runs once a week at least, which keeps what is lost below a week's work."""
    told = worded(schedule)
    if told is None:
        return False if schedule is None else None
    rate, cron = _RATE.fullmatch(told), _CRON.fullmatch(told)
    if rate is not None:
        days = {"hour": 24, "day": 1, "week": 1 / 7}[rate["unit"]]
        return int(rate["number"] or 1) / days <= _FEWEST_DAYS
    if cron is None:
        return None
    return all(cron[name] in {"*", "*/1", "1/1"} for name in ("month", "year")) and (
        cron["weekday"] not in {"*", "?"} or _EACH_DAY.fullmatch(cron["day"]) is not None
    )


@analysis("redrive", "mapping")
def failures_end(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether what fails goes to a queue for dead letters after a bounded number of tries, or age."""
    says = [_redrive(part, stack) for part in named(parts, "redrive")]
    says += [_mapping(part)._replace(doubt=doubt_of(part.resource, resource)) for part in named(parts, "mapping")]
    outcome = every(says, "", "what fails is tried without a bound that it would meet")
    return unless_unread(outcome, stack, [True]) if named(parts, "mapping") else outcome


@analysis("mapping", "starter", "schedule")
def stream_failures_kept(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether what fails of each stream that starts a function is kept; nothing is said where no stream does.

    Kept for all streams, it decides only where nothing starts the function asynchronously beside them: those events
    have a destination of the function's own.
    """
    streams = [part for part in named(parts, "mapping") if stands(read(part.node, "StartingPosition")) is not False]
    says = [_mapping(part)._replace(doubt=doubt_of(part.resource, resource)) for part in streams]
    starters = [(worded(part.node), part.node) for part in named(parts, "starter")]
    says += [open_at(node) for told, node in starters if told is None]
    outcome = every(says, "", "what fails of a stream is tried without a bound, or kept nowhere")
    beside = named(parts, "schedule") or any(told is not None and told not in _ASKING for told, _ in starters)
    if not streams or (beside and isinstance(outcome, Answered) and outcome.value):
        return None
    return unless_unread(outcome, stack, [True])


def _redrive(part: Gathered, stack: Stack) -> Say:
    policy = document(part.node)
    if policy is None or isinstance(policy, Unknown):
        return open_at(policy or part.node)
    tries = read(policy, "maxReceiveCount")
    told = number(tries)
    few = None if told is None else told <= _MOST_TRIES
    to = read(policy, "deadLetterTargetArn")
    value = all_of((stands(to), few, _kept(to, part.resource, stack)))
    return Say(value, part.node.place, open_at(tries or part.node).why if few is None else _NOT_KEPT)


_NOT_KEPT = "how long what fails is kept, and whether somebody of this file keeps it, is not told"
_A_DAY = 86_400
_USUAL = 345_600
"""Seconds for which SQS keeps a message where nothing else is said."""
_QUEUES = ("AWS::SQS::Queue", "aws_sqs_queue")


def _kept(to: Node | None, source: Resource, stack: Stack) -> bool | None:
    """Whether a queue of this file keeps what fails in another one, long enough; never the queue itself."""
    queue = _queue(to, stack)
    if queue is None or queue.type not in _QUEUES or queue.opaque is not None or doubt_of(queue, source) is not None:
        return None
    if queue is source:
        return False
    kept, before = _seconds(queue), _seconds(source) if source.type in _QUEUES else 0
    return None if kept is None or before is None else kept >= max(_A_DAY, before)


def _seconds(queue: Resource) -> int | None:
    node = read(queue.properties, "MessageRetentionPeriod|message_retention_seconds")
    return _USUAL if node is None else number(node)


def _queue(to: Node | None, stack: Stack) -> Resource | None:
    """The queue of this file that an ARN means: by a link, also in a JSON text, or by the ARN that a plan tells."""
    target = stack.target(to) if to is not None else None
    told = worded(to) or ""
    named_in = re.fullmatch(r"\$\{(.+)\.(?:Arn|arn)\}", told)
    if target is None and named_in is not None:
        target = stack.resources.get(named_in[1])
    if target is None and told:
        target = next((one for one in stack.of_type(*_QUEUES) if worded(read(one.properties, "arn")) == told), None)
    return target


@analysis("target", "config")
def failures_kept(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether what a function fails at goes to something of this file that keeps it, or works on it."""
    says = []
    for part in parts:
        hidden = part.node if isinstance(part.node, Unknown) else doubt_of(part.resource, resource)
        to = part.node if part.part == "target" else read(part.node, "DestinationConfig", "OnFailure")
        if part.part == "config" and not isinstance(to, Unknown | None):
            to = read(to, "Destination") or to
        if to is None:
            continue
        says.append(open_at(hidden) if hidden is not None else _takes(to, part, resource, stack))
    return every(says, "", "what fails is not kept")


_LATEST = "$LATEST"
_MAPPINGS = ("AWS::Lambda::EventSourceMapping", "aws_lambda_event_source_mapping")


def _takes(to: Node, part: Gathered, function: Resource, stack: Stack) -> Say:
    """Whether a destination keeps what fails."""
    if isinstance(to, Table):  # SAM makes the queue or topic that is asked for by its type alone
        return Say(True if read(to, "Type") is not None else None, to.place)
    target = _queue(to, stack)
    other = (
        worded(read(part.node, "Qualifier")) == _LATEST and read(function.properties, "AutoPublishAlias") is not None
    )
    if target is None or target.opaque is not None or doubt_of(target, function) is not None or other:
        return Say(None, to.place, "whether what fails is kept there is not told by this file")
    if target.type not in _QUEUES:
        return Say(True if target is not function else None, to.place, "it is handed to itself again")
    loops = any(
        stack.target(read(one.properties, "EventSourceArn")) is target
        and stack.target(read(one.properties, "FunctionName")) is function
        for one in stack.of_type(*_MAPPINGS)
    )
    return Say(False if loops else _kept(to, function, stack), to.place, _NOT_KEPT)


def _mapping(part: Gathered) -> Say:
    hidden = opaque_of(part)
    if hidden is not None:
        return open_at(hidden)
    to = stands(read(part.node, "DestinationConfig", "OnFailure", "Destination|destination_arn"))
    bounds = [_bounded(read(part.node, name)) for name in ("MaximumRetryAttempts", "MaximumRecordAgeInSeconds")]
    return Say(all_of((to, one_of(bounds))), part.resource.place, "how often it tries is not told")


def _bounded(node: Node | None) -> bool | None:
    """Whether an amount is a bound: without one, and with -1, a mapping tries until the record expires."""
    if node is None or getattr(node, "value", None) in {-1, "-1"}:
        return False
    return None if number(node) is None else True
