"""Whether what is lost can be had again: copies of a store that are kept long enough, failures that end somewhere.

A copy counts from seven days on, the least that AWS Security Hub asks of backups of databases (DocumentDB.2,
Neptune.5); a table's log of changes keeps 35 days where nothing else is said.  A message is tried at most a hundred
times: SQS takes a maxReceiveCount of 1,000, with which nothing ever ends in the queue for dead letters.  A stream's
mapping tries without end where neither attempts nor age are bounded, so that nothing reaches its destination for
failures before it expires.
"""

from __future__ import annotations

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
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answered, Gathered, Outcome
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown

_FEWEST_DAYS = 7
_MOST_TRIES = 100


@analysis("log", "selection")
def recoverable(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a table's log of changes, or a backup plan with a rule for the store, keeps a copy long enough.

    Nothing is said where only plans are there, and none is enough: the store's own settings may be.
    """
    says = [_log(part.node) for part in named(parts, "log")]
    says += [
        _selection(part, stack)._replace(doubt=doubt_of(part.resource, resource)) for part in named(parts, "selection")
    ]
    outcome = some(says, "", "no copy of it is kept for a week")
    if isinstance(outcome, Answered) and not outcome.value and not named(parts, "log"):
        return None
    return outcome


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
    return all_of((stands(read(rule, "ScheduleExpression|schedule")), True if days is None else _at_least(days)))


@analysis("redrive", "mapping")
def failures_end(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether what fails goes to a queue for dead letters after a bounded number of tries, or age."""
    says = [_redrive(part.node) for part in named(parts, "redrive")]
    says += [_mapping(part)._replace(doubt=doubt_of(part.resource, resource)) for part in named(parts, "mapping")]
    outcome = every(says, "", "what fails is tried without a bound that it would meet")
    return unless_unread(outcome, stack, [True]) if named(parts, "mapping") else outcome


def _redrive(node: Node) -> Say:
    policy = document(node)
    if policy is None or isinstance(policy, Unknown):
        return open_at(policy or node)
    tries = read(policy, "maxReceiveCount")
    told = number(tries)
    few = None if told is None else told <= _MOST_TRIES
    return Say(all_of((stands(read(policy, "deadLetterTargetArn")), few)), node.place, open_at(tries or node).why)


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
