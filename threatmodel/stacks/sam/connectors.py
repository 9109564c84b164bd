"""Connectors: the policies and permissions that let a source reach a destination.

What each pair of types takes is in sam-policies.json, under `connectors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from threatmodel.reading.problems import Place
from threatmodel.reading.tables import table
from threatmodel.stacks.sam.making import Expansion
from threatmodel.stacks.stack import MADE_OF, Resource
from threatmodel.stacks.texts import filled
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, entries, get, items, links, node_of, text

_ROLES = {
    "AWS::Lambda::Function": "Role",
    "AWS::Serverless::Function": "Role",
    "AWS::StepFunctions::StateMachine": "RoleArn",
    "AWS::Serverless::StateMachine": "Role",
    "AWS::AppSync::DataSource": "ServiceRoleArn",
}
_REF_IS_ARN = frozenset(
    {"AWS::StepFunctions::StateMachine", "AWS::SNS::Topic", "AWS::AppSync::GraphQLApi", "AWS::AppSync::DataSource"}
)
_APIS = frozenset({"AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"})


class End(NamedTuple):
    """One end of a connector: its plain type, and what policies need of it."""

    type: str
    values: Mapping[str, Node]
    role: Node | None = None


class Connector(NamedTuple):
    """A connector: its Permissions are `categories`; names of its resources begin with `name`, end with `suffix`."""

    maker: Resource
    name: str
    suffix: str
    categories: set[str | None]
    place: Place


def add_connectors(making: Expansion) -> None:
    """Adds what the connectors of a stack grant, those on their own and those on a resource."""
    for resource in list(making.resources.values()):
        if resource.type == "AWS::Serverless::Connector":
            source = get(resource.properties, "Source")
            if source is not None:
                _connect(making, resource, resource.name, source, resource.properties)
        attached = (resource.about or {}).get("Connectors")
        for name, connector in entries(attached).items():
            properties = get(connector, "Properties")
            if isinstance(properties, Table):
                more = get(properties, "SourceReference")
                own = {"Id": Scalar(resource.name, connector.place)}
                source = node_of({**own, **(entries(more))}, connector.place)
                _connect(making, resource, f"{resource.name}{name}", source, properties)


def _connect(making: Expansion, maker: Resource, name: str, source: Node, properties: Table) -> None:
    destination = get(properties, "Destination")
    several = not isinstance(destination, Table)
    categories = {text(one) for one in items(get(properties, "Permissions"))}
    for index, one in enumerate(items(destination)):
        suffix = f"Destination{index}" if several else ""
        place = maker.place if maker.type == "AWS::Serverless::Connector" else properties.place
        ends = end_of(making, source, one), end_of(making, one, source)
        if ends[0] is not None and ends[1] is not None:
            connect(making, Connector(maker, name, suffix, categories, place), ends[0], ends[1])


def end_of(making: Expansion, reference: Node, other: Node) -> End | None:
    """One end of a connector: a resource by its Id, or what is said of it."""
    name = text(get(reference, "Id"))
    if name is None:
        kind = text(get(reference, "Type"))
        values = {key: node for key, node in entries(reference).items() if key not in {"Type", "RoleName"}}
        return None if kind is None else End(MADE_OF.get(kind, kind), values, get(reference, "RoleName"))
    resource = making.resources.get(name)
    if resource is None:
        return None
    kind, place = MADE_OF.get(resource.type, resource.type), reference.place
    reference_itself = Link(name, "", place)
    values = {
        "Arn": reference_itself if kind in _REF_IS_ARN else Link(name, "Arn", place),
        "Name": Link(name, "Name", place),
        "ResourceId": Link(name, "ApiId", place) if kind == "AWS::AppSync::GraphQLApi" else reference_itself,
        "QueueUrl": reference_itself,
    }
    qualifier = get(reference, "Qualifier") or (Scalar("*", place) if kind in _APIS else None)
    if qualifier is not None:
        values["Qualifier"] = qualifier
    return End(kind, values, _role(making, resource, other))


def _role(making: Expansion, resource: Resource, other: Node) -> Node | None:
    """The role with which a resource reaches others."""
    if resource.type != "AWS::Events::Rule":
        return _named(get(resource.properties, _ROLES.get(resource.type, "Role")))
    if resource.name not in making.reaching:
        roles: dict[str, Node] = {}
        for target in items(get(resource.properties, "Targets")):
            role = _named(get(target, "RoleArn"))
            if role is not None:
                roles |= {link.resource: role for link in links(get(target, "Arn"))}
        making.reaching[resource.name] = roles
    name = text(get(other, "Id")) or next((link.resource for link in links(get(other, "Arn"))), "")
    return making.reaching[resource.name].get(name)


def _named(role: Node | None) -> Node | None:
    return Link(role.resource, "", role.place) if isinstance(role, Link) else role


def connect(making: Expansion, connector: Connector, source: End, destination: End) -> None:
    """Adds what a connector grants."""
    maker, name, suffix, categories, place = connector
    profile = table(__file__, "sam-policies.json")["connectors"].get(source.type, {}).get(destination.type)
    if profile is None:
        return
    values = {
        **{f"Source.{key}": node for key, node in source.values.items()},
        **{f"Destination.{key}": node for key, node in destination.values.items()},
    }
    holder = source if profile["source"] else destination
    chosen = {key: filled(stated, values, place) for key, stated in profile["categories"].items() if key in categories}
    if profile["kind"] == "permission":
        for category, stated in chosen.items():
            properties = {"FunctionName": holder.values.get("Arn"), **entries(stated)}
            permission = f"{name}{category}LambdaPermission{suffix}"
            making.add(maker, permission, "AWS::Lambda::Permission", properties, place)
        return
    statements = [one for stated in chosen.values() for one in items(stated)]
    document = {"Version": "2012-10-17", "Statement": statements}
    kind, ending, key, node = {
        "role": ("AWS::IAM::ManagedPolicy", "Policy", "Roles", holder.role),
        "topic": ("AWS::SNS::TopicPolicy", "TopicPolicy", "Topics", holder.values.get("Arn")),
        "queue": ("AWS::SQS::QueuePolicy", "QueuePolicy", "Queues", holder.values.get("QueueUrl")),
    }[profile["kind"]]
    held = node or Unknown("the grantee of the connector cannot be determined", place)
    making.add(maker, f"{name}{ending}{suffix}", kind, {"PolicyDocument": document, key: [held]}, place)
