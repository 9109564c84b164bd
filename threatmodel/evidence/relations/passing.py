"""What is handed on with no function between: integrations, subscriptions, targets, notifications, work of services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from threatmodel.evidence.analyses.properties import each, flag, read
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.outside import default_bus, whole
from threatmodel.evidence.outside import named as named_outside
from threatmodel.evidence.policies.grants import MARK, pattern
from threatmodel.evidence.policies.written import parsed
from threatmodel.evidence.relations.acting import ACTS, PASSED_TO, Acting, Passed, destination_host, host_in
from threatmodel.evidence.relations.naming import Names, store_in
from threatmodel.evidence.resource_types import RESOURCE_TYPES
from threatmodel.reading.problems import Place
from threatmodel.stacks.openapi import operations
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, get, leaves, links, text

_SUBTYPES: Mapping[str, str] = {
    "AppConfig": "appconfig",
    "EventBridge": "events",
    "Kinesis": "kinesis",
    "SQS": "sqs",
    "StepFunctions": "states",
}
"""The services that HTTP APIs have separate integrations for, by the prefix of the subtype."""
_WITHOUT_ARN: Mapping[str, str] = {"sqs": "sqs", "firehose": "firehose"}
"""Protocols of subscriptions whose endpoint is a resource of AWS that is no function."""


def passed_on(stack: Stack, facts: StackFacts) -> tuple[Passed, ...]:
    """All that elements of a stack hand on to others by themselves, each pair and use once."""
    acting = Acting(stack, facts)
    found: dict[tuple[str, str, str], Passed] = {}
    for resource in stack.resources.values():
        for reader in _READERS.get(resource.type, ()) if resource.doubt is None else ():
            for one in reader(acting, resource):
                key = (one.source, one.to, one.use)
                if one.source and one.to and one.source != one.to and (one.by_anyone or key not in found):
                    found[key] = one
    return tuple(found.values())


def _method(acting: Acting, resource: Resource) -> Iterator[Passed]:
    settings = read(resource.properties, "Integration")
    for one in _integrated(acting, acting.names.api_of(resource), settings, read(settings, "Uri"), resource.place):
        yield one._replace(by_anyone=_is_open(acting, resource, one.source))


def _integration(acting: Acting, resource: Resource) -> Iterator[Passed]:
    """An integration of an HTTP or WebSocket API."""
    address = read(resource.properties, "IntegrationUri")
    routes = (
        route
        for route in acting.names.stack.of_type("AWS::ApiGatewayV2::Route")
        if any(link.resource == resource.name for link in links(read(route.properties, "Target")))
    )
    api = acting.names.api_of(resource)
    opened = next((route for route in routes if _is_open(acting, route, api)), None)
    for one in _integrated(acting, api, resource.properties, address, resource.place):
        yield one._replace(by_anyone=True, place=opened.place) if opened is not None else one


def _is_open(acting: Acting, route: Resource, api: str) -> bool:
    """Whether surely anyone can use a route or method: its type asks for nothing, and no policy limits its API."""
    asked = read(route.properties, "AuthorizationType")
    if route.doubt is not None or (asked is None and route.type != "AWS::ApiGatewayV2::Route"):
        return False
    own = acting.names.stack.resources.get(api)
    keyless = flag(read(route.properties, "ApiKeyRequired"), left_out=False) is False
    return own is not None and keyless and _asks_nothing(asked) and _is_public(own)


def _asks_nothing(asked: Node | None) -> bool:
    """Whether a type of authorization surely is none, which it is where it is left out."""
    return asked is None or (text(asked) == "NONE" and not getattr(asked, "given", ()))


def _is_public(api: Resource) -> bool:
    """Whether the internet reaches an API, and nothing else of it decides who calls, such as a $connect route."""
    if api.opaque is not None or text(read(api.properties, "ProtocolType")) == "WEBSOCKET":
        return False
    if any(read(api.properties, name) is not None for name in ("Policy", "Auth")):
        return False
    kinds = leaves(read(api.properties, "EndpointConfiguration", "Types|Type"))
    return all(text(one) in {"REGIONAL", "EDGE"} for one in kinds)


def _api(acting: Acting, resource: Resource) -> Iterator[Passed]:
    """The routes of an API's own definition."""
    body = read(resource.properties, "Body")
    for operation in operations(parsed(body)) if body is not None else ():
        address = get(operation.integration, "uri")
        opened = operation.key is False and _asks_nothing(operation.auth) and _is_public(resource)
        for one in _integrated(acting, resource.name, operation.integration, address, operation.place):
            yield one._replace(by_anyone=opened)


def _integrated(
    acting: Acting, api: str, settings: Node | None, address: Node | None, place: Place
) -> Iterator[Passed]:
    """What an integration leads to: a host, or with a service of AWS the resources that it names, else the service."""
    host = host_in(address)
    if host:
        yield Passed(api, host, place)
        return
    subtype = text(read(settings, "IntegrationSubtype|integrationSubtype")) or ""
    service = _service_of(address) or _SUBTYPES.get(subtype.partition("-")[0], "")
    if not api or service in {"", "lambda"}:
        return
    handed = (address, *(read(settings, name) for name in ("RequestTemplates|requestTemplates", _PARAMETERS)))
    named = dict.fromkeys(name for node in handed for name in _elements(acting.names, node))
    for name in named or (default_bus() if service == "events" else _spelt(acting.names, address, service),):
        yield Passed(api, name, place)


_PARAMETERS = "RequestParameters|requestParameters"


def _service_of(address: Node | None) -> str:
    """The service that an integration's address names (``arn:aws:apigateway:REGION:SERVICE:path/...``), or ''."""
    if address is None:
        return ""
    parts = MARK.sub("", pattern(address).text).split(":")
    at = next((at for at, part in enumerate(parts) if part.startswith(("path/", "action/"))), 0)
    return parts[at - 1].rpartition(".")[2] if at and parts[0] == "arn" and "apigateway" in parts else ""


def _spelt(names: Names, address: Node | None, service: str) -> str:
    """What an address names by text alone: a queue after the account's number; else the service as a whole."""
    found = pattern(address) if address is not None else None
    if found is None or service != "sqs" or ":path/" not in found.text:
        return whole(service)
    own = names.by_name.get((found.text.rpartition("/")[2], ()), ())
    if len(own) == 1:
        return own[0]
    last = found._replace(text=found.text.rpartition("/")[2], spelt=found.spelt.rpartition("/")[2])
    given = names.elsewhere(named_outside(last, service)) if last.given else None
    return given.key if given is not None else whole(service)


def _elements(names: Names, node: Node | None) -> Iterator[str]:
    """The elements that a value names by links, in order."""
    for link in links(node):
        meant = names.meant(link.resource)
        if set(PASSED_TO) & set(names.kinds.get(meant, ())):
            yield meant


def _subscription(acting: Acting, resource: Resource) -> Iterator[Passed]:
    topic = read(resource.properties, "TopicArn")
    yield from _subscribed(acting, resource.properties, acting.names.element(topic, "queue"), resource.place)


def _topic(acting: Acting, resource: Resource) -> Iterator[Passed]:
    for one in each(read(resource.properties, "Subscription")):
        yield from _subscribed(acting, one, resource.name, one.place)


def _subscribed(acting: Acting, settings: Node, topic: str, place: Place) -> Iterator[Passed]:
    protocol = text(read(settings, "Protocol")) or ""
    if protocol in _WITHOUT_ARN:
        yield Passed(topic, acting.named(read(settings, "Endpoint"), _WITHOUT_ARN[protocol]), place)


def _rule(acting: Acting, resource: Resource) -> Iterator[Passed]:
    for one in each(read(resource.properties, "Targets")):
        node = read(one, "Arn")
        yield Passed(_bus(acting, resource), destination_host(node, acting.stack) or acting.named(node), one.place)


def _bus(acting: Acting, rule: Resource) -> str:
    """Whose events a rule passes on: a store's that its pattern names, or a bus's; '' where the clock alone does."""
    events = read(rule.properties, "EventPattern")
    if events is None:
        return ""
    bus = read(rule.properties, "EventBusName")
    if bus is None:
        return store_in(acting.names, parsed(events)) or default_bus()
    return acting.names.element(bus, "queue")


_Reader = Callable[[Acting, Resource], Iterator[Passed]]
_BY_NAME: Mapping[str, _Reader] = {
    reader.__name__.removeprefix("_"): reader for reader in (_api, _integration, _method, _rule, _subscription, _topic)
}
_READERS: Mapping[str, tuple[_Reader, ...]] = {
    name: tuple(filter(None, (_BY_NAME.get(row.read_as) or ACTS.get(row.read_as), ACTS.get(row.acts_as))))
    for name, row in RESOURCE_TYPES.items()
}
"""How each type of resource that hands on to others is read."""
