"""What services of AWS do by themselves with elements: tasks of state machines, data sources, deliveries, streams.

What a state machine's definition, in the Amazon States Language, calls and with what: the name of a task's resource
tells the service and the action (docs.aws.amazon.com/step-functions: "Integrating services"), its arguments on what.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import NamedTuple

from threatmodel.evidence.analyses.properties import each, read
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.outside import default_bus, host_name, is_aws_host, outside, service_of, source, whole
from threatmodel.evidence.policies.grants import MARK, TOKEN, pattern
from threatmodel.evidence.policies.iam import expanded
from threatmodel.evidence.policies.work import use_of
from threatmodel.evidence.policies.written import parsed
from threatmodel.evidence.relations.naming import Names
from threatmodel.evidence.relations.rights import Roles
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.texts import written
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, get, items, links, rebuilt, unknowns

PASSED_TO = ("queue", "store", "external system")
"""The kinds of element that something can be handed on to, with no function between."""
_HOST = re.compile(r"(?:https?|wss?)://([A-Za-z0-9.-]+\.[A-Za-z]{2,24})(?=[:/?#]|\Z)")
_LIST_OF: Mapping[str, Mapping[str, str]] = {
    "store": {"read": "reads", "write": "writes"},
    "queue": {"send": "sends"},
    "secret": {"value": "secrets"},
    "external system": dict.fromkeys(("read", "write", "send", "value", "invoke", "manage"), "calls"),
}
"""Return the list that a use of an element of each kind belongs to."""
_READS = ("get", "batchget", "list", "query", "scan", "describe", "select", "head", "search")


class Passed(NamedTuple):
    """What is passed on: from which resource, to which (or to what key of `outside`), and the line that states it.

    `use` is the list of the model that it belongs to: passes_to, or what a service does with it (reads, writes, sends,
    secrets, calls).  `by_anyone`: requests are passed on that surely nothing authenticates.
    """

    source: str
    to: str
    place: Place
    use: str = "passes_to"
    by_anyone: bool = False


class Acting:
    """The elements of a stack and the roles by which services act on them; roles are looked at once, if at all."""

    def __init__(self, stack: Stack, facts: StackFacts) -> None:
        self.stack = stack
        self.names = Names(stack, facts)
        self._roles: Roles | None = None

    def uses(self, role: Node | None, element: str) -> tuple[str, ...]:
        """What a role lets its holder do with an element: read, write, send, value; () where the role is not here."""
        self._roles = self._roles or Roles(self.names)
        name = self._roles.held.named(role)
        reach = self._roles.of(name).reach.get(element) if name else None
        return tuple(reach.actions) if reach is not None else ()

    def named(self, node: Node | None, service: str = "") -> str:
        """Return the one element that a value names, of the stack or of another; '' if it is a function or unknown."""
        if node is None or self.names.called(node).functions:
            return ""
        own = self.names.element(node, *PASSED_TO, "secret")
        if own:
            return own
        elsewhere = self.names.elsewhere(source(node, service))
        if elsewhere is not None:
            return elsewhere.key if outside(elsewhere.key) is not None and elsewhere.service != "lambda" else ""
        of = service_of(node)
        return whole(of) if of and of != "lambda" and not any(links(node)) else ""


def host_in(node: Node | None) -> str:
    """The host of an address outside AWS, among the names of resources; '' where there is none, or it is given."""
    if node is None or getattr(node, "given", None):
        return ""
    found = _HOST.match(pattern(node).text)
    return host_name(found[1].lower()) if found and not is_aws_host(found[1]) else ""


# --- state machines


def machine(acting: Acting, resource: Resource) -> Iterator[Passed]:
    """What the tasks of a state machine call but for functions, which it starts."""
    for task in tasks(resource):
        if task.service and not (task.service == "lambda" and acting.names.called(argument_of(task)).functions):
            yield from _of_task(acting, resource.name, task)


def _of_task(acting: Acting, name: str, task: Task) -> Iterator[Passed]:
    host = host_in(read(task.arguments, "ApiEndpoint"))
    if host or task.service == "http":
        yield Passed(name, host, task.place, "calls")
        return
    if task.service == "events":
        for entry in each(read(task.arguments, "Entries")):
            bus = read(entry, "EventBusName")
            yield Passed(name, default_bus() if bus is None else acting.named(bus, "events"), task.place, "sends")
        return
    argument = argument_of(task)
    to = acting.named(argument, task.service) if any(links(argument)) or next(unknowns(argument), None) is None else ""
    kinds = acting.names.kind_of(to) if to else ()
    for use in uses_of(task.service, task.action):
        listed = [_LIST_OF[kind][use] for kind in kinds if use in _LIST_OF.get(kind, {})]
        yield (
            Passed(name, to, task.place, listed[0])
            if listed
            else Passed(name, whole(task.service), task.place, "calls")
        )


@lru_cache(maxsize=1024)
def uses_of(service: str, action: str) -> tuple[str, ...]:
    """What an action does with what a service holds, as IAM's table has it, or else by its verb."""
    known = expanded(f"{service}:{action.lower()}")
    if known:
        return (use_of(known[0]),)
    return ("read",) if action.lower().startswith(_READS) else ("write",)


# --- data sources of GraphQL, deliveries, streams of tables


def datasource(acting: Acting, resource: Resource) -> Iterator[Passed]:
    """What a data source of AppSync leads to but for functions: a table by what its role allows, a host, a bus."""
    settings = resource.properties
    api = acting.names.element(read(settings, "ApiId"), "external system")
    table = read(settings, "DynamoDBConfig", "TableName")
    if table is not None:
        to = acting.named(table, "dynamodb")
        allowed = acting.uses(read(settings, "ServiceRoleArn"), to)
        for use in ("read", "write"):
            if use in allowed or not allowed:
                yield Passed(api, to, resource.place, _LIST_OF["store"][use])
    yield Passed(api, host_in(read(settings, "HttpConfig", "Endpoint")), resource.place, "calls")
    bus = read(settings, "EventBridgeConfig", "EventBusArn")
    yield Passed(api, acting.named(bus, "events"), resource.place, "sends")


class HandOver(NamedTuple):
    """One thing that a type of resource hands on: the property with what it comes from, and that with what gets it.

    Either is the resource itself where it is left out, and so is a store with its own settings.  `each` is a list whose
    items hand on, `kinds` what the source can be, `service` the one of the target (`host`: an address outside AWS).
    """

    of: str = ""
    kinds: tuple[str, ...] = ()
    to: str = ""
    service: str = ""
    each: str = ""
    use: str = "passes_to"


_NOTIFIED = "NotificationConfiguration"
_HANDED: Mapping[str, tuple[HandOver, ...]] = {
    "bucket": (
        HandOver("Bucket", ("store",), "Queue", "sqs", f"{_NOTIFIED}.QueueConfigurations"),
        HandOver("Bucket", ("store",), "Topic", "sns", f"{_NOTIFIED}.TopicConfigurations"),
    ),
    "delivery": (
        HandOver("KinesisStreamSourceConfiguration.KinesisStreamARN", ("queue", "store")),
        HandOver(to="ExtendedS3DestinationConfiguration.BucketARN", service="s3", use="writes"),
        HandOver(to="S3DestinationConfiguration.BucketARN", service="s3", use="writes"),
        HandOver(to="HttpEndpointDestinationConfiguration.EndpointConfiguration.Url", service="host", use="calls"),
    ),
    "pipe": (HandOver("Source", ("queue", "store"), "Target"),),
    "table": (  # of a plan, a separate resource may have the stream
        HandOver("TableName", ("store",), "KinesisStreamSpecification.StreamArn", "kinesis"),
        HandOver("TableName", ("store",), "StreamArn", "kinesis"),
    ),
}
"""What types of resources hand on by themselves, by the word of their reader."""


def _handed(acting: Acting, resource: Resource, rows: tuple[HandOver, ...]) -> Iterator[Passed]:
    own = "store" in acting.names.kinds.get(resource.name, ())
    for row in rows:
        for one in each(read(resource.properties, *row.each.split("."))) if row.each else (resource.properties,):
            sender = read(resource.properties, *row.of.split("."))
            source = resource.name if own or not row.of else acting.names.element(sender, *row.kinds)
            node = read(one, *row.to.split("."))
            to = host_in(node) if row.service == "host" else acting.named(node, row.service)
            yield Passed(source, to if row.to else resource.name, one.place if row.each else resource.place, row.use)


def destination_host(node: Node | None, stack: Stack) -> str:
    """The host of an API destination of EventBridge that a target names; '' for any other target."""
    target = stack.target(node)
    if target is None or target.type != "AWS::Events::ApiDestination":
        return ""
    return host_in(read(target.properties, "InvocationEndpoint"))


ACTS: Mapping[str, Callable[[Acting, Resource], Iterator[Passed]]] = {
    **{word: partial(_handed, rows=rows) for word, rows in _HANDED.items()},
    **{reader.__name__: reader for reader in (datasource, machine)},
}
"""The readers of what services do by themselves, by name."""


# --- the tasks of a state machine
_INTEGRATION = re.compile(r"arn:[^:]*:states:::(?:aws-sdk:)?([a-z0-9-]+):([A-Za-z0-9]+)")
_SERVICES: Mapping[str, str] = {
    "apigateway": "execute-api",
    "bedrockruntime": "bedrock",
    "cognitoidentityprovider": "cognito-idp",
    "eventbridge": "events",
    "opensearch": "es",
    "rdsdata": "rds-data",
    "sesv2": "ses",
    "sfn": "states",
}
"""Services that integrations call otherwise than the actions of IAM do."""
_ARGUMENTS = ("Arguments", "Parameters")
_INNER = ("Iterator", "ItemProcessor")
_BATCHES = ("ItemReader", "ResultWriter")
"""Parts of a map state that read and write by a separate integration."""
_DEEPEST = 40
_PLACEHOLDER = re.compile(r"\$\{[A-Za-z0-9_]+\}")


_NAMED_BY: Mapping[str, str] = {
    "dynamodb": "TableName",
    "events": "EventBusName",
    "firehose": "DeliveryStreamName",
    "kinesis": "StreamName|StreamARN",
    "lambda": "FunctionName",
    "s3": "Bucket",
    "secretsmanager": "SecretId",
    "sns": "TopicArn",
    "sqs": "QueueUrl",
    "ssm": "Name",
    "states": "StateMachineArn",
}
"""The argument of a task that names the resource, by service."""


class Task(NamedTuple):
    """One call: of which service, by which action (both '' where the resource is no integration), with what."""

    service: str
    action: str
    resource: Node
    arguments: Node | None
    place: Place


def definition_of(resource: Resource) -> Node | None:
    """The definition of a state machine, with what is substituted in it; Unknown where it cannot be read."""
    found = read(resource.properties, "Definition") or read(resource.properties, "DefinitionString")
    if found is None:
        return resource.opaque
    given = read(resource.properties, "DefinitionSubstitutions")
    definition = parsed(found)
    return _substituted(definition, given.entries) if isinstance(given, Table) and given.entries else definition


def tasks(resource: Resource) -> Iterator[Task]:
    """Every task of a state machine, however deep; those that cannot be read are left out."""
    definition = definition_of(resource)
    if definition is not None:
        yield from _tasks(definition, 0)


def argument_of(task: Task) -> Node | None:
    """The argument that names what a task is about; of a task that is no integration, the function that it calls."""
    if not task.service:
        return task.resource
    return read(task.arguments, _NAMED_BY[task.service]) if task.service in _NAMED_BY else None


def _tasks(machine: Node, depth: int) -> Iterator[Task]:
    states = get(machine, "States")
    if not isinstance(states, Table) or depth > _DEEPEST:
        return
    for name, state in states.entries.items():
        at = states.keys.get(name, state.place)
        for one in (state, *(get(state, part) for part in _BATCHES)):
            resource = get(one, "Resource")
            if resource is not None and not isinstance(resource, Unknown):
                arguments = next((argument for key in _ARGUMENTS if (argument := get(one, key)) is not None), None)
                found = _INTEGRATION.match(TOKEN.sub("", MARK.sub("", pattern(resource).text)))
                service, action = (found[1], found[2]) if found else ("", "")
                yield Task(_SERVICES.get(service, service), action, resource, arguments, at)
        for inner in (*items(get(state, "Branches")), *(get(state, part) for part in _INNER)):
            if inner is not None:
                yield from _tasks(inner, depth + 1)


def _substituted(node: Node, given: Mapping[str, Node]) -> Node:
    """Return a definition with its substitutions in place of their names."""
    if isinstance(node, Scalar) and isinstance(node.value, str) and _PLACEHOLDER.search(node.value):
        return written(node.value, given, node.place)
    return rebuilt(node, lambda child: _substituted(child, given))
