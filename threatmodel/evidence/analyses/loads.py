"""What warns of cost and load in an account: budgets, cost anomalies, alarms on what runs at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from threatmodel.evidence.analyses.alerting import WITHIN, goes_off, notifies, reaches
from threatmodel.evidence.analyses.event_patterns import asks_only
from threatmodel.evidence.analyses.properties import (
    document,
    each,
    read,
    stands,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import (
    Answer,
    Gathered,
    Outcome,
    all_of,
    covered,
    doubted,
    named,
    one_of,
    open_at,
    said,
    unknown,
)
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown, get, links

# --- costs

_SERVICES = ("AWS Lambda", "Amazon API Gateway")


_Cover = tuple[str, Answer]
"""What is covered, and whether it is."""


@analysis("budget", "anomaly-monitor", "anomaly-subscription")
def budget_covers_functions(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Return whether budgets or cost anomalies with a subscriber cover both services."""
    covers = [cover for part in named(parts, "budget") for cover in _budget(part, stack)]
    covers += [cover for part in named(parts, "anomaly-subscription") for cover in _anomalies(part, parts, stack)]
    return covered(covers, _SERVICES, "the alerts cover the cost of only one of Lambda and API Gateway")


def _budget(part: Gathered, stack: Stack) -> Iterator[_Cover]:
    budget = read(part.node, "Budget") or part.node
    hidden = part.hidden or part.resource.doubt
    notes = each(read(part.node, "NotificationsWithSubscribers"))
    kind = read(budget, "BudgetType")
    if worded(kind) not in {"COST", None} or not notes:
        return
    heard = [_has_subscriber(one, stack, part.resource) for one in notes]
    stated = one_of(heard)
    hides = hidden or next((one for one in (kind, budget, *notes) if isinstance(one, Unknown)), None)
    filters = read(budget, "CostFilters")
    expression = read(budget, "FilterExpression")
    for service in _SERVICES:
        value = None if isinstance(filters, Unknown) or expression is not None else _in_filters(filters, service)
        value = False if stated is False and hides is None else value
        value = all_of((value, stated, _timely(budget, notes, heard))) if value else value
        why = (hides or open_at(filters or expression or budget)).why
        why = why if hides or stated else "it is unknown whether the alert has a recipient"
        yield service, doubted(said(value, part.resource.place, why), hides)


_MOST_PERCENT = 100
_MOST_COST = 10_000
"""A budget tells by its limit at the latest; one of more a day or month (in its currency) is none for such a system."""


def _timely(budget: Node, notes: Sequence[Node], heard: Sequence[bool | None]) -> bool | None:
    """Return whether a budget notifies in time: above its limit, and for as long as it exists."""
    telling = one_of([
        all_of((_tells(read(one, "Notification") or one), to)) for one, to in zip(notes, heard, strict=True)
    ])  # fmt: skip
    endless = read(budget, "TimePeriod", "End") is None
    begun = _begun(read(budget, "TimePeriod", "Start"))
    lasting = begun if endless else None
    often = True if worded(read(budget, "TimeUnit")) in {"DAILY", "MONTHLY"} else None
    amount = _amount(read(budget, "BudgetLimit", "Amount"))
    small = None if amount is None else amount <= _MOST_COST or None
    fixed = True if read(budget, "AutoAdjustData") is None else None
    return all_of((telling, lasting, often, small, fixed))


_PAST = "2026"
"""A year that has begun whenever this is read."""


def _begun(start: Node | None) -> bool | None:
    """Whether a budget counts already: from a day before this was written, or from where AWS begins by itself."""
    stated = worded(start)
    if start is None:
        return True
    return True if stated is not None and re.match(r"20\d\d-", stated) and stated < _PAST else None


def _tells(notification: Node) -> bool | None:
    threshold = _amount(read(notification, "Threshold"))
    percent = worded(read(notification, "ThresholdType")) in {"PERCENTAGE", None}
    upwards = worded(read(notification, "ComparisonOperator"))
    soon = None if threshold is None or not percent else threshold <= _MOST_PERCENT
    # a forecast needs weeks of usage first (docs.aws.amazon.com/cost-management: "budgets-create")
    actual = worded(read(notification, "NotificationType")) == "ACTUAL" or None
    return all_of((None if upwards is None else upwards == "GREATER_THAN", soon, actual))


def _amount(node: Node | None) -> float | None:
    stated = worded(node)
    return float(stated) if stated is not None and re.fullmatch(r"\d{1,12}(?:\.\d{1,4})?", stated) else None


def _has_subscriber(
    notification: Node, stack: Stack, sender: Resource, service: str = "budgets.amazonaws.com"
) -> bool | None:
    """Return whether a notification reaches a subscriber: by email, or by a topic that has one."""
    mailed: list[bool | None] = []
    topics: list[Node] = []
    for one in each(read(notification, "Subscribers")):
        address = read(one, "Address")
        if worded(read(one, "SubscriptionType|Type")) == "EMAIL":
            mailed.append(stands(address))
        elif address is not None:
            topics.append(address)
    return one_of([*mailed, *(reaches(one, service, stack, sender) for one in topics)])


def _in_filters(filters: Node | None, service: str) -> bool | None:
    """Whether a budget's filters take in a service."""
    if not isinstance(filters, Table):
        return True if filters is None else None
    if filters.entries.keys() - {"Service"}:
        return False
    words = [worded(one) for node in filters.entries.values() for one in each(node)]
    return True if service in words else None if None in words else not words


_MOST_IMPACT = 1_000
"""An anomaly counts from so much on (in dollars, or of what was expected in percent) at the latest."""


def _anomalies(part: Gathered, parts: Sequence[Gathered], stack: Stack) -> Iterator[_Cover]:
    stated = _has_subscriber(part.node, stack, part.resource, "costalerts.amazonaws.com")
    followed = {link.resource for link in links(read(part.node, "MonitorArnList"))}
    threshold = _amount(read(part.node, "Threshold"))
    small = threshold <= _MOST_IMPACT if threshold is not None else None
    for monitor in named(parts, "anomaly-monitor"):
        if monitor.resource.name not in followed or stated is False:
            continue
        doubt = part.hidden or part.resource.doubt or monitor.hidden or monitor.resource.doubt
        for service in _SERVICES:
            value = all_of((_monitors(monitor.node, service), stated, small or _small_impact(part.node) or None))
            why = "it is unknown what it monitors, from which cost, and who receives it"
            why = doubt.why if doubt is not None else why
            yield service, doubted(said(value, monitor.resource.place, why), doubt)


def _small_impact(subscription: Node) -> bool:
    """Whether an expression asks for one impact at least, and no great one."""
    stated = document(read(subscription, "ThresholdExpression"))
    asked = read(stated, "Dimensions")
    values = [_amount(one) for one in each(read(asked, "Values"))]
    key = (worded(read(asked, "Key")) or "").startswith("ANOMALY_TOTAL_IMPACT_")
    least = [worded(one) for one in each(read(asked, "MatchOptions"))] == ["GREATER_THAN_OR_EQUAL"]
    return key and least and len(values) == 1 and values[0] is not None and values[0] <= _MOST_IMPACT


def _monitors(monitor: Node, service: str) -> bool | None:
    if worded(read(monitor, "MonitorType")) == "DIMENSIONAL":
        dimension = read(monitor, "MonitorDimension")
        return None if isinstance(dimension, Unknown) else worded(dimension) == "SERVICE"
    wanted = document(read(monitor, "MonitorSpecification"))
    dimensions = get(wanted, "Dimensions")
    if (
        not isinstance(wanted, Table)
        or not asks_only(wanted, ("Dimensions",))
        or worded(get(dimensions, "Key")) != "SERVICE"
    ):
        return None
    return service in [worded(one) for one in each(get(dimensions, "Values"))]


# --- concurrency

_WATCHED: Mapping[str, tuple[str, ...]] = {
    "executions": ("ConcurrentExecutions", "ClaimedAccountConcurrency", "UnreservedConcurrentExecutions"),
    "throttles": ("Throttles",),
}


_MOST_AT_ONCE = 1_000
"""Executions at once that a new account may have (docs.aws.amazon.com/lambda: "gettingstarted-limits"); an alarm above
that comes after what it warns of.
"""


@analysis("alarm")
def concurrency_alarm(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Whether alarms that act watch the account's concurrency and its throttled invocations."""
    covers: list[_Cover] = [("", unknown(one.hidden)) for one in named(parts, "alarm") if one.hidden is not None]
    for part in named(parts, "alarm"):
        metrics = set(_account_metrics(part.node))
        doubt = part.resource.doubt
        stated = notifies(part.resource, stack)
        for what, names in _WATCHED.items():
            if metrics & set(names) and stated is not False:
                value = all_of((doubt is None or None, stated, goes_off(part.node, WITHIN, _MOST_AT_ONCE)))
                why = doubt.why if doubt else "it is unknown whether it fires in time and has a recipient"
                covers.append((what, said(value, part.resource.place, why)))
    return covered(covers, tuple(_WATCHED), "the alarms monitor only one of concurrent executions and throttles")


def _account_metrics(alarm: Node) -> Iterator[str]:
    """Lambda's metrics that an alarm looks at without asking for one function, by name."""
    queries = [read(one, "MetricStat", "Metric") for one in each(read(alarm, "Metrics"))]
    for metric in (alarm, *queries):
        name = worded(read(metric, "MetricName"))
        narrow = read(metric, "Dimensions")
        all_of_it = narrow is None or (isinstance(narrow, Table) and not narrow.entries)
        if name and worded(read(metric, "Namespace")) == "AWS/Lambda" and all_of_it:
            yield name
