"""The stage that a deployment of a REST API makes itself: `StageName` with `StageDescription`, as a resource."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown, both, get, items

_DEPLOYMENT = "AWS::ApiGateway::Deployment"
_STAGE = "AWS::ApiGateway::Stage"
_OF_EVERY_METHOD = (
    *("CacheDataEncrypted", "CacheTtlInSeconds", "CachingEnabled", "DataTraceEnabled", "LoggingLevel"),
    *("MetricsEnabled", "ThrottlingBurstLimit", "ThrottlingRateLimit"),
)
"""What a description of a stage sets for every method, where a stage has it under MethodSettings."""


def with_stages(resources: Mapping[str, Resource]) -> Mapping[str, Resource]:
    """The resources with the stages that deployments make themselves, each under the name ``<deployment> stage``."""
    made = {}
    for resource in resources.values():
        name = get(resource.properties, "StageName") if resource.type == _DEPLOYMENT else None
        if name is not None:
            stage = _stage(resource, name)
            made[stage.name] = stage
    return {**resources, **made}


def _stage(deployment: Resource, name: Node) -> Resource:
    described = get(deployment.properties, "StageDescription")
    entries = dict(described.entries) if isinstance(described, Table) else {}
    everywhere = {key: entries.pop(key) for key in _OF_EVERY_METHOD if key in entries}
    if everywhere:
        entries["MethodSettings"] = _settings(everywhere, entries.get("MethodSettings"), deployment)
    entries["StageName"] = name
    api = get(deployment.properties, "RestApiId")
    if api is not None:
        entries["RestApiId"] = api
    return replace(
        deployment,
        name=f"{deployment.name} stage",
        type=_STAGE,
        properties=Table(entries, deployment.properties.place),
        made_by=deployment.name,
        doubt=both(deployment.doubt, name if isinstance(name, Unknown) else None),
        opaque=both(deployment.opaque, described if isinstance(described, Unknown) else None),
        about=None,
    )


def _settings(everywhere: Mapping[str, Node], own: Node | None, deployment: Resource) -> List:
    """The settings of all methods, before those of single ones."""
    place = next(iter(everywhere.values())).place
    whole = {"ResourcePath": Scalar("/*", place), "HttpMethod": Scalar("*", place), **everywhere}
    return List((Table(whole, place), *items(own)), deployment.place)
