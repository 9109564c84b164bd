"""Events that Lambda polls for: the event source mapping, and what the function's role must be granted for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from threatmodel.stacks.sam.making import Event, Expansion
from threatmodel.stacks.sam.policies import NETWORK_ACTIONS, Grants, delivery
from threatmodel.stacks.sam.targets import TargetFunction
from threatmodel.stacks.texts import written
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, get, items, text

PolicyStatements = list[dict[str, Any]]


def poll(making: Expansion, called: TargetFunction, event: Event, grants: Grants) -> None:
    """Adds the event source mapping of an event, and to the role what it takes."""
    source = SOURCES[event.type]
    name, place = f"{called.resource.name}{event.id}", event.place
    special = {source.named, "DestinationConfig", "ConsumerGroupId", "SchemaRegistryConfig", *_NOT_IN_MAPPING}
    passed = {key: node for key, node in event.properties.entries.items() if key not in special}
    properties = {
        **passed,
        "FunctionName": called.name,
        "EventSourceArn": event.get(source.named) if source.named else None,
        "DestinationConfig": _destination(event.get("DestinationConfig")),
        **(source.more(event) if source.more else {}),
    }
    making.add(called.resource, name, "AWS::Lambda::EventSourceMapping", properties, place)
    making.polls(name, source.service)
    if source.managed:
        grants.attach(source.managed, place)
    statements = source.grants(event) if source.grants else []
    if statements:
        grants.allow(f"{name}PollerPolicy", place, *statements)
    failure = event.get("DestinationConfig", "OnFailure")
    kind, target = get(failure, "Type"), get(failure, "Destination")
    if failure is not None and kind is not None and target is not None:
        handed = delivery(kind, target, failure.place)
        if handed:
            grants.allow(f"{name}{text(kind) or ''}Policy", failure.place, *handed)


_NOT_IN_MAPPING = frozenset(
    {
        "SecretsManagerKmsKeyId",
        "DynamicPolicyName",
        "KafkaBootstrapServers",
        "DatabaseName",
        "CollectionName",
        "FullDocument",
    }
)


def _destination(config: Node | None) -> Node | None:
    """The destinations without the types that only SAM reads."""
    failure = get(config, "OnFailure")
    if not isinstance(config, Table) or not isinstance(failure, Table):
        return config
    kept = {name: node for name, node in failure.entries.items() if name != "Type"}
    return config._replace(entries={**config.entries, "OnFailure": failure._replace(entries=kept)})


# --- grants


def _secret(arn: Node) -> dict[str, Any]:
    return {"Action": ["secretsmanager:GetSecretValue"], "Resource": arn}


def _key(event: Event) -> PolicyStatements:
    key = event.get("SecretsManagerKmsKeyId")
    if key is None:
        return []
    pattern = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${Key}"
    return [{"Action": ["kms:Decrypt"], "Resource": written(pattern, {"Key": key}, key.place)}]


def _access(event: Event) -> Iterator[tuple[str, Node]]:
    """The ways of access that an event states, each with its URI."""
    for way in items(event.get("SourceAccessConfigurations")):
        uri = get(way, "URI")
        yield text(get(way, "Type")) or "", uri or Unknown("no URI is given", way.place)


def _broker(event: Event) -> PolicyStatements:
    secrets = [_secret(uri) for kind, uri in _access(event) if kind == "BASIC_AUTH"]
    broker = {"Action": ["mq:DescribeBroker"], "Resource": _named(event, "Broker")}
    return [*secrets, broker, *_key(event)]


def _documents(event: Event) -> PolicyStatements:
    account = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}"
    return [
        *(_secret(uri) for kind, uri in _access(event) if kind == "BASIC_AUTH"),
        {
            "Action": ["rds:DescribeDBClusterParameters"],
            "Resource": written(f"{account}:cluster-pg:*", {}, event.place),
        },
        {"Action": ["rds:DescribeDBSubnetGroups"], "Resource": written(f"{account}:subgrp:*", {}, event.place)},
        {"Action": ["rds:DescribeDBClusters"], "Resource": _named(event, "Cluster")},
        {"Action": NETWORK_ACTIONS, "Resource": "*"},
        *_key(event),
    ]


_SECRETS = frozenset(
    {
        "SASL_SCRAM_256_AUTH",
        "SASL_SCRAM_512_AUTH",
        "BASIC_AUTH",
        "CLIENT_CERTIFICATE_TLS_AUTH",
        "OAUTHBEARER_AUTH",
        "SERVER_ROOT_CA_CERTIFICATE",
    }
)


def _own_kafka(event: Event) -> PolicyStatements:
    ways = list(_access(event))
    kinds = {kind for kind, _ in ways}
    network = {"VPC_SUBNET", "VPC_SECURITY_GROUP"} <= kinds
    return [
        *(_secret(uri) for kind, uri in ways if kind in _SECRETS),
        *([{"Action": NETWORK_ACTIONS, "Resource": "*"}] if network else []),
        *_key(event),
        *_registry(event),
    ]


def _managed_kafka(event: Event) -> PolicyStatements:
    secrets = [_secret(uri) for kind, uri in _access(event) if kind == "CLIENT_CERTIFICATE_TLS_AUTH"]
    return [*_registry(event), *secrets]


def _registry(event: Event) -> PolicyStatements:
    """What a schema registry takes: its secrets, and the schemas where it is one of Glue."""
    config = event.get("SchemaRegistryConfig")
    found = [
        _secret(uri) for uri in (get(one, "URI") for one in items(get(config, "AccessConfigs"))) if uri is not None
    ]
    address = get(config, "SchemaRegistryURI")
    segments = _spelt(address).split(":", 5)
    if address is not None and segments[0] == "arn" and segments[-1].startswith("registry/"):
        pattern = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:schema/${Name}/*"
        name = Scalar(segments[-1].removeprefix("registry/"), address.place)
        schemas = written(pattern, {"Name": name}, address.place)
        found += [
            {"Action": ["glue:GetRegistry"], "Resource": address},
            {"Action": ["glue:GetSchemaVersion"], "Resource": schemas},
        ]
    return found


def _spelt(node: Node | None) -> str:
    """A text with a star for each part that is not plain."""
    parts = getattr(node, "parts", None)
    return text(node) or "".join(part if isinstance(part, str) else "*" for part in parts or ())


def _named(event: Event, name: str) -> Node:
    return event.get(name) or Unknown(f"the event has no {name}", event.place)


# --- more properties of the mapping


def _group(event: Event) -> dict[str, Any] | None:
    found = {name: event.get(name) for name in ("ConsumerGroupId", "SchemaRegistryConfig")}
    return found if any(node is not None for node in found.values()) else None


def _own_kafka_properties(event: Event) -> dict[str, Any]:
    servers = {"Endpoints": {"KafkaBootstrapServers": event.get("KafkaBootstrapServers")}}
    return {"SelfManagedEventSource": servers, "SelfManagedKafkaEventSourceConfig": _group(event)}


def _document_properties(event: Event) -> dict[str, Any]:
    names = ("DatabaseName", "CollectionName", "FullDocument")
    return {"DocumentDBEventSourceConfig": {name: event.get(name) for name in names}}


class _Source(NamedTuple):
    """A source: the property that names it, its service, AWS's policy for it, and what it takes."""

    named: str
    service: str = ""
    managed: str = ""
    grants: Callable[[Event], PolicyStatements] | None = None
    more: Callable[[Event], dict[str, Any]] | None = None


SOURCES: Mapping[str, _Source] = {
    "SQS": _Source("Queue", "sqs", "AWSLambdaSQSQueueExecutionRole"),
    "Kinesis": _Source("Stream", "kinesis", "AWSLambdaKinesisExecutionRole"),
    "DynamoDB": _Source("Stream", "dynamodb", "AWSLambdaDynamoDBExecutionRole"),
    "MSK": _Source(
        "Stream",
        "kafka",
        "AWSLambdaMSKExecutionRole",
        _managed_kafka,
        lambda event: {"AmazonManagedKafkaEventSourceConfig": _group(event)},
    ),
    "MQ": _Source("Broker", "mq", grants=_broker),
    "SelfManagedKafka": _Source("", grants=_own_kafka, more=_own_kafka_properties),
    "DocumentDB": _Source("Cluster", "rds", grants=_documents, more=_document_properties),
}
"""What each type of event polls."""
