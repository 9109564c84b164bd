"""Around AWS::Serverless::WebSocketApi: routes, integrations, permissions, the authorizer, stage and domain."""

from __future__ import annotations

from threatmodel.stacks.apis import HTTP, Access, Authorizer, Integration, Route
from threatmodel.stacks.sam.apis import permit_authorizer, permit_calls, put
from threatmodel.stacks.sam.http_apis import add_http_domain, add_http_stage
from threatmodel.stacks.sam.making import Expansion, usual_text
from threatmodel.stacks.sam.targets import proxy_uri
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import joined, written
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, entries, get, text


def add_around_websocket(making: Expansion, api: Resource) -> None:
    """Adds what SAM generates for an AWS::Serverless::WebSocketApi."""
    _stage(making, api)
    access = _access(making, api)
    routes = get(api.properties, "Routes")
    for key, route in entries(routes).items():
        _route(making, api, key, route, access if key == "$connect" else Access())
    if isinstance(get(api.properties, "Domain"), Table):
        add_http_domain(making, api)


def _stage_name(api: Resource) -> Node:
    return get(api.properties, "StageName") or Scalar("default", api.place)


def _stage(making: Expansion, api: Resource) -> None:
    usual = usual_text(_stage_name(api)) or ""
    name = f"{api.name}DefaultStage" if usual == "default" else f"{api.name}{usual}Stage"
    add_http_stage(making, api, name, _stage_name(api))


def _access(making: Expansion, api: Resource) -> Access:
    """What is asked of those who connect; adds the authorizer where it is a function."""
    config = get(api.properties, "Auth")
    kind, function = get(config, "AuthType"), get(config, "AuthArn")
    if config is None or kind is None:
        return Access(Scalar("NONE", api.place))
    if text(kind) != "CUSTOM" or function is None:
        return Access(kind)
    name, place, role = f"{api.name}ConnectAuthorizer", config.place, get(config, "InvokeRole")
    decides = Authorizer(
        name=get(config, "Name") or name,
        kind="REQUEST",
        uri=proxy_uri(function, place),
        credentials=role,
        source=get(config, "IdentitySource"),
    )
    put(making, api, HTTP, name, decides, place)
    if role is None:
        permit_authorizer(making, api, "", function, place)
    return Access(kind, Link(name, "", place))


def _route(making: Expansion, api: Resource, key: str, route: Node, access: Access) -> None:
    place, base = route.place, f"{api.name}{key.replace('$', '').capitalize()}"
    function = get(route, "FunctionArn") or Unknown("the route names no function", place)
    part = Route(
        key=key,
        access=access._replace(key=get(route, "ApiKeyRequired")),
        target=joined(["integrations/", Link(f"{base}Integration", "", place)], place),
        parameters=get(route, "RequestParameters"),
    )
    put(making, api, HTTP, f"{base}Route", part, place)
    integration = Integration("AWS_PROXY", proxy_uri(function, place), timeout=get(route, "IntegrationTimeout"))
    put(making, api, HTTP, f"{base}Integration", integration, place)
    pattern = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/${Stage}/${Key}"
    values = {"Api": Link(api.name, "ApiId", place), "Stage": _stage_name(api), "Key": Scalar(key, place)}
    permit_calls(making, api, function, f"{base}Permission", written(pattern, values, place))
