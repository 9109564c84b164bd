"""Around AWS::Serverless::StateMachine: its role, alias, and what starts it."""

from __future__ import annotations

from threatmodel.stacks.apis import Integration
from threatmodel.stacks.sam.events import IMPLICIT_REST, api_of
from threatmodel.stacks.sam.making import Event, Expansion, Opened, events, flag, usual_text
from threatmodel.stacks.sam.policies import Grants, give_role, trust
from threatmodel.stacks.sam.targets import add_starter, rule, schedule
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import joined, written
from threatmodel.stacks.values import Link, Node, Unknown, counts, get, text

_BUS = ("Schedule", "CloudWatchEvent", "EventBridgeRule")


def add_around_machine(making: Expansion, resource: Resource) -> None:
    """Adds what SAM generates for an AWS::Serverless::StateMachine."""
    _role(making, resource)
    target = _alias(making, resource)
    for event in events(resource):
        _event(making, resource, event, target)


def _role(making: Expansion, resource: Resource) -> None:
    given, place = resource.properties, resource.place
    grants = Grants(f"{resource.name}Role")
    grants.take(get(given, "Policies"))
    tracing = get(given, "Tracing", "Enabled")
    if tracing is not None and flag(tracing):
        grants.attach("AWSXrayWriteOnlyAccess", tracing.place)
    boundary, path = get(given, "PermissionsBoundary"), get(given, "RolePath")
    trusted = trust("states.amazonaws.com", place)
    give_role(making, resource, grants, trusted, PermissionsBoundary=boundary, Path=path)


def _alias(making: Expansion, resource: Resource) -> Node:
    """What events start: the state machine, or its alias where that is asked for."""
    alias = get(resource.properties, "AutoPublishAlias")
    if alias is None or not counts(alias):
        return Link(resource.name, "", resource.place)
    version, name = f"{resource.name}Version", f"{resource.name}Alias{usual_text(alias) or ''}"
    machine, place = Link(resource.name, "", alias.place), alias.place
    making.add(resource, version, "AWS::StepFunctions::StateMachineVersion", {"StateMachineArn": machine}, place)
    preference = get(resource.properties, "DeploymentPreference")
    properties = {"Name": alias, "DeploymentPreference": preference, "RoutingConfiguration": None}
    making.add(resource, name, "AWS::StepFunctions::StateMachineAlias", properties, place)
    if not flag(get(resource.properties, "UseAliasAsEventTarget")):
        return Link(resource.name, "", resource.place)
    spelled = alias if isinstance(alias, Unknown) else text(alias) or Unknown("the alias has no plain name", place)
    return joined([machine, ":", spelled], place)


def _event(making: Expansion, resource: Resource, event: Event, target: Node) -> None:
    if event.type == "ScheduleV2":
        schedule(making, resource, event, target, event.get("PermissionsBoundary"))
    elif event.type in _BUS:
        role = event.get("RoleArn") if event.type == "Schedule" else None
        role = role or _starter(making, resource, event, "events", target)
        rule(making, resource, event, target, role)
    elif event.type == "Api":
        _api(making, resource, event, target)


def _starter(making: Expansion, resource: Resource, event: Event, service: str, target: Node) -> Link:
    boundary = get(resource.properties, "PermissionsBoundary")
    return add_starter(making, resource, event, f"{service}.amazonaws.com", target, boundary)


def _api(making: Expansion, resource: Resource, event: Event, target: Node) -> None:
    role = _starter(making, resource, event, "apigateway", target)
    name = api_of(event.get("RestApiId"), IMPLICIT_REST)
    if name is None:
        return
    place = event.place
    uri = written("arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartExecution", {}, place)
    template = written('{"input": "$input.json(\'$\')", "stateMachineArn": "${Machine}"}', {"Machine": target}, place)
    integration = Integration("AWS", uri, "POST", credentials=role, templates={"application/json": template})
    path = event.get("Path") or Unknown("no path is given", place)
    method = text(event.get("Method")) or "*"
    making.routes.setdefault(name, []).append(Opened(resource, event, method.upper(), path, integration))
