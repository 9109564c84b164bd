"""The tasks of a state machine: what its definition, in the Amazon States Language, calls and with what.

The name of a task's resource tells the service and the action (docs.aws.amazon.com/step-functions: "Integrating
services"), its arguments on what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.policies.grants import MARK, TOKEN, pattern
from threatmodel.evidence.policies.written import parsed
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import written
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, get, items, rebuilt

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
                arguments = next((found for key in _ARGUMENTS if (found := get(one, key)) is not None), None)
                yield _task(resource, arguments, at)
        for inner in (*items(get(state, "Branches")), *(get(state, part) for part in _INNER)):
            if inner is not None:
                yield from _tasks(inner, depth + 1)


def _task(resource: Node, arguments: Node | None, place: Place) -> Task:
    found = _INTEGRATION.match(TOKEN.sub("", MARK.sub("", pattern(resource).text)))
    service, action = (found[1], found[2]) if found else ("", "")
    return Task(_SERVICES.get(service, service), action, resource, arguments, place)


def _substituted(node: Node, given: Mapping[str, Node]) -> Node:
    """Return a definition with its substitutions in place of their names."""
    if isinstance(node, Scalar) and isinstance(node.value, str) and _PLACEHOLDER.search(node.value):
        return written(node.value, given, node.place)
    return rebuilt(node, lambda child: _substituted(child, given))
