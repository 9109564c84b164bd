"""What only code can answer about an account: what raises alerts, and whom they reach.

What a file lacks may stand in another, so here nothing is ever answered with no: only what is there counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from threatmodel.evidence.analyses.alerting import goes_off, reaches, tells
from threatmodel.evidence.analyses.event_patterns import (
    admits,
    admits_none,
    alternatives,
    asks_only,
    filter_admits,
    leaves_out,
)
from threatmodel.evidence.analyses.properties import (
    all_of,
    document,
    each,
    flag,
    named,
    one_of,
    opaque_of,
    open_at,
    read,
    stands,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown, get, links

_Cover = tuple[str, bool | None, Place, str]
"""What is covered, whether it is (None: not known), by what, and why it is not known."""


def _together(covers: Sequence[_Cover], wanted: Sequence[str], missing: str) -> Outcome:
    """Yes where everything wanted is covered; unknown where some is, or may be; else nothing is said."""
    found = {what: place for what, value, place, _ in covers if value}
    if all(what in found for what in wanted):
        return Answered(value=True, places=tuple(dict.fromkeys(found[what] for what in wanted)))
    for _, value, place, why in covers:
        if value is None:
            return Unanswered(why, place)
    return Unanswered(missing, next(iter(found.values()))) if found else None


# --- rules and their targets

_BUS = frozenset(("default", ""))


def _active_rules(parts: Sequence[Gathered], stack: Stack) -> Iterator[tuple[Gathered, Unknown | None]]:
    """The rules on the default bus that are on and have a target, each with what that hangs on."""
    for part in named(parts, "rule"):
        hidden = opaque_of(part) or part.resource.doubt
        if isinstance(part.node, Unknown):
            yield part, part.node
            continue
        bus = read(part.node, "EventBusName")
        if bus is not None and worded(bus) is not None and (worded(bus) or "").rsplit("/", 1)[-1] not in _BUS:
            continue
        state = worded(read(part.node, "State")) or ""
        if state.startswith("DISABLED") or flag(read(part.node, "is_enabled"), left_out=True) is False:
            continue
        unknown = [one for one in (bus, read(part.node, "State")) if isinstance(one, Unknown)]
        target = _target(part, parts, stack)
        if target is not None:
            yield part, hidden or next(iter(unknown), None) or (target if isinstance(target, Unknown) else None)


def _target(rule: Gathered, parts: Sequence[Gathered], stack: Stack) -> Node | None:
    """A target of a rule, Unknown where it is not certain that there is one."""
    own = each(read(rule.node, "Targets"))
    known: list[Node] = [one for one in own if not isinstance(one, Unknown)]
    names = {rule.resource.name, worded(read(rule.node, "Name")) or rule.resource.name}
    for part in named(parts, "target"):
        reference = read(part.node, "rule")
        if stack.target(reference) is rule.resource or (worded(reference) or "") in names:
            doubt = opaque_of(part) or part.resource.doubt
            known += [] if doubt is not None else [part.node]
            own = (*own, part.node if doubt is None else doubt)
    told = [(node, reaches(read(node, "Arn") or node, "events.amazonaws.com", stack)) for node in known]
    first = next((node for node, reached in told if reached), None)
    if first is None and any(reached is None for _, reached in told):
        return Unknown("whether anybody hears of what its target gets is not told here", rule.resource.place)
    return first or next((one for one in own if isinstance(one, Unknown)), None)


_BY_CALL = "AWS API Call via CloudTrail"
_WRITES: Mapping[str, tuple[str, ...]] = {
    "lambda": ("UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration20150331v2", "AddPermission20150331v2"),
    "iam": ("AttachRolePolicy", "PutRolePolicy", "UpdateAssumeRolePolicy"),
}
"""The calls that have to raise an alert, as CloudTrail writes their names: with the API's date where it has one."""
_ASKED = ("eventSource", "eventName", "userIdentity", "errorCode", "errorMessage", "readOnly", "managementEvent")


@analysis("rule", "target", "filter", "alarm")
def alerts_on_changes(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Whether rules and filters that reach somebody cover the writes by which a function or role is changed."""
    covers: list[_Cover] = []
    for part, doubt in _active_rules(parts, stack):
        for service, calls in _WRITES.items():
            value, why, place = _rule_covers(part, service, calls)
            covers.append((service, None if value and doubt else value, place, doubt.why if value and doubt else why))
    for part in named(parts, "filter"):
        covers += _filter_covers(part, parts, stack)
    missing = "what is here raises an alert for writes to one of Lambda and IAM only"
    return _together(covers, tuple(_WRITES), missing)


def _rule_covers(part: Gathered, service: str, calls: Sequence[str]) -> tuple[bool | None, str, Place]:
    pattern = document(read(part.node, "EventPattern"))
    place = part.resource.place
    if pattern is None:
        return False, "", place
    if not isinstance(pattern, Table):
        return None, open_at(pattern).why, pattern.place
    outer = all_of((admits(get(pattern, "source"), f"aws.{service}"), admits(get(pattern, "detail-type"), _BY_CALL)))
    if outer is False:
        return False, "", place
    details = list(alternatives(get(pattern, "detail")))
    covered = [one_of([_admits_call(one, service, call) for one in details]) for call in calls]
    return all_of((outer, *covered)), "which calls it lets through is not told", place


def _admits_call(detail: Node | None, service: str, call: str) -> bool | None:
    if not isinstance(detail, Table):
        return True if detail is None else None
    if not asks_only(detail, _ASKED) or not leaves_out(get(detail, "userIdentity")):
        return False if admits(get(detail, "eventName"), call) is False else None
    return all_of((
        admits(get(detail, "eventSource"), f"{service}.amazonaws.com"),
        admits(get(detail, "eventName"), call),
        admits(get(detail, "readOnly"), value=False),
        admits(get(detail, "managementEvent"), value=True),
        *(admits_none(get(detail, name)) for name in ("errorCode", "errorMessage")),
    ))  # fmt: skip


def _filter_covers(part: Gathered, parts: Sequence[Gathered], stack: Stack) -> Iterator[_Cover]:
    pattern = read(part.node, "FilterPattern|pattern")
    told = worded(pattern)
    counted = [(worded(read(one, "MetricName|name")), worded(read(one, "MetricNamespace|namespace")))
               for one in each(read(part.node, "MetricTransformations|metric_transformation"))]  # fmt: skip
    counting = (one for one in named(parts, "alarm") if _metric(one.node) in counted)
    acting = [one for one in counting if tells(one.node, stack) is not False]
    if not acting:
        return
    for service, calls in _WRITES.items():
        if told is None:
            yield service, None, part.resource.place, open_at(pattern or part.node).why
            continue
        value = all_of([filter_admits(told, f"{service}.amazonaws.com", call) for call in calls])
        sure = [one.node for one in acting if one.resource.doubt is None and tells(one.node, stack)]
        certain = part.resource.doubt is None and any(goes_off(one, _WITHIN, _FEW) for one in sure)
        doubt = part.resource.doubt or acting[0].resource.doubt
        why = "which calls it counts is not told" if certain or doubt is None else doubt.why
        yield service, value if certain or value is False else None, part.resource.place, why


_FEW = 1
"""Changes that an alarm on them may let pass."""


def _metric(alarm: Node) -> tuple[str | None, str | None]:
    return worded(read(alarm, "MetricName")), worded(read(alarm, "Namespace"))


# --- findings

_FINDINGS: Mapping[str, str] = {
    "aws.guardduty": "GuardDuty Finding",
    "aws.securityhub": "Security Hub Findings - Imported",
}
_SERIOUS = 8
_HUB_ASKED = ("Severity", "Workflow", "WorkflowState", "RecordState")


@analysis("rule", "target")
def alerts_on_findings(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Whether a rule that reaches somebody lets serious findings through."""
    covers: list[_Cover] = []
    for part, doubt in _active_rules(parts, stack):
        value, why, place = _finds(part)
        covers.append(("findings", None if value and doubt else value, place, doubt.why if value and doubt else why))
    return _together(covers, ("findings",), "")


def _finds(part: Gathered) -> tuple[bool | None, str, Place]:
    pattern = document(read(part.node, "EventPattern"))
    place = part.resource.place
    if pattern is None:
        return False, "", place
    if not isinstance(pattern, Table):
        return None, open_at(pattern).why, pattern.place
    values = []
    for source, kind in _FINDINGS.items():
        named_it = get(pattern, "source") is not None or get(pattern, "detail-type") is not None
        outer = all_of((admits(get(pattern, "source"), source), admits(get(pattern, "detail-type"), kind), named_it))
        inner = one_of([_admits_finding(one, source) for one in alternatives(get(pattern, "detail"))])
        values.append(all_of((outer, inner)))
    return one_of(values), "which findings it lets through is not told", place


def _admits_finding(detail: Node | None, source: str) -> bool | None:
    """Whether a serious finding of any type gets through."""
    if not isinstance(detail, Table):
        return True if detail is None else None
    if source == "aws.guardduty":
        return admits(get(detail, "severity"), _SERIOUS) if asks_only(detail, ("severity",)) else None
    found = get(detail, "findings")
    if not asks_only(detail, ("findings",)) or not isinstance(found, Table) or not asks_only(found, _HUB_ASKED):
        return None
    severity = get(found, "Severity")
    if isinstance(severity, Table) and not asks_only(severity, ("Label",)):
        return None
    return all_of((admits(get(severity, "Label"), "CRITICAL"), admits(get(found, "RecordState"), "ACTIVE")))


# --- costs

_SERVICES = ("AWS Lambda", "Amazon API Gateway")


@analysis("budget", "notification", "anomaly-monitor", "anomaly-subscription")
def budget_covers_functions(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Whether budgets or cost anomalies that are sent to somebody cover both services."""
    covers: list[_Cover] = []
    for part in named(parts, "budget"):
        covers += _budget(part, stack)
    for part in named(parts, "anomaly-subscription"):
        covers += _anomalies(part, parts, stack)
    return _together(covers, _SERVICES, "what is here covers the cost of one of Lambda and API Gateway only")


def _budget(part: Gathered, stack: Stack) -> Iterator[_Cover]:
    budget = read(part.node, "Budget") or part.node
    hidden = opaque_of(part) or part.resource.doubt
    notes = each(read(part.node, "NotificationsWithSubscribers|notification"))
    kind = read(budget, "BudgetType")
    if worded(kind) not in {"COST", None} or not notes:
        return
    told = one_of([_has_subscriber(one, stack) for one in notes])
    unknown = hidden or next((one for one in (kind, budget, *notes) if isinstance(one, Unknown)), None)
    filters = read(budget, "CostFilters|cost_filter|cost_filters")
    expression = read(budget, "FilterExpression")
    for service in _SERVICES:
        value = None if isinstance(filters, Unknown) or expression is not None else _in_filters(filters, service)
        value = False if told is False and unknown is None else value
        value = all_of((value, told, _timely(budget, notes, stack))) if value else value
        why = (unknown or open_at(filters or expression or budget)).why
        why = why if unknown or told else "whether anybody is told is not told here"
        yield service, None if value and unknown is not None else value, part.resource.place, why


_MOST_PERCENT = 100
_MOST_COST = 10_000
"""A budget tells by its limit at the latest; one of more a day or month (in its currency) is none for such a system."""


def _timely(budget: Node, notes: Sequence[Node], stack: Stack) -> bool | None:
    """Whether a budget tells somebody in time: upwards, by its limit, and for as long as it is there."""
    telling = one_of([all_of((_tells(read(one, "Notification") or one), _has_subscriber(one, stack))) for one in notes])
    endless = read(budget, "TimePeriod", "End") is None and read(budget, "time_period_end") is None
    begun = _begun(read(budget, "TimePeriod", "Start") or read(budget, "time_period_start"))
    lasting = begun if endless else None
    often = True if worded(read(budget, "TimeUnit")) in {"DAILY", "MONTHLY"} else None
    amount = _amount(read(budget, "BudgetLimit", "Amount") or read(budget, "limit_amount"))
    small = None if amount is None else amount <= _MOST_COST or None
    fixed = True if read(budget, "AutoAdjustData|auto_adjust_data") is None else None
    return all_of((telling, lasting, often, small, fixed))


_PAST = "2026"
"""A year that has begun whenever this is read."""


def _begun(start: Node | None) -> bool | None:
    """Whether a budget counts already: from a day before this was written, or from where AWS begins by itself."""
    told = worded(start)
    if start is None:
        return True
    return True if told is not None and re.match(r"20\d\d-", told) and told < _PAST else None


def _tells(notification: Node) -> bool | None:
    threshold = _amount(read(notification, "Threshold"))
    percent = worded(read(notification, "ThresholdType")) in {"PERCENTAGE", None}
    upwards = worded(read(notification, "ComparisonOperator"))
    soon = None if threshold is None or not percent else threshold <= _MOST_PERCENT
    # a forecast needs weeks of usage first (docs.aws.amazon.com/cost-management: "budgets-create")
    actual = worded(read(notification, "NotificationType")) == "ACTUAL" or None
    return all_of((None if upwards is None else upwards == "GREATER_THAN", soon, actual))


def _amount(node: Node | None) -> float | None:
    told = worded(node)
    return float(told) if told is not None and re.fullmatch(r"\d{1,12}(?:\.\d{1,4})?", told) else None


_MAIL = ("EMAIL",)


def _has_subscriber(notification: Node, stack: Stack, service: str = "budgets.amazonaws.com") -> bool | None:
    """Whether a notification reaches somebody: by mail, or by a topic that has a subscriber."""
    mailed = [stands(one) for one in each(read(notification, "subscriber_email_addresses"))]
    topics = each(read(notification, "subscriber_sns_topic_arns"))
    for one in each(read(notification, "Subscribers|subscriber")):
        address = read(one, "Address")
        if worded(read(one, "SubscriptionType|Type")) in _MAIL:
            mailed.append(stands(address))
        elif address is not None:
            topics = (*topics, address)
    return one_of([*mailed, *(reaches(one, service, stack) for one in topics)])


def _in_filters(filters: Node | None, service: str) -> bool | None:
    """Whether a budget's filters take in a service: a mapping of lists, or Terraform's blocks of name and values."""
    if filters is None:
        return True
    if isinstance(filters, Table) and "name" not in filters.entries:
        asked = list(filters.entries.items())
    else:
        asked = [(worded(read(one, "name")) or "", read(one, "values") or one) for one in each(filters)]
    if any(name != "Service" for name, _ in asked):
        return False
    words = [worded(one) for _, node in asked for one in each(node)]
    return True if service in words else None if None in words else not words


_MOST_IMPACT = 1_000
"""An anomaly counts from so much on (in dollars, or of what was expected in percent) at the latest."""


def _anomalies(part: Gathered, parts: Sequence[Gathered], stack: Stack) -> Iterator[_Cover]:
    told = _has_subscriber(part.node, stack, "costalerts.amazonaws.com")
    followed = {link.resource for link in links(read(part.node, "MonitorArnList"))}
    threshold = _amount(read(part.node, "Threshold"))
    small = threshold <= _MOST_IMPACT if threshold is not None else None
    for monitor in named(parts, "anomaly-monitor"):
        if monitor.resource.name not in followed or told is False:
            continue
        doubt = opaque_of(part) or part.resource.doubt or opaque_of(monitor) or monitor.resource.doubt
        for service in _SERVICES:
            value = all_of((_monitors(monitor.node, service), told, small or _small_impact(part.node) or None))
            why = "what it monitors, from which cost on, and whom it tells is not told"
            why = doubt.why if doubt is not None else why
            yield service, None if value and doubt is not None else value, monitor.resource.place, why


def _small_impact(subscription: Node) -> bool:
    """Whether an expression asks for one impact at least, and no great one."""
    told = document(read(subscription, "ThresholdExpression"))
    asked = read(told, "Dimensions|dimension")
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


_WITHIN = 3_600
_MOST_AT_ONCE = 1_000
"""Executions at once that a new account may have (docs.aws.amazon.com/lambda: "gettingstarted-limits"); an alarm above
that comes after what it warns of.
"""


@analysis("alarm")
def concurrency_alarm(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Whether alarms that act watch the account's concurrency and its throttled invocations."""
    covers: list[_Cover] = []
    for part in named(parts, "alarm"):
        hidden = opaque_of(part)
        if hidden is not None:
            covers.append(("", None, hidden.place, hidden.why))
    for part in named(parts, "alarm"):
        metrics = set(_account_metrics(part.node))
        doubt = part.resource.doubt
        told = tells(part.node, stack)
        for what, names in _WATCHED.items():
            if metrics & set(names) and told is not False:
                value = all_of((doubt is None or None, told, goes_off(part.node, _WITHIN, _MOST_AT_ONCE)))
                why = doubt.why if doubt else "whether it goes off in time, and tells somebody, is not told"
                covers.append((what, value, part.resource.place, why))
    return _together(covers, tuple(_WATCHED), "what is here watches one of concurrent executions and throttles only")


def _account_metrics(alarm: Node) -> Iterator[str]:
    """Lambda's metrics that an alarm looks at without asking for one function, by name."""
    queries = [
        read(one, "MetricStat", "Metric") or read(one, "metric") for one in each(read(alarm, "Metrics|metric_query"))
    ]
    for metric in (alarm, *queries):
        name = worded(read(metric, "MetricName"))
        narrow = read(metric, "Dimensions")
        all_of_it = narrow is None or (isinstance(narrow, Table) and not narrow.entries)
        if name and worded(read(metric, "Namespace")) == "AWS/Lambda" and all_of_it:
            yield name
