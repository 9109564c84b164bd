"""Alerts: whether a message to a topic reaches a subscriber, and whether an alarm goes off in time.

A topic of the same file notifies if it has a subscriber, lets the sending service publish, and is not encrypted with
AWS's own key, which no service may use (docs.aws.amazon.com/sns: "sns-key-management"; Budgets need a
statement for it, docs.aws.amazon.com/cost-management: "budgets-sns-policy").  The subscribers of a topic of another
file are unknown.

An alarm takes a new version back where it watches Lambda's ``Errors`` of the function (docs.aws.amazon.com/lambda:
"monitoring-metrics-types") and goes off while a canary still runs, whatever its actions are: the shortest of
CodeDeploy's is five minutes (docs.aws.amazon.com/codedeploy: "deployment-configurations").
The number of errors in that time is unknown beforehand: more than ten before anything happens is no watch over a tenth
of the traffic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.properties import each, flag, number, read, stands, worded
from threatmodel.evidence.answers import all_of, one_of
from threatmodel.evidence.policies.arns import arn_parts
from threatmodel.evidence.policies.conditions import limits
from threatmodel.evidence.policies.grants import ConditionKey, Grant, Pattern, allowing, statements
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import List, Node, Table, Unknown, items, links

TOPICS = ("AWS::SNS::Topic",)
_POLICIES = ("AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy")
_WORKING = ("AWS::Lambda::Function", "AWS::Serverless::Function", "AWS::Events::ApiDestination")
"""Types of targets that do something with what they get."""
_BY_ITSELF = "cloudwatch.amazonaws.com"
"""The service that a topic without a policy lets publish for its own account."""

WITHIN = 3_600
"""Seconds within which an alarm that has to warn goes off."""


def reaches(node: Node, service: str, stack: Stack, sender: Resource) -> bool | None:
    """Return whether what a service sends to a target reaches a subscriber; None if that is in another file."""
    topic = stack.target(node)
    if isinstance(node, Unknown) or topic is None:
        return None
    if topic.opaque is not None or topic.doubt is not None:
        return None
    if topic.type not in TOPICS:
        silent = topic.type == "AWS::Logs::LogGroup"  # it notifies no person by itself
        return True if topic.type in _WORKING else False if silent else None
    return all_of((heard(topic, stack), _lets_in(topic, service, stack, sender), _readable(topic)))


def heard(topic: Resource, stack: Stack) -> bool | None:
    """Return whether a topic has a subscriber in this file; None if not, because another file may have one."""
    return any(_hears(one, stack) for one in _listeners(topic, stack)) or None


def _listeners(topic: Resource, stack: Stack) -> Iterator[Node]:
    """The subscriptions to a topic that are surely there, and take all that is sent."""
    yield from each(read(topic.properties, "Subscription"))
    for one in stack.of_type("AWS::SNS::Subscription"):
        if stack.target(read(one.properties, "TopicArn")) is topic and one.doubt is None:
            yield one.properties


_OUTWARDS = frozenset(("email", "email-json", "sms", "http", "https", "application"))


def _hears(subscription: Node, stack: Stack) -> bool:
    """Whether a subscriber does something with what it gets: one outside of AWS, or a function, of this file too."""
    endpoint = read(subscription, "Endpoint")
    region = read(subscription, "Region")
    elsewhere = region is not None and worded(region) not in {"<Region>", "${AWS::Region}"}
    if elsewhere or read(subscription, "FilterPolicy") is not None or not stands(endpoint):
        return False
    protocol = worded(read(subscription, "Protocol"))
    target = stack.target(endpoint)
    if protocol == "sqs" and target is not None:
        mappings = stack.of_type("AWS::Lambda::EventSourceMapping")
        return any(stack.target(read(one.properties, "EventSourceArn")) is target for one in mappings)
    return protocol in _OUTWARDS or (protocol == "lambda" and target is not None and _works(target, stack))


def _works(target: Resource, stack: Stack) -> bool:
    """Whether a subscriber does something: a function that SNS may invoke, by a permission of this file."""
    aliased = target.type == "AWS::Lambda::Alias"
    function = stack.target(read(target.properties, "FunctionName")) if aliased else target
    if function is None or function.type not in _WORKING:
        return False
    return any(
        worded(read(one.properties, "Principal")) == "sns.amazonaws.com"
        and stack.target(read(one.properties, "FunctionName")) in (function, target)
        for one in stack.of_type("AWS::Lambda::Permission")
        if one.doubt is None
    )


def _lets_in(topic: Resource, service: str, stack: Stack, sender: Resource) -> bool | None:
    """Return whether a topic's policies let a service publish for a resource: yes, or unknown.

    A topic has one policy: where several are written to it, the last one counts, whichever that is.
    """
    documents = []
    for one in stack.of_type(*_POLICIES):
        about = [stack.target(each_one) for each_one in each(read(one.properties, "Topics|TopicArn"))]
        if topic in [target for target in about if target is not None] and one.doubt is None:
            documents.append(read(one.properties, "PolicyDocument"))
        elif None in about or not about or one.doubt is not None:
            return None
    written = [statements(document) for document in documents if document is not None]
    if not any(written):
        return service == _BY_ITSELF or None
    return all_of([_publishes(one, service, stack, sender) for one in written])


def _publishes(found: Sequence[Grant], service: str, stack: Stack, sender: Resource) -> bool | None:
    """Whether one policy lets a service publish for a resource."""
    if any(grant.effect == "Deny" and grant.covers("sns:publish") is not False for grant in found):
        return None
    allowed = (
        any(one.kind == "Service" and one.pattern.text == service for one in grant.principals)
        and bool(grant.covers("sns:publish"))
        and all(_holds(one, stack, sender) for one in grant.conditions)
        for grant in allowing(found)
        if grant.open is None
    )
    return any(allowed) or None


def _holds(condition: ConditionKey, stack: Stack, sender: Resource) -> bool:
    """Whether a condition surely holds for what a service does for a resource of this account."""
    if condition.open is not None or not limits(condition):
        return False
    match condition.key:
        case "aws:sourceaccount" | "aws:sourceowner":
            return any(own_account(one.text, stack) for one in condition.values)
        case "aws:sourcearn":
            return any(_means(one, stack, sender) for one in condition.values)
        case _:
            return False


_ACCOUNT = "${AWS::AccountId}"


def own_account(account: str, stack: Stack) -> bool:
    """Whether an account is the one to which the file is deployed, by the pseudo parameter or a plan's ARNs."""
    if account == _ACCOUNT:
        return True
    arns = (worded(read(one.properties, "arn")) for one in stack.resources.values())
    return bool(account) and any(account == arn_parts(one)[4] for one in arns if one and one.count(":") >= _ARN)


def _means(one: Pattern, stack: Stack, sender: Resource) -> bool:
    """Whether an ARN means a resource: by a link to it, or as one of all of its kind in the account."""
    if one.open is not None:
        return False
    if one.links:
        return any(link.resource == sender.name for link in one.links)
    parts = arn_parts(one.text)
    own = f":{_ACCOUNT}:" in one.text or (len(parts) > _ARN and own_account(parts[4], stack))
    return own and len(parts) > _ARN and parts[5].strip("*:/").lower() in _KINDS


_ARN = 5
_KINDS = frozenset(("", "rule", "alarm"))
"""What names all resources of a kind in an ARN, before the wildcard."""


def _readable(topic: Resource) -> bool | None:
    """Whether services can encrypt what they send to a topic."""
    key = read(topic.properties, "KmsMasterKeyId")
    if key is None:
        return True
    return False if (worded(key) or "").endswith("alias/aws/sns") else None


# --- alarms


def notifies(alarm: Resource, stack: Stack) -> bool | None:
    """Return whether an alarm that goes off reaches a subscriber."""
    on = flag(read(alarm.properties, "ActionsEnabled"), left_out=True)
    actions = each(read(alarm.properties, "AlarmActions"))
    heard_of = one_of([reaches(one, "cloudwatch.amazonaws.com", stack, alarm) for one in actions])
    return all_of((on, heard_of, _loud(alarm, stack)))


def _loud(alarm: Resource, stack: Stack) -> bool | None:
    """Whether no rule of this file mutes an alarm; None where one does at times."""
    own = {alarm.name, worded(read(alarm.properties, "AlarmName"))}
    for rule in stack.of_type("AWS::CloudWatch::AlarmMuteRule"):
        for one in each(read(rule.properties, "MuteTargets", "AlarmNames")):
            target = stack.target(one)
            if isinstance(one, Unknown) or target is alarm or (target is None and worded(one) in own):
                return None
    return True


_LONG = 10**9


def goes_off(alarm: Node, seconds: int, most: int) -> bool | None:
    """Whether an alarm goes off within so many seconds of more than so many; None where another way may do as well."""
    comparison = worded(read(alarm, "ComparisonOperator"))
    upwards = comparison in {"GreaterThanThreshold", "GreaterThanOrEqualToThreshold"}
    queries = each(read(alarm, "Metrics"))
    found = [
        read(alarm, "Period"),
        *(read(one, "MetricStat", "Period") for one in queries),
    ]
    period = max((number(one) or _LONG for one in found if one is not None), default=None)
    times = number(read(alarm, "EvaluationPeriods"))
    threshold = number(read(alarm, "Threshold"))
    if comparison is not None and not upwards and not comparison.startswith("GreaterThan"):
        return None if comparison.endswith("AnomalyDetectionThreshold") else False
    if any(read(one, "Expression") is not None for one in queries):
        return None  # what it makes of the numbers is not understood
    unit = read(alarm, "Unit")
    counts = unit is None or worded(unit) == "Count" or None  # an alarm takes the data of its unit alone
    soon = None if period is None or times is None else period * times <= seconds or None
    few = None if threshold is None else threshold <= most or None
    looks = [_looks(one) for one in queries or (alarm,)]
    return all_of((upwards or None, soon, few, counts, *looks))


_STATISTICS = frozenset(("Sum", "Maximum", "Average"))


def _looks(query: Node) -> bool | None:
    """Whether what is looked at grows with what happens: not the least of a minute, nor how often it was measured."""
    if read(query, "ExtendedStatistic") is not None:
        return None
    stated = read(query, "MetricStat", "Stat") or read(query, "Statistic")
    return stated is None or worded(stated) in _STATISTICS or None


# --- alarms that take a new version back
_ALARM = "AWS::CloudWatch::Alarm"
_SHORTEST_CANARY = 300
_MOST_ERRORS = 10
_COUNTED = frozenset(("Sum", "Average", "Maximum"))
_OLD = re.compile(r"(?:\A|:)[0-9]+\Z")
_OF_A_VERSION = frozenset(("FunctionName", "Resource", "ExecutedVersion"))


def takes_back(named: Sequence[Node], function: Resource | None, stack: Stack) -> bool | None:
    """Whether one of the alarms that are named watches a function's errors (None: any function of this file)."""
    return one_of([_watches(one, function, stack) for one in named])


def _watches(node: Node, function: Resource | None, stack: Stack) -> bool | None:
    alarm = _alarm(node, stack)
    if alarm is None or alarm.opaque is not None or alarm.doubt is not None:
        return None
    properties = alarm.properties
    metric, space = worded(read(properties, "MetricName")), worded(read(properties, "Namespace"))
    if metric is None or space is None:
        return None
    if (space, metric) != ("AWS/Lambda", "Errors"):
        return None  # it may watch what the function itself counts
    about = _about(read(properties, "Dimensions"), function, stack)
    counts = worded(read(properties, "Statistic")) in _COUNTED or None
    return all_of((about, counts, goes_off(properties, _SHORTEST_CANARY, _MOST_ERRORS)))


def _alarm(node: Node, stack: Stack) -> Resource | None:
    """The alarm of this file that is named, by a link or by the name that it gives itself."""
    target = stack.target(node) or stack.target(read(node, "Name"))
    if target is not None:
        return target if target.type == _ALARM else None
    stated = worded(read(node, "Name") or node)
    alarms = stack.of_type(_ALARM) if stated else ()
    return next((one for one in alarms if worded(read(one.properties, "AlarmName")) == stated), None)


def _about(dimensions: Node | None, function: Resource | None, stack: Stack) -> bool | None:
    """Whether dimensions name the function; None where they narrow it in a way that is not understood."""
    if dimensions is None or isinstance(dimensions, Unknown):
        return None  # all functions of the account together: one's own errors may drown
    found = dict(_dimensions(dimensions))
    if "FunctionName" not in found or not _OF_A_VERSION.issuperset(found):
        return None
    if any(_OLD.search(worded(one) or "") for one in found.values()):
        return None  # a version that is there already, not the one that comes
    name = found["FunctionName"]
    meant = [stack.resources[link.resource] for link in links(name) if link.resource in stack.resources]
    stated = worded(name)
    meant += [
        one for one in stack.resources.values() if stated and worded(read(one.properties, "FunctionName")) == stated
    ]
    if function is None:
        return True if meant else None
    return any(one is function for one in meant) or (None if isinstance(name, Unknown) or not meant else False)


def _dimensions(node: Node) -> Iterator[tuple[str, Node]]:
    """The dimensions of an alarm: a list of names and values, or Terraform's mapping."""
    if isinstance(node, Table):
        yield from node.entries.items()
        return
    for one in items(node) if isinstance(node, List) else ():
        name, value = worded(read(one, "Name")), read(one, "Value")
        if name is not None and value is not None:
            yield name, value
