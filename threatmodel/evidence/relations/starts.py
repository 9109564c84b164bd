"""What starts each function of a stack: events, mappings, routes, URLs, notifications, rules, schedules, permissions.

A caller of a function needs a permission on it or a role, and a poller a mapping.  So the list of a function's
starts is complete if each of these was understood; what was not is kept as the reason why the list may be longer.
What is switched off counts: a switch is no part of how functions are wired.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import product

from threatmodel.evidence.analyses.properties import each, read, worded
from threatmodel.evidence.outside import whole
from threatmodel.evidence.policies.grants import Grant, statements
from threatmodel.evidence.policies.grants import permission as statement_of
from threatmodel.evidence.relations.acting import argument_of, tasks
from threatmodel.evidence.relations.event_sources import (
    bucket,
    destination,
    elsewhere,
    existing_bucket,
    mapping,
    notifications,
    pipe,
    rule,
    schedule,
    subscription,
    topic,
)
from threatmodel.evidence.relations.naming import Called, Names
from threatmodel.evidence.relations.routes import api, authorizer, integration, method, route_target, url
from threatmodel.evidence.relations.ways import ANYONE, Ways, named
from threatmodel.evidence.resource_types import CALLS_NOTHING, PUSHES, RESOURCE_TYPES, known
from threatmodel.reading.problems import Place, quoted, visible
from threatmodel.stacks.sam.events import SERVICES
from threatmodel.stacks.sam.polls import SOURCES
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Link, Table, Unknown, get, links, text, unknowns

_PERMISSIONS = ("AWS::Lambda::Permission", "AWS::Lambda::ResourcePolicy")
_CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")


def starts(names: Names) -> Ways:
    """What starts each function of a stack, and how that was found; not what roles allow."""
    ways = Ways(names)
    _look(ways)
    for resource in names.stack.of_type(*_PERMISSIONS):
        ways.at = resource.name
        permission(ways, resource)
    for found, why, place in ways.anyone.values():
        for name, function in names.functions.items():
            if names.may_name(found, function):
                ways.way(name).doubt(why, place)
    return ways


def _look(ways: Ways) -> None:
    """Looks at every resource but the permissions, which are held against what is then known."""
    for resource in ways.stack.of_type("AWS::ApiGatewayV2::Route"):
        ways.at = resource.name
        route_target(ways, resource)
    for resource in ways.stack.resources.values():
        ways.at = resource.name
        if resource.type in _READERS:
            _READERS[resource.type](ways, resource)
        if resource.type not in _READ_WHOLLY and not resource.type.startswith(CALLS_NOTHING):
            if ways.stack.kind != "serverless" or not _of_serverless(ways, resource):
                _refers(ways, resource)
            _hides(ways, resource)
        if known(resource.type).acts_as == "machine":
            _machine(ways, resource)
        if resource.name in ways.found:
            _function(ways, resource)
        elif resource.opaque is not None and not resource.made_by:
            _opaque(ways, resource, resource.opaque)


def _opaque(ways: Ways, resource: Resource, why: Unknown) -> None:
    """Note that a resource may start any function that allows it, because its properties are unknown."""
    service = next((service for prefix, service in PUSHES.items() if resource.type.startswith(prefix)), "")
    if service:
        sends = {"api", "queue", "store"} & set(ways.names.kinds.get(resource.name, ()))
        own = resource.name if sends else ""
        ways.hide(Called((), why), service, own)
    elif resource.type in _READERS:
        ways.anybody(why, quoted(resource.name), resource.place)


def _function(ways: Ways, resource: Resource) -> None:
    """What SAM's own properties of a function leave open."""
    if resource.opaque is not None:
        ways.way(resource.name).doubt(resource.opaque.why, resource.opaque.place)
    if not resource.type.startswith("AWS::Serverless::"):
        return
    deployed = read(resource.properties, "DeploymentPreference") or resource.opaque
    hooks = deployed if isinstance(deployed, Unknown) else get(deployed, "Hooks")
    ways.anybody(
        hooks if isinstance(hooks, Unknown) else None, f"deployments of {quoted(resource.name)}", resource.place
    )
    found = resource.properties.entries.get("Events")
    if isinstance(found, Unknown):
        ways.way(resource.name).doubt(found.why, found.place)
    for event in found.entries.values() if isinstance(found, Table) else ():
        kind = event if isinstance(event, Unknown) else get(event, "Type")
        properties = get(event, "Properties")
        hidden = next((node for node in (kind, properties) if isinstance(node, Unknown)), None)
        if hidden is not None:
            ways.way(resource.name).doubt(hidden.why, hidden.place)
        elif text(kind) not in SERVICES and text(kind) not in SOURCES:
            ways.way(resource.name).doubt("an event has an unknown type", event.place)
    for hook in each(read(resource.properties, "DeploymentPreference", "Hooks", "PreTraffic")) + each(
        read(resource.properties, "DeploymentPreference", "Hooks", "PostTraffic")
    ):
        called = ways.names.called(hook)
        ways.anybody(called.open, f"deployments of {quoted(resource.name)}", hook.place)
        ways.serve(called, "codedeploy", resource, whole("codedeploy"), hook.place)


def _of_serverless(ways: Ways, resource: Resource) -> bool:
    """A resource by which the Serverless Framework binds a function to a bucket or pool that exists already."""
    if read(resource.properties, "BucketConfigs") is not None:
        existing_bucket(ways, resource)
        return True
    if resource.type == "Custom::CognitoUserPool" and read(resource.properties, "UserPoolConfigs") is not None:
        called = ways.names.called(read(resource.properties, "FunctionName"))
        ways.serve(called, "cognito-idp", resource, whole("cognito-idp"), resource.place)
        return True
    return False


def _refers(ways: Ways, resource: Resource) -> None:
    """Any other resource that names a function: a service that is known to start it, or one that may."""
    found: dict[str, Link] = {}
    works = resource.properties.entries.get("ServiceToken")  # of a custom resource, the function that works for it
    for link in links(works if resource.type.startswith(_CUSTOM) else resource.properties):
        found.setdefault(ways.names.meant(link.resource), link)
    for name, link in found.items():
        if name in ways.found:
            _named(ways, Called((name,)), resource, link.place)


def _machine(ways: Ways, machine: Resource) -> None:
    """The functions that tasks of a state machine name by a text: links are seen wherever they stand."""
    for task in tasks(machine):
        node = argument_of(task) if task.service in {"", "lambda"} else None
        called = ways.names.called(node) if not any(links(node)) else Called(())
        if called.functions:
            ways.serve(Called(called.functions), "states", machine, machine.name, task.place)


def _hides(ways: Ways, resource: Resource) -> None:
    """Return what a service may start by an unread definition."""
    row = known(resource.type)
    stand_in = ("ServiceToken",) if resource.type.startswith(_CUSTOM) else row.names_in
    nodes = (resource.properties.entries.get(name) for name in stand_in)
    hidden = next((one for node in nodes for one in unknowns(node)), None)
    if stand_in:
        ways.anybody(hidden or resource.opaque, quoted(resource.name), resource.place)


def _named(ways: Ways, called: Called, resource: Resource, place: Place) -> None:
    """A resource that names a function."""
    row = known(resource.type)
    if resource.type.startswith(_CUSTOM):
        ways.serve(called, "cloudformation", resource, whole("cloudformation"), place)
    elif row.part_of:
        drawn = ways.names.element(read(resource.properties, row.part_of), "external system")
        ways.serve(called, row.calls, resource, drawn or whole(row.calls), place)
    elif row.service:
        ways.serve(called, row.calls, resource, resource.name, place)
    else:
        why = f"{quoted(resource.name)} ({visible(resource.type_in_file)}) names it and may call it"
        ways.calls(called, row.calls, resource, why, place)


_BY_NAME: Mapping[str, Callable[[Ways, Resource], None]] = {
    reader.__name__: reader
    for reader in (
        *(api, authorizer, integration, method, url),
        *(bucket, destination, elsewhere, mapping, notifications, pipe, rule, schedule, subscription, topic),
    )
}
_READERS = {name: _BY_NAME[row.read_as] for name, row in RESOURCE_TYPES.items() if row.read_as}
"""How each type of resource that starts functions is read."""
_READ_WHOLLY = {*_PERMISSIONS, *(name for name in _READERS if not name.startswith(_CUSTOM))}
"""The types of which no other property can name a function; behind a custom resource works one more."""


# --- permissions
def permission(ways: Ways, resource: Resource) -> None:
    """Who may call a function: a permission, or a policy on the function."""
    node = named(resource, "FunctionName|ResourceArn")
    called = ways.names.called(node)
    what = f"the principal of the permission {quoted(resource.name)}"
    ways.anybody(called.open, what, resource.place)
    if not called.functions:
        return
    document = read(resource.properties, "PolicyDocument")
    action = worded(read(resource.properties, "Action")) or ""
    through_url = read(resource.properties, "FunctionUrlAuthType|InvokedViaFunctionUrl") is not None
    for grant in statements(document) if document is not None else (statement_of(resource.properties),):
        named_by = [one.pattern.text for one in grant.principals] or [""]
        for principal in named_by if grant.effect != "Deny" else ():
            own = re.match(r"([a-z0-9-]+)\.(?:[a-z0-9-]+\.)?amazonaws\.com", principal)
            service = "url" if through_url or action.endswith("FunctionUrl") else own[1] if own else ""
            _permitted(ways, called, resource, (principal, service), grant)


def _permitted(ways: Ways, called: Called, resource: Resource, who: tuple[str, str], grant: Grant) -> None:
    """Holds a principal, its service and the sources of its statement against what is known to start a function."""
    principal, service = who
    sources = (value for one in grant.conditions if one.key == "aws:sourcearn" for value in one.values)
    senders = {ways.names.meant(link.resource) for one in sources for link in one.links}
    for name in called.functions:
        known = ways.way(name).callers.get(service) if service else None
        if known is None or (senders and not senders & known):
            ways.way(name).doubt(_foreign(principal, service, known=known is not None), resource.place)
            continue
        for whose, given in product(senders | {""} if senders else {ANYONE}, (False, True)):
            hidden = ways.hidden.get((service, whose, given))
            if hidden is not None and ways.names.may_name(hidden, ways.names.functions[name]):
                ways.way(name).doubt(f"{service} may also start it in another way: {hidden.why}", hidden.place)


def _foreign(principal: str, service: str, *, known: bool) -> str:
    if service == "url":
        return "a function URL that is not in this file may start it"
    if service and known:
        return f"a permission allows {service} to start it for a source that cannot be read"
    if service:
        return f"a permission allows {service} to start it, and its source is unknown"
    if principal == "*":
        return "a permission allows any principal to call it"
    return "a permission allows an external principal to call it"
