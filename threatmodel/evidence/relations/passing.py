"""What elements hand on with no function between: integrations, subscriptions, targets of rules, notifications."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from threatmodel.evidence.analyses.properties import each, read
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.outside import default_bus, outside, service_of, source, whole
from threatmodel.evidence.policies.grants import MARK, parsed, pattern
from threatmodel.evidence.relations.naming import Names
from threatmodel.evidence.relations.routes import followed
from threatmodel.evidence.resource_types import RESOURCE_TYPES
from threatmodel.reading.problems import Place
from threatmodel.stacks.sam.openapi import operations
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, get, links, text

_PASSED_TO = ("queue", "store", "external system")
_SUBTYPES: Mapping[str, str] = {
    "AppConfig": "appconfig",
    "EventBridge": "events",
    "Kinesis": "kinesis",
    "SQS": "sqs",
    "StepFunctions": "states",
}
"""The services of which HTTP APIs have integrations of their own, by how the subtype begins."""
_WITHOUT_ARN: Mapping[str, str] = {"sqs": "sqs", "firehose": "firehose"}
"""Protocols of subscriptions whose endpoint is a resource of AWS that is no function."""


class Passed(NamedTuple):
    """What is handed on: from which resource, to which (or to what key of `outside`), and the line that says so."""

    source: str
    to: str
    place: Place


def passed_on(stack: Stack, facts: StackFacts) -> tuple[Passed, ...]:
    """All that elements of a stack hand on to others by themselves, each pair once."""
    names = Names(stack, facts)
    found: dict[tuple[str, str], Passed] = {}
    for resource in stack.resources.values():
        reader = _READERS.get(resource.type)
        for one in reader(names, resource) if reader is not None and resource.doubt is None else ():
            if one.source and one.to and one.source != one.to:
                found.setdefault(one[:2], one)
    return tuple(found.values())


def _method(names: Names, resource: Resource) -> Iterator[Passed]:
    """A method of a REST API, or in a plan its integration."""
    settings = read(resource.properties, "Integration") or resource.properties
    api = names.element(followed(names.stack, resource, "RestApiId"), "api")
    yield from _integrated(names, api, settings, read(settings, "Uri"), resource.place)


def _integration(names: Names, resource: Resource) -> Iterator[Passed]:
    """An integration of an HTTP or WebSocket API."""
    api = names.element(read(resource.properties, "ApiId"), "api")
    address = read(resource.properties, "IntegrationUri")
    yield from _integrated(names, api, resource.properties, address, resource.place)


def _api(names: Names, resource: Resource) -> Iterator[Passed]:
    """The routes of an API's own definition."""
    body = read(resource.properties, "Body")
    for operation in operations(parsed(body)) if body is not None else ():
        address = get(operation.integration, "uri")
        yield from _integrated(names, resource.name, operation.integration, address, operation.place)


def _integrated(names: Names, api: str, settings: Node | None, address: Node | None, place: Place) -> Iterator[Passed]:
    """What an integration with a service of AWS leads to: the resources that it names, else the service."""
    service = _service_of(address) or _by_subtype(settings)
    if not api or service in {"", "lambda"}:
        return
    handed = (address, *(read(settings, name) for name in ("RequestTemplates|requestTemplates", _PARAMETERS)))
    named = dict.fromkeys(name for node in handed for name in _elements(names, node))
    for name in named or (_spelt(names, address, service),):
        yield Passed(api, name, place)


_PARAMETERS = "RequestParameters|requestParameters"


def _service_of(address: Node | None) -> str:
    """The service that an integration's address names (``arn:aws:apigateway:REGION:SERVICE:path/...``), or ''."""
    if address is None:
        return ""
    parts = MARK.sub("", pattern(address).text).split(":")
    at = next((at for at, part in enumerate(parts) if part.startswith(("path/", "action/"))), 0)
    return parts[at - 1].rpartition(".")[2] if at and parts[0] == "arn" and "apigateway" in parts else ""


def _by_subtype(settings: Node | None) -> str:
    subtype = text(read(settings, "IntegrationSubtype|integrationSubtype")) or ""
    return _SUBTYPES.get(subtype.partition("-")[0], "")


def _spelt(names: Names, address: Node | None, service: str) -> str:
    """What an address names by text alone: a queue after its account's number; else the service as a whole."""
    spelt = pattern(address).text if address is not None else ""
    _, path, rest = spelt.partition(":path/")
    found = names.called_so(rest.rpartition("/")[2]) if path and service == "sqs" else ()
    return found[0] if len(found) == 1 else whole(service)


def _elements(names: Names, node: Node | None) -> Iterator[str]:
    """The elements that a value names by links, in order."""
    for link in links(node):
        meant = names.meant(link.resource)
        if set(_PASSED_TO) & set(names.kinds.get(meant, ())):
            yield meant


def _named(names: Names, node: Node | None, service: str = "") -> str:
    """The one element that a value names, of the stack or of another; '' where it is a function or nobody knows."""
    if node is None or names.called(node).functions:
        return ""
    own = names.element(node, *_PASSED_TO)
    if own:
        return own
    elsewhere = names.elsewhere(source(node, service))
    if elsewhere is not None:
        return elsewhere.key if outside(elsewhere.key) is not None and elsewhere.service != "lambda" else ""
    of = service_of(node)
    return whole(of) if of and of != "lambda" and not any(links(node)) else ""


def _subscription(names: Names, resource: Resource) -> Iterator[Passed]:
    topic = read(resource.properties, "TopicArn")
    yield from _subscribed(names, resource.properties, names.element(topic, "queue"), resource.place)


def _topic(names: Names, resource: Resource) -> Iterator[Passed]:
    for one in each(read(resource.properties, "Subscription")):
        yield from _subscribed(names, one, resource.name, one.place)


def _subscribed(names: Names, settings: Node, topic: str, place: Place) -> Iterator[Passed]:
    protocol = text(read(settings, "Protocol")) or ""
    if protocol in _WITHOUT_ARN:
        yield Passed(topic, _named(names, read(settings, "Endpoint"), _WITHOUT_ARN[protocol]), place)


def _bucket(names: Names, resource: Resource) -> Iterator[Passed]:
    """A bucket's notifications to queues and topics, on the bucket or in a plan as a resource of their own."""
    own = "store" in names.kinds.get(resource.name, ())
    bucket = resource.name if own else names.element(read(resource.properties, "Bucket"), "store")
    settings = read(resource.properties, "NotificationConfiguration") or resource.properties
    for one in each(read(settings, "QueueConfigurations|queue")):
        yield Passed(bucket, _named(names, read(one, "Queue|queue_arn"), "sqs"), one.place)
    for one in each(read(settings, "TopicConfigurations|topic")):
        yield Passed(bucket, _named(names, read(one, "Topic|topic_arn"), "sns"), one.place)


def _rule(names: Names, resource: Resource) -> Iterator[Passed]:
    for one in each(read(resource.properties, "Targets")):
        yield Passed(_bus(names, resource), _named(names, read(one, "Arn")), one.place)


def _target(names: Names, resource: Resource) -> Iterator[Passed]:
    """A target of a rule, which in a plan is a resource of its own."""
    rule = names.stack.target(read(resource.properties, "Rule"))
    if rule is not None:
        yield Passed(_bus(names, rule), _named(names, read(resource.properties, "Arn")), resource.place)


def _bus(names: Names, rule: Resource) -> str:
    """The bus whose events a rule passes on; '' of one that is started by the clock alone."""
    if read(rule.properties, "EventPattern") is None:
        return ""
    bus = read(rule.properties, "EventBusName")
    return default_bus() if bus is None else names.element(bus, "queue")


def _pipe(names: Names, resource: Resource) -> Iterator[Passed]:
    """A pipe, unless a function takes what it carries."""
    taken = names.element(read(resource.properties, "Source"), "queue", "store")
    yield Passed(taken, _named(names, read(resource.properties, "Target")), resource.place)


_BY_NAME: Mapping[str, Callable[[Names, Resource], Iterator[Passed]]] = {
    reader.__name__.removeprefix("_"): reader
    for reader in (_api, _bucket, _integration, _method, _pipe, _rule, _subscription, _target, _topic)
}
_READERS = {name: _BY_NAME[row.read_as] for name, row in RESOURCE_TYPES.items() if row.read_as in _BY_NAME}
"""How each type of resource that hands on to others is read."""
