"""What polls for functions or pushes to them: mappings, topics, buckets, rules, schedules, pipes, destinations."""

from __future__ import annotations

import re

from threatmodel.evidence.analyses.properties import each, read
from threatmodel.evidence.outside import default_bus, host_name, service_of, whole
from threatmodel.evidence.outside import source as outside_source
from threatmodel.evidence.policies.written import parsed
from threatmodel.evidence.relations.naming import Called, described, store_in
from threatmodel.evidence.relations.ways import Start, Ways, named, places_of
from threatmodel.reading.problems import Place, quoted
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Link, Node, items, text, unknowns

_HOST_PORT = re.compile(r"([A-Za-z0-9.-]+):\d{1,5}\Z")
BROKERS = frozenset({"kafka", "mq"})
"""Services that start functions by polling their clusters, which are not elements."""
_OF_STREAMS = ("StartingPosition", "Topics", "Queues", "SelfManagedEventSource", "DocumentDBEventSourceConfig")
"""Settings of a mapping that a queue of SQS has not."""


_SENDING = {"queue": "queue", "store": "store", "service": "external system"}
"""How each kind of element starts a function."""


def mapping(ways: Ways, resource: Resource) -> None:
    """An event source mapping."""
    node = named(resource, "FunctionName")
    called = ways.names.called(node)
    ways.anybody(called.open, f"the event source mapping {quoted(resource.name)}", resource.place)
    node = read(resource.properties, "EventSourceArn")
    positioned = any(read(resource.properties, one) is not None for one in _OF_STREAMS)
    service = resource.polls or ("" if positioned else "sqs")  # only a queue is read from no position
    by, source = _sender(ways, node, called, service)
    if not source and (broker := next((one for one in (service, service_of(node)) if one in BROKERS), "")):
        by, source = "service", whole(broker)
    brokers = read(resource.properties, "SelfManagedEventSource", "Endpoints", "KafkaBootstrapServers")
    hosts = (_HOST_PORT.match(text(one) or "") for one in items(brokers) if not getattr(one, "given", ()))
    if not source and (broker := next((host[1].lower() for host in hosts if host), "")):
        by, source = "service", host_name(broker)
    ways.start(called, "poll", resource, Start(by, "", source, "", places_of(resource, node)))


def subscription(ways: Ways, resource: Resource) -> None:
    """A subscription to a topic."""
    _subscribed(ways, resource, resource.properties, read(resource.properties, "TopicArn"))


def _subscribed(ways: Ways, resource: Resource, node: Node, topic: Node | None) -> None:
    """One subscription, on its own or within a topic."""
    endpoint = read(node, "Endpoint")
    called = ways.names.called(endpoint)
    source = ways.names.element(topic, "queue") or _elsewhere(ways, topic, "sns", called)
    start = Start("queue", "", source, "", places_of(resource, endpoint))
    ways.start(called, "sns", resource, start)


def topic(ways: Ways, resource: Resource) -> None:
    """The subscriptions that a topic lists itways."""
    for one in each(read(resource.properties, "Subscription")):
        _subscribed(ways, resource, one, Link(resource.name, "", resource.place))


def bucket(ways: Ways, resource: Resource) -> None:
    """A bucket's notifications, also those that a file adds to a bucket that is not in it."""
    for one in each(read(resource.properties, "NotificationConfiguration", "LambdaConfigurations")):
        node = read(one, "Function")
        bucket = read(resource.properties, "Bucket")
        called = ways.names.called(node)
        own = "store" in ways.names.kinds.get(resource.name, ())
        source = resource.name if own else ways.names.element(bucket, "store") or _elsewhere(ways, bucket, "s3", called)
        place = (one.place,) if own else (resource.place,)
        ways.start(called, "s3", resource, Start("store", "", source, "", place))


def existing_bucket(ways: Ways, resource: Resource) -> None:
    """What the Serverless Framework's own resource has a bucket tell a function, which exists before the stack."""
    _told_by_bucket(ways, resource, read(resource.properties, "FunctionName"), (resource.place,))


def notifications(ways: Ways, resource: Resource) -> None:
    """What the CDK's own resource has a bucket tell functions, in the words of the call of S3 that it makes."""
    for one in each(read(resource.properties, "NotificationConfiguration", "LambdaFunctionConfigurations")):
        node = read(one, "LambdaFunctionArn")
        _told_by_bucket(ways, resource, node, places_of(resource, node))


def _told_by_bucket(ways: Ways, resource: Resource, node: Node | None, places: tuple[Place, ...]) -> None:
    """What a custom resource has the bucket that it names tell a function."""
    called, bucket = ways.names.called(node), read(resource.properties, "BucketName")
    source = ways.names.element(bucket, "store") or _elsewhere(ways, bucket, "s3", called)
    ways.start(called, "s3", resource, Start("store", "", source, "", places), source)


def rule(ways: Ways, resource: Resource) -> None:
    """A rule of EventBridge."""
    for target in each(read(resource.properties, "Targets")):
        node = read(target, "Arn")
        if read(target, "RoleArn") is not None:
            ways.anybody(ways.names.called(node).open, f"the rule {quoted(resource.name)}", resource.place)
        _ruled(ways, ways.names.called(node), resource, resource, places_of(resource, node))


def elsewhere(ways: Ways, resource: Resource) -> None:
    """The targets that a file adds to a rule that is not in it."""
    for target in each(read(resource.properties, "Targets")):
        called = ways.names.called(read(target, "Arn"))
        ways.calls(called, "events", resource, "an EventBridge rule that is not in this file starts it")


def _ruled(ways: Ways, called: Called, rule: Resource, doubtful: Resource, places: tuple[Place, ...]) -> None:
    """What a rule starts: by the clock, by events, or by both."""
    ways.hide(called, "events", rule.name)
    schedule = read(rule.properties, "ScheduleExpression")
    if schedule is not None:
        ways.start(called, "events", doubtful, Start("schedule", described(schedule), "", "", places), rule.name)
    pattern = read(rule.properties, "EventPattern")
    if pattern is not None:
        by, source = _bus(ways, rule, pattern, called)
        ways.start(called, "events", doubtful, Start(by, "", source, "", places), rule.name)
    for name in called.functions if schedule is None and pattern is None else ():
        ways.way(name).doubt(f"it is unknown when the rule {quoted(rule.name)} starts it", rule.place)


def _bus(ways: Ways, rule: Resource, pattern: Node, called: Called) -> tuple[str, str]:
    """Where the events of a rule come from: a store that its pattern names, or an event bus."""
    store = store_in(ways.names, parsed(pattern))
    bus = read(rule.properties, "EventBusName")
    if bus is None and store:
        return "store", store
    if bus is None:
        return "queue", "" if next(unknowns(parsed(pattern)), None) else default_bus()
    return "queue", ways.names.element(bus, "queue") or _elsewhere(ways, bus, "events", called)


def schedule(ways: Ways, resource: Resource) -> None:
    """A schedule of EventBridge Scheduler."""
    node = read(resource.properties, "Target", "Arn")
    called = ways.names.called(node)
    if not called.functions and (described(node).endswith(":aws-sdk:lambda:invoke")):
        called = ways.names.called(read(resource.properties, "Target", "Input"))
    ways.anybody(called.open, f"the schedule {quoted(resource.name)}", resource.place)
    detail = described(read(resource.properties, "ScheduleExpression"))
    ways.start(called, "scheduler", resource, Start("schedule", detail, "", "", places_of(resource, node)))


def pipe(ways: Ways, resource: Resource) -> None:
    """A pipe, which calls a function with what it takes from its source."""
    node = read(resource.properties, "Source")
    by, source = _sender(ways, node, Called(()))
    for name in ("Target", "Enrichment"):
        called = ways.names.called(read(resource.properties, name))
        ways.anybody(called.open, f"the pipe {quoted(resource.name)}", resource.place)
        ways.start(called, "pipes", resource, Start(by, "", source, "", places_of(resource, node)))


def destination(ways: Ways, resource: Resource) -> None:
    """Where results of a function go, or failures of a mapping: that function calls what it hands them to."""
    for outcome in ("OnSuccess", "OnFailure"):
        called = ways.names.called(read(resource.properties, "DestinationConfig", outcome, "Destination"))
        for name in called.functions:
            ways.way(name).callers.setdefault("lambda", set()).add(resource.name)


def _sender(ways: Ways, node: Node | None, called: Called, service: str = "") -> tuple[str, str]:
    """How what a value names starts a function, and its name or key: a queue, a store, a service."""
    name = ways.names.element(node, "queue", "store", "external system") or _elsewhere(ways, node, service, called)
    kinds = ways.names.kind_of(name)
    by = next((word for word, kind in _SENDING.items() if kind in kinds), "")
    return (by, name) if by else ("queue", "")  # an ARN of what sends nothing, such as a secret's, is no source


def _elsewhere(ways: Ways, node: Node | None, service: str, called: Called) -> str:
    """The key of what is named and not in the file; a name that is given leaves it open what else it is."""
    found = ways.names.elsewhere(outside_source(node, service))
    if found is None or node is None:
        return ""
    giver = "another stack" if any(one.imported for one in unknowns(node)) else "a parameter"
    for name in called.functions if not found.sure else ():
        ways.way(name).doubt(f"{giver} sets which {found.title} starts it", node.place)
    return found.key
