"""Routes to functions: what an API, a function URL or an authorizer calls, by which method at which path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from threatmodel.evidence.analyses.properties import read, worded
from threatmodel.evidence.policies.written import parsed
from threatmodel.evidence.relations.naming import Called, open_in
from threatmodel.evidence.relations.ways import Start, Ways, doubtful_of, named, places_of
from threatmodel.reading.problems import Place, quoted
from threatmodel.stacks.openapi import authorizers, operations
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Node, Unknown, get, leaves, links, text

_DEEPEST_PATH = 50
"""Parts of a path that are followed."""

_GUARDS = frozenset({"AWS_IAM", "JWT", "COGNITO_USER_POOLS"})
"""Types of authorization for which Slack has nothing to show: it can neither sign for IAM nor send a user's token."""


def route_target(ways: Ways, resource: Resource) -> None:
    """Notes to which integration a route leads."""
    node = read(resource.properties, "Target")
    for link in links(node):
        ways.routes.setdefault(link.resource, []).append(resource)
    if node is not None:
        ways.hide(Called((), open_in(node)), "apigateway", ways.names.api_of(resource))


def url(ways: Ways, resource: Resource) -> None:
    """Return a function URL, which is a separate API."""
    called = ways.names.called(named(resource, "TargetFunctionArn"))
    ways.anybody(called.open, f"the function URL {quoted(resource.name)}", resource.place)
    guarded, _ = _guards(read(resource.properties, "AuthType"))
    ways.start(called, "url", resource, Start("http", "ANY", resource.name, "", (resource.place,), guarded=guarded))


def method(ways: Ways, resource: Resource) -> None:
    """A method of a REST API."""
    address = read(resource.properties, "Integration", "Uri")
    called = ways.names.called(address)
    api = ways.names.api_of(resource)
    ways.hide(called, "apigateway", api)
    if read(resource.properties, "Integration", "Credentials"):
        ways.anybody(called.open, f"the method {quoted(resource.name)}", resource.place)
    if called.functions:
        verb = read(resource.properties, "HttpMethod")
        path, parts = _path(ways, read(resource.properties, "ResourceId"))
        known = None if getattr(verb, "given", ()) else worded(verb)
        route = _Route(api, known, path, (verb, *parts), *_asks(resource))
        _started(ways, called, resource, route, places_of(resource, address))


def integration(ways: Ways, resource: Resource) -> None:
    """An integration of an HTTP or WebSocket API, and the routes that lead to it."""
    address = read(resource.properties, "IntegrationUri")
    called = ways.names.called(address)
    ways.hide(called, "apigateway", ways.names.api_of(resource))
    if read(resource.properties, "CredentialsArn"):
        ways.anybody(called.open, f"the integration {quoted(resource.name)}", resource.place)
    for route in ways.routes.get(resource.name, ()) if called.functions else ():
        api = ways.names.api_of(route)
        one_of = len({link.resource for link in links(read(route.properties, "Target"))}) > 1
        found = _Route(api, None, None) if one_of else _split(api, read(route.properties, "RouteKey"))
        places = dict.fromkeys((*places_of(route, None), *places_of(resource, address)))
        guarded, decided = _asks(route)
        found = found._replace(guarded=guarded, decided=decided)
        _started(ways, called, doubtful_of(resource, route), found, tuple(places))


def api(ways: Ways, resource: Resource) -> None:
    """Return an API whose routes are in its own definition, or that invokes one function as a whole."""
    body = read(resource.properties, "Body")
    elsewhere = read(resource.properties, "BodyS3Location")
    if elsewhere is not None:
        ways.hide(Called((), Unknown("its routes are in another file", elsewhere.place)), "apigateway", resource.name)
    for operation in operations(parsed(body)) if body is not None else ():
        called = ways.names.called(get(operation.integration, "uri"))
        ways.hide(called, "apigateway", resource.name)
        if called.functions:
            found = _Route(resource.name, operation.method, operation.path, (), *_guards(operation.auth))
            _started(ways, called, resource, found, (operation.place,))
    for one in authorizers(parsed(body)) if body is not None else ():
        called = ways.names.called(one.get("authorizerUri"))
        start = Start("authorizes", "", resource.name, "", places_of(resource, one.settings))
        ways.start(called, "apigateway", resource, start, resource.name)
    target = read(resource.properties, "Target")
    called = ways.names.called(target)
    ways.hide(called, "apigateway", resource.name)
    if target is not None and called.functions:
        key = read(resource.properties, "RouteKey")
        whole = _Route(resource.name, "ANY", "") if key is None else _split(resource.name, key)
        _started(ways, called, resource, whole, places_of(resource, target))


def authorizer(ways: Ways, resource: Resource) -> None:
    """A function that decides who may call an API."""
    called = ways.names.called(named(resource, "AuthorizerUri"))
    ways.anybody(called.open, f"the authorizer {quoted(resource.name)}", resource.place)
    start = Start("authorizes", "", ways.names.api_of(resource), "", (resource.place,))
    ways.start(called, "apigateway", resource, start, resource.name)


def _started(ways: Ways, called: Called, resource: Resource, route: _Route, places: tuple[Place, ...]) -> None:
    """Notes that a route through an API starts functions."""
    verb = {"*": "ANY", None: ""}.get(route.verb, (route.verb or "").upper())
    reached = not _out_of_reach(ways, route.api)
    start = Start(
        *("http", verb, route.api, route.path or "", places),
        guarded=route.guarded,
        decided=route.decided,
        reached=reached,
    )
    ways.start(called, "apigateway", resource, start)
    for name in called.functions:
        if route.verb is None or route.path is None:
            defaults = _defaults(ways, route.stated_by)
            ways.way(name).doubt(f"the path or method of a route to it is unknown{defaults}", places[0])


def _defaults(ways: Ways, nodes: Sequence[Node | None]) -> str:
    """The parameters whose defaults give a part of a route, and where these stand; the values are not shown."""
    found = []
    for name in dict.fromkeys(name for node in nodes for name in getattr(node, "given", ())):
        parameter = ways.stack.parameters.get(name)
        if parameter is not None and not isinstance(parameter.value, Unknown):
            at = f"{quoted(name)} at {parameter.value.place}"
            found.append(f"a deployment may replace the default of the parameter {at}")
    return f": {'; '.join(found)}" if found else ""


def _path(ways: Ways, node: Node | None) -> tuple[str | None, Sequence[Node]]:
    """The path of a resource of a REST API, None where it is not known; and the parts that were looked at."""
    parts: list[Node] = []
    for _ in range(_DEEPEST_PATH):
        resource = ways.stack.target(node)
        if resource is None or isinstance(node, Unknown):
            return None, parts
        if "api" in ways.names.kinds.get(resource.name, ()):
            known = not any(getattr(part, "given", ()) for part in parts)
            return "/" + "/".join(worded(part) or "" for part in reversed(parts)) if known else None, parts
        part = read(resource.properties, "PathPart")
        if part is None or worded(part) is None:
            return None, parts
        parts.append(part)
        node = read(resource.properties, "ParentId")
    return None, parts


class _Route(NamedTuple):
    """An API, the method and the path of a route, each None where it is not known, and the nodes that tell them.

    `guarded`: callers have to show what Slack cannot; `decided`: a Lambda authorizer decides about them.
    """

    api: str
    verb: str | None
    path: str | None
    stated_by: tuple[Node | None, ...] = ()
    guarded: bool = False
    decided: bool = False


def _asks(resource: Resource) -> tuple[bool, bool]:
    """Return whether a method or route is guarded, and whether code decides; False if that is unknown."""
    return _guards(read(resource.properties, "AuthorizationType")) if resource.doubt is None else (False, False)


def _guards(node: Node | None) -> tuple[bool, bool]:
    stated = None if getattr(node, "given", ()) else text(node)
    return stated in _GUARDS, stated == "CUSTOM"


def _out_of_reach(ways: Ways, api: str) -> bool:
    """Whether Slack cannot call an API: it opens no connections, and is in no network of a private API."""
    properties = ways.stack.resources[api].properties if api in ways.stack.resources else None
    kind = read(properties, "ProtocolType") or read(properties, "EndpointConfiguration", "Types|Type")
    return [text(one) for one in leaves(kind)] in (["WEBSOCKET"], ["PRIVATE"]) and not getattr(kind, "given", ())


def _split(api: str, key: Node | None) -> _Route:
    """The route that a key such as ``POST /orders`` means."""
    spelt = None if getattr(key, "given", ()) else worded(key)
    if spelt is None:
        return _Route(api, None, None, (key,))
    if spelt == "$default":
        return _Route(api, "ANY", "")
    method, _, path = spelt.partition(" ")
    return _Route(api, method, path) if path else _Route(api, "ANY", method)
