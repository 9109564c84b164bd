"""Whether failures go anywhere: to a dead-letter queue, or to a failure destination that has a consumer.

A message is tried at most a hundred times: SQS takes a maxReceiveCount of 1,000, with which nothing ever ends in the
queue for dead letters.  That queue keeps them for a day at least, and no shorter than the queue from which they come,
since they keep the time at which they were sent first, and takes those of the queue (docs.aws.amazon.com/
AWSSimpleQueueService: "sqs-dead-letter-queues").  A stream's mapping tries without end where neither attempts nor age
are bounded, so that nothing reaches its destination for failures before it expires.  Nor does it within ten thousand
attempts, or a day, after which a stream of DynamoDB has lost the record.  What a function fails at, Lambda
sends with the function's role (docs.aws.amazon.com/lambda: "invocation-async-retain-records").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from threatmodel.evidence.analyses.alerting import TOPICS, heard
from threatmodel.evidence.analyses.properties import (
    document,
    each,
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
    every,
    judged,
    named,
    one_of,
    open_at,
    said,
    unknown,
    unless_unread,
    yes,
)
from threatmodel.evidence.policies.grants import Grant, Pattern, allowing, statements
from threatmodel.evidence.policies.permissions import held
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown, shape_of

_MOST_TRIES = 100
_ASKING = {"apigateway.amazonaws.com", "elasticloadbalancing.amazonaws.com"}
"""Services that wait for the answer, so that a failure is theirs to tell."""


@analysis("redrive", "mapping")
def failures_end(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether what fails goes to a queue for dead letters after a bounded number of tries, or age."""
    says = [_redrive(part, stack) for part in named(parts, "redrive")]
    says += judged(named(parts, "mapping"), resource, _mapping)
    outcome = every(says, "", "failed events are retried without an effective limit")
    return unless_unread(outcome, stack, [True]) if named(parts, "mapping") else outcome


@analysis("mapping", "starter", "schedule")
def stream_failures_kept(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether what fails of each stream that starts a function is kept; nothing is said where no stream does.

    Kept for all streams, it decides only where nothing starts the function asynchronously beside them: those events
    have a destination of the function's own.
    """
    streams = [part for part in named(parts, "mapping") if stands(read(part.node, "StartingPosition")) is not False]
    says = list(judged(streams, resource, _mapping))
    starters = [(worded(part.node), part.node) for part in named(parts, "starter")]
    says += [open_at(node) for stated, node in starters if stated is None]
    outcome = every(says, "", "failed stream records are retried without a limit, or are not kept")
    beside = named(parts, "schedule") or any(stated is not None and stated not in _ASKING for stated, _ in starters)
    if not streams or (beside and isinstance(outcome, Answered) and outcome.value):
        return None
    return unless_unread(outcome, stack, [True])


def _redrive(part: Gathered, stack: Stack) -> Answer:
    policy = document(part.node)
    if policy is None or isinstance(policy, Unknown):
        return open_at(policy or part.node)
    tries = read(policy, "maxReceiveCount")
    stated = number(tries)
    few = None if stated is None else stated <= _MOST_TRIES
    to = read(policy, "deadLetterTargetArn")
    value = all_of((stands(to), few, _kept(to, part.resource, stack), _taken(to, part.resource, stack)))
    return said(value, part.node.place, open_at(tries or part.node).why if few is None else _NOT_KEPT)


_NOT_KEPT = "it is unknown how long failed events are kept, and whether a resource in this file keeps them"
_A_DAY = 86_400
_USUAL = 345_600
"""Seconds for which SQS keeps a message where nothing else is said."""
_QUEUES = ("AWS::SQS::Queue",)


def _kept(to: Node | None, source: Resource, stack: Stack) -> bool | None:
    """Whether a queue of this file keeps what fails in another one, long enough; never the queue itself."""
    queue = _queue(to, stack)
    if queue is None or queue.type not in _QUEUES or queue.opaque is not None or doubt_of(queue, source) is not None:
        return None
    if queue is source:
        return False
    kept, before = _seconds(queue), _seconds(source) if source.type in _QUEUES else 0
    return None if kept is None or before is None else kept >= max(_A_DAY, before)


def _taken(to: Node | None, source: Resource, stack: Stack) -> bool | None:
    """Whether a queue for dead letters takes those of a queue: of all, unless it says of whose."""
    queue = _queue(to, stack)
    policy = read(queue.properties, "RedriveAllowPolicy") if queue is not None else None
    return True if policy is None else _takes_from(document(policy), source, stack)


def _takes_from(policy: Node | None, source: Resource, stack: Stack) -> bool | None:
    if not isinstance(policy, Table):
        return None
    permission = worded(read(policy, "redrivePermission"))
    if permission == "byQueue":
        sources = [_queue(one, stack) for one in each(read(policy, "sourceQueueArns"))]
        return True if source in sources else None if None in sources else False
    return {"allowAll": True, "denyAll": False}.get(permission or "allowAll")


def _seconds(queue: Resource) -> int | None:
    node = read(queue.properties, "MessageRetentionPeriod")
    return _USUAL if node is None else number(node)


def dead_letters_of(queue: Resource, stack: Stack) -> Resource | None:
    """The queue of this file in which what fails in another one is put aside."""
    redrive = read(queue.properties, "RedrivePolicy") if queue.type in _QUEUES else None
    found = _queue(read(document(redrive), "deadLetterTargetArn"), stack)
    return found if found is not None and found.type in _QUEUES else None


def _queue(to: Node | None, stack: Stack) -> Resource | None:
    """The queue of this file that an ARN means: by a link, by the ARN that a plan tells, or by its name."""
    target = stack.target(to) if to is not None else None
    stated = worded(to) or ""
    if target is None and stated:
        own = _OF_ACCOUNT.fullmatch(shape_of(to))
        asked = ("QueueName", own[1]) if own else ("arn", stated)
        target = next(
            (one for one in stack.of_type(*_QUEUES) if worded(read(one.properties, asked[0])) == asked[1]), None
        )
    return target


_OF_ACCOUNT = re.compile(
    r"arn:(?:aws|\$\{AWS::Partition\}):sqs:\$\{AWS::Region\}:\$\{AWS::AccountId\}:([A-Za-z0-9_.-]+)"
)
"""The ARN of a queue of the same account and Region."""


# --- what a function fails at


@analysis("target", "config", "policy", "managed", "sam")
def failures_kept(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether what a function fails at goes to something of this file that keeps it, or works on it, by its rights."""
    policies = named(parts, "policy", "managed", "sam")
    says = []
    for part in named(parts, "target", "config"):
        hidden = part.node if isinstance(part.node, Unknown) else doubt_of(part.resource, resource)
        to = part.node if part.part == "target" else read(part.node, "DestinationConfig", "OnFailure")
        if part.part == "config" and not isinstance(to, Unknown | None):
            to = read(to, "Destination") or to
        if to is None:
            continue
        says.append(unknown(hidden) if hidden is not None else _takes(to, part, resource, stack))
        says.append(_sends(to, policies, resource, stack))
    return every(says, "", "failed events are not kept")


_LATEST = "$LATEST"
_BUSES = ("AWS::Events::EventBus",)


def _takes(to: Node, part: Gathered, function: Resource, stack: Stack) -> Answer:
    """Whether a destination keeps what fails."""
    if isinstance(to, Table):  # SAM makes the queue or topic that is asked for by its type alone
        return said(read(to, "Type") is not None or None, to.place)
    target = _queue(to, stack)
    other = worded(read(part.node, "Qualifier")) == _LATEST and _has_alias(function, stack)
    if target is None or target.opaque is not None or doubt_of(target, function) is not None or other:
        return Unanswered("the file does not show whether failed events are kept there", to.place)
    if target.type not in _QUEUES:
        why = "it is unknown whether anything consumes the failed events there"
        return said(_works_on(target, function, stack), to.place, why)
    loops = any(
        stack.target(read(one.properties, "EventSourceArn")) is target
        and _function_of(read(one.properties, "FunctionName"), stack) is function
        for one in stack.of_type("AWS::Lambda::EventSourceMapping")
    )
    return said(False if loops else _kept(to, function, stack), to.place, _NOT_KEPT)


_ALIASES = ("AWS::Lambda::Alias",)
_QUALIFIED = (*_ALIASES, "AWS::Lambda::Version")


def _has_alias(function: Resource, stack: Stack) -> bool:
    """Whether a function has an alias, by which it is called then rather than by its newest code."""
    named_by = (_function_of(read(one.properties, "FunctionName"), stack) for one in stack.of_type(*_ALIASES))
    return read(function.properties, "AutoPublishAlias") is not None or function in named_by


def _function_of(node: Node | None, stack: Stack) -> Resource | None:
    """The function that is meant: itself, or by an alias or version of it."""
    target = stack.target(node)
    if target is not None and target.type in _QUALIFIED:
        return stack.target(read(target.properties, "FunctionName"))
    return target


def _works_on(target: Resource, function: Resource, stack: Stack) -> bool | None:
    """Return whether a target other than a queue processes failures: neither the function itself nor nothing."""
    if target.type in TOPICS:
        return heard(target, stack)
    if target.type in _BUSES:
        rules = [one for one in stack.of_type("AWS::Events::Rule") if one.doubt is None]
        return any(stack.target(read(one.properties, "EventBusName")) is target for one in rules) or None
    return True if target is not function else None


_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_SENDING: Mapping[str, str] = {
    **dict.fromkeys(_QUEUES, "sqs:sendmessage"),
    **dict.fromkeys(TOPICS, "sns:publish"),
    **dict.fromkeys(_BUSES, "events:putevents"),
    **dict.fromkeys(_FUNCTIONS, "lambda:invokefunction"),
    "AWS::S3::Bucket": "s3:putobject",
}
"""The right by which something of a type gets what fails, in small letters."""
_QUEUE_POLICIES = ("AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy")


def _sends(to: Node, policies: Sequence[Gathered], function: Resource, stack: Stack) -> Answer:
    """Whether the function's role lets Lambda send there, and no policy of the queue denies it."""
    target = _queue(to, stack)
    role = read(function.properties, "Role")
    right = _SENDING.get(target.type, "") if target is not None else ""
    if target is None or not right or role is None:  # SAM gives the role that it makes this right
        return yes(to.place)
    if stack.target(role) is None:
        return Unanswered("its role is not in this file, so it is unknown whether it may send there", to.place)
    may = one_of([_lets(grant, right, target) for grant in allowing(held(policies, function, stack))])
    policies_of = (
        read(one.properties, "PolicyDocument")
        for one in stack.of_type(*_QUEUE_POLICIES)
        if target in [stack.target(queue) for queue in each(read(one.properties, "Queues|Queue"))]
    )
    written = (grant for policy in policies_of for grant in statements(policy))
    denied = any(grant.effect != "Allow" and _concerns(grant, right, target) for grant in written)
    return said(None if may and denied else may, to.place, "it is unknown whether its role may send there")


def _lets(grant: Grant, right: str, target: Resource) -> bool | None:
    stated = grant.resources and not grant.but_resources
    about = one_of([_is_about(one, target) for one in grant.resources]) if stated else None
    narrow = grant.open is not None or bool(grant.conditions)
    return all_of((grant.covers(right), about, None if narrow else True))


def _concerns(denial: Grant, right: str, target: Resource) -> bool:
    """Whether a denial may be about a right on a queue."""
    about = [_is_about(one, target) for one in denial.resources]
    return denial.covers(right) is not False and (denial.but_resources or not about or one_of(about) is not False)


def _is_about(one: Pattern, target: Resource) -> bool | None:
    if one.text == "*" or any(link.resource == target.name for link in one.links):
        return True
    return None if one.open is not None or not one.links else False


# --- streams


def _mapping(part: Gathered) -> Answer:
    to = stands(read(part.node, "DestinationConfig", "OnFailure", "Destination"))
    limits = {"MaximumRetryAttempts": _MOST_TRIES, "MaximumRecordAgeInSeconds": _A_DAY - 1}
    bounds = [_bounded(read(part.node, name), most) for name, most in limits.items()]
    return said(all_of((to, one_of(bounds))), part.resource.place, "it is unknown how often it retries")


def _bounded(node: Node | None, most: int) -> bool | None:
    """Whether an amount is a bound: without one, and with -1, a mapping tries until the record expires."""
    if node is None or getattr(node, "value", None) in {-1, "-1"}:
        return False
    stated = number(node)
    return None if stated is None else stated <= most
