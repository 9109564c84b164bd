"""Around AWS::Serverless::WebSocketApi: routes, integrations, permissions, the authorizer, stage and domain."""

from __future__ import annotations

from typing import Any

from threatmodel.stacks.sam.http_apis import add_http_domain
from threatmodel.stacks.sam.making import Expansion, usual_text
from threatmodel.stacks.sam.targets import TargetFunction, permit, proxy_uri
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import joined, written
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, get, text

_STAGE_KEYS = ("StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings")


def add_around_websockets(making: Expansion) -> None:
    """Adds what SAM generates for every AWS::Serverless::WebSocketApi."""
    for api in making.of_type("AWS::Serverless::WebSocketApi"):
        _stage(making, api)
        authorization = _authorization(making, api)
        routes = get(api.properties, "Routes")
        for key, route in routes.entries.items() if isinstance(routes, Table) else ():
            _route(making, api, key, route, authorization if key == "$connect" else {})
        if isinstance(get(api.properties, "Domain"), Table):
            add_http_domain(making, api)


def _stage_name(api: Resource) -> Node:
    return get(api.properties, "StageName") or Scalar("default", api.place)


def _stage(making: Expansion, api: Resource) -> None:
    usual = usual_text(_stage_name(api)) or ""
    name = f"{api.name}DefaultStage" if usual == "default" else f"{api.name}{usual}Stage"
    properties = {
        "ApiId": Link(api.name, "", api.place),
        "StageName": _stage_name(api),
        "AutoDeploy": True,
        **{key: get(api.properties, key) for key in _STAGE_KEYS},
    }
    making.add(api, name, "AWS::ApiGatewayV2::Stage", properties, api.place)
    making.means(f"{api.name}.Stage", name)


def _authorization(making: Expansion, api: Resource) -> dict[str, Any]:
    """What is asked of those who connect; adds the authorizer where it is a function."""
    config = get(api.properties, "Auth")
    kind, function = get(config, "AuthType"), get(config, "AuthArn")
    if config is None or kind is None:
        return {"AuthorizationType": Scalar("NONE", api.place)}
    if text(kind) != "CUSTOM" or function is None:
        return {"AuthorizationType": kind}
    name, place = f"{api.name}ConnectAuthorizer", config.place
    properties = {
        "ApiId": Link(api.name, "", place),
        "AuthorizerType": "REQUEST",
        "AuthorizerUri": proxy_uri(function, place),
        "AuthorizerCredentialsArn": get(config, "InvokeRole"),
        "IdentitySource": get(config, "IdentitySource"),
        "Name": get(config, "Name") or name,
    }
    making.add(api, name, "AWS::ApiGatewayV2::Authorizer", properties, place)
    if get(config, "InvokeRole") is None:
        pattern = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/authorizers/*"
        source = written(pattern, {"Api": Link(api.name, "", place)}, place)
        called = TargetFunction(api, function, function)
        given = {"Principal": "apigateway.amazonaws.com", "SourceArn": source}
        permit(making, called, f"{api.name}AuthorizerPermission", place, given)
    return {"AuthorizationType": kind, "AuthorizerId": Link(name, "", place)}


def _route(making: Expansion, api: Resource, key: str, route: Node, authorization: dict[str, Any]) -> None:
    place, base = route.place, f"{api.name}{key.replace('$', '').capitalize()}"
    function = get(route, "FunctionArn") or Unknown("the route names no function", place)
    properties = {
        "ApiId": Link(api.name, "", place),
        "RouteKey": key,
        "ApiKeyRequired": get(route, "ApiKeyRequired"),
        "RequestParameters": get(route, "RequestParameters"),
        "Target": joined(["integrations/", Link(f"{base}Integration", "", place)], place),
        **authorization,
    }
    making.add(api, f"{base}Route", "AWS::ApiGatewayV2::Route", properties, place)
    integration = {
        "ApiId": Link(api.name, "", place),
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": proxy_uri(function, place),
        "TimeoutInMillis": get(route, "IntegrationTimeout"),
    }
    making.add(api, f"{base}Integration", "AWS::ApiGatewayV2::Integration", integration, place)
    pattern = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/${Stage}/${Key}"
    values = {"Api": Link(api.name, "ApiId", place), "Stage": _stage_name(api), "Key": Scalar(key, place)}
    source = written(pattern, values, place)
    called = TargetFunction(api, function, function)
    given = {"Principal": "apigateway.amazonaws.com", "SourceArn": source}
    permit(making, called, f"{base}Permission", place, given)
