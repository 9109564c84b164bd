"""Who hears of it: whether what is sent to a topic reaches somebody, and whether an alarm goes off in time.

A topic of the same file tells somebody where it has a subscriber, lets the service publish that sends to it, and is not
encrypted with AWS's own key, which lets no service in (docs.aws.amazon.com/sns: "sns-key-management"; Budgets need a
statement of their own, docs.aws.amazon.com/cost-management: "budgets-sns-policy").  Who listens to a topic of another
file is not told there.
"""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.evidence.analyses.properties import all_of, each, flag, number, one_of, read, stands, worded
from threatmodel.evidence.policies.grants import allowing, statements
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown

TOPICS = ("AWS::SNS::Topic", "aws_sns_topic")
_SUBSCRIPTIONS = ("AWS::SNS::Subscription", "aws_sns_topic_subscription")
_POLICIES = ("AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy", "aws_sns_topic_policy")
_WORKING = ("AWS::Lambda::Function", "AWS::Serverless::Function", "aws_lambda_function", "AWS::Events::ApiDestination")
"""Types of targets that do something with what they get."""
_SILENT = ("AWS::Logs::LogGroup", "aws_cloudwatch_log_group")
"""Types of targets that nobody hears of by themselves."""
_BY_ITSELF = frozenset(("cloudwatch.amazonaws.com",))
"""Services that a topic without a policy lets publish for its own account."""

WITHIN = 3_600
"""Seconds within which an alarm that has to warn goes off."""


def reaches(node: Node, service: str, stack: Stack) -> bool | None:
    """Whether what a service sends to a target of this file gets to somebody; None where that stands elsewhere."""
    topic = stack.target(node)
    if isinstance(node, Unknown) or topic is None:
        return None
    if topic.opaque is not None or topic.doubt is not None:
        return None
    if topic.type not in TOPICS:
        return True if topic.type in _WORKING else False if topic.type in _SILENT else None
    return all_of((heard(topic, stack), _lets_in(topic, service, stack), _readable(topic)))


def heard(topic: Resource, stack: Stack) -> bool | None:
    """Whether somebody of this file listens to a topic; None where nobody does, since others may, of another file."""
    return any(_hears(one, stack) for one in _listeners(topic, stack)) or None


def _listeners(topic: Resource, stack: Stack) -> Iterator[Node]:
    """The subscriptions to a topic that are surely there, and take all that is sent."""
    yield from each(read(topic.properties, "Subscription"))
    for one in stack.of_type(*_SUBSCRIPTIONS):
        if stack.target(read(one.properties, "TopicArn")) is topic and one.doubt is None:
            yield one.properties


_OUTWARDS = frozenset(("email", "email-json", "sms", "http", "https", "application"))
_MAPPINGS = ("AWS::Lambda::EventSourceMapping", "aws_lambda_event_source_mapping")


def _hears(subscription: Node, stack: Stack) -> bool:
    """Whether a subscriber does something with what it gets: one outside of AWS, or a function, of this file too."""
    endpoint = read(subscription, "Endpoint")
    if read(subscription, "FilterPolicy") is not None or not stands(endpoint):
        return False
    protocol = worded(read(subscription, "Protocol"))
    target = stack.target(endpoint)
    if protocol == "sqs" and target is not None:
        return any(stack.target(read(one.properties, "EventSourceArn")) is target for one in stack.of_type(*_MAPPINGS))
    return protocol in _OUTWARDS or (protocol == "lambda" and target is not None and target.type in _WORKING)


def _lets_in(topic: Resource, service: str, stack: Stack) -> bool | None:
    """Whether a topic's policies let a service publish: yes, or it is not told here."""
    documents = [read(topic.properties, "policy")] if topic.type.startswith("aws_") else []
    for one in stack.of_type(*_POLICIES):
        about = [stack.target(each_one) for each_one in each(read(one.properties, "Topics|TopicArn|arn"))]
        if topic in [target for target in about if target is not None] and one.doubt is None:
            documents.append(read(one.properties, "PolicyDocument|policy"))
        elif None in about or not about or one.doubt is not None:
            return None
    found = [grant for document in documents if document is not None for grant in statements(document)]
    if not found:
        return service in _BY_ITSELF or None
    if any(grant.effect == "Deny" and grant.covers("sns:publish") is not False for grant in found):
        return None
    allowed = (
        any(one.kind == "Service" and one.pattern.text == service for one in grant.principals)
        and bool(grant.covers("sns:publish"))
        for grant in allowing(found)
        if grant.open is None
    )
    return any(allowed) or None


def _readable(topic: Resource) -> bool | None:
    """Whether services can encrypt what they send to a topic."""
    key = read(topic.properties, "KmsMasterKeyId")
    if key is None:
        return True
    return False if (worded(key) or "").endswith("alias/aws/sns") else None


# --- alarms


def tells(alarm: Node, stack: Stack) -> bool | None:
    """Whether an alarm that goes off reaches somebody."""
    on = flag(read(alarm, "ActionsEnabled"), left_out=True)
    actions = each(read(alarm, "AlarmActions"))
    return all_of((on, one_of([reaches(one, "cloudwatch.amazonaws.com", stack) for one in actions])))


_LONG = 10**9


def goes_off(alarm: Node, seconds: int, most: int) -> bool | None:
    """Whether an alarm goes off within so many seconds of more than so many; None where another way may do as well."""
    comparison = worded(read(alarm, "ComparisonOperator"))
    upwards = comparison in {"GreaterThanThreshold", "GreaterThanOrEqualToThreshold"}
    queries = each(read(alarm, "Metrics|metric_query"))
    found = [
        read(alarm, "Period"),
        *(read(one, "MetricStat", "Period") or read(one, "metric", "period") for one in queries),
    ]
    period = max((number(one) or _LONG for one in found if one is not None), default=None)
    times = number(read(alarm, "EvaluationPeriods"))
    threshold = number(read(alarm, "Threshold"))
    if comparison is not None and not upwards and not comparison.startswith("GreaterThan"):
        return None if comparison.endswith("AnomalyDetectionThreshold") else False
    soon = None if period is None or times is None else period * times <= seconds or None
    few = None if threshold is None else threshold <= most or None
    return all_of((upwards or None, soon, few, _counts(read(alarm, "Unit"))))


def _counts(unit: Node | None) -> bool | None:
    """Whether an alarm looks at what is counted: it takes the data of its unit alone."""
    return True if unit is None or worded(unit) == "Count" else None
