"""The events of a serverless.yml that are requests to an HTTP API or a WebSocket API, and those APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.apis import HTTP, Access, Authorizer, Integration, Route
from threatmodel.stacks.serverless.making import (
    HTTP_API,
    SOCKETS,
    Function,
    GrowingTemplate,
    either,
    flag,
    get,
    invocation,
    join,
    path_part,
    ref,
    routes_of,
    sub,
)
from threatmodel.stacks.serverless.names import logical
from threatmodel.stacks.serverless.rest import ANY_METHOD, UNSTATED, deciding, method_and_path, stage_logs
from threatmodel.stacks.values import Joined, Node, Scalar, Table, Unknown, entries, items, text

# --- HTTP APIs


def http_api_event(making: GrowingTemplate, function: Function, event: Node, place: Place, _number: int) -> None:
    """``httpApi``: a route of an HTTP API."""
    stated = method_and_path(event)
    if stated is None:
        making.not_read(f"functions.{function.name}.events.httpApi", UNSTATED, place)
        return
    method, path = stated[0].upper(), stated[1]
    whole = path == "*"
    key = "$default" if whole else f"{ANY_METHOD.get(method, method)} {path}"
    spelled = "Default" if whole else "".join(path_part(part) for part in f"{stated[0]} {path}".split("/"))
    api, leads = making.api(HTTP_API), f"HttpApiIntegration{logical(function.name)}"
    payload = either(function.get("httpApi", "payload"), making.of_provider("httpApi", "payload")) or "2.0"
    making.put(leads, HTTP, Integration("AWS_PROXY", function.target, payload=payload), api, place, function.id)
    route = Route(key, _access(making, get(event, "authorizer"), place), join("integrations/", ref(leads)))
    making.put(f"HttpApiRoute{spelled}", HTTP, route, api, place, function.id)
    making.permit(
        f"{logical(function.name)}LambdaPermissionHttpApi",
        function,
        place,
        "apigateway.amazonaws.com",
        SourceArn=routes_of(api, "/*"),
    )


def _access(making: GrowingTemplate, config: Node | None, place: Place) -> Access:
    """How a route knows its callers."""
    stated = get(config, "type")
    if config is None or isinstance(stated, Unknown | Joined):
        return Access(stated)
    kind = (text(stated) or "").lower()
    if kind == "aws_iam":
        return Access("AWS_IAM")
    scopes, own = get(config, "scopes"), get(config, "id")
    if own is not None:
        known = {"jwt": "JWT", "request": "CUSTOM"}
        return Access(known.get(kind, Unknown("its kind is not in this file", place)), own, scopes)
    name = text(config) or text(get(config, "name")) or ""
    declared = making.of_provider("httpApi", "authorizers", name)
    if declared is None or isinstance(declared, Unknown):
        return Access(declared or Unknown("no authorizer has this name", place))
    sort = get(declared, "type")
    if not isinstance(sort, Unknown | Joined):
        sort = Scalar("CUSTOM" if (text(sort) or "jwt").lower() == "request" else "JWT", place)
    return Access(sort, ref(f"HttpApiAuthorizer{logical(name)}"), scopes)


def add_http_api(making: GrowingTemplate, place: Place) -> None:
    """The HTTP API itself, its stage and its authorizers."""
    config = making.of_provider("httpApi")
    if isinstance(config, Unknown):
        making.not_read("provider.httpApi", config.why, config.place)
    for name, declared in entries(get(config, "authorizers")).items():
        _add_http_authorizer(making, name, declared)
    if get(config, "id") is not None:
        return
    cors = get(config, "cors")
    name_of = making.words(making.variables.stage, "-", making.service, place=place)
    properties: dict[str, Any] = {
        "Name": get(config, "name") or name_of,
        "ProtocolType": "HTTP",
        "DisableExecuteApiEndpoint": entries(config).get("disableDefaultEndpoint"),
        "CorsConfiguration": _cors(cors),
    }
    making.add(HTTP_API, "AWS::ApiGatewayV2::Api", place, properties)
    stage: dict[str, Any] = {"ApiId": ref(HTTP_API), "StageName": "$default", "AutoDeploy": True}
    stage["DefaultRouteSettings"] = {"DetailedMetricsEnabled": get(config, "metrics")}
    _, stage["AccessLogSettings"] = stage_logs(making, "httpApi", "HttpApiLogGroup", "/aws/http-api/")
    making.add("HttpApiStage", "AWS::ApiGatewayV2::Stage", place, stage)


def _cors(cors: Node | None) -> Any:
    if isinstance(cors, Table):
        names = {
            "allowedOrigins": "AllowOrigins",
            "allowedHeaders": "AllowHeaders",
            "allowedMethods": "AllowMethods",
            "allowCredentials": "AllowCredentials",
            "exposedResponseHeaders": "ExposeHeaders",
            "maxAge": "MaxAge",
        }
        return {"AllowOrigins": ["*"]} | {names[key]: child for key, child in cors.entries.items() if key in names}
    return cors if isinstance(cors, Unknown) else None if cors is None else {"AllowOrigins": ["*"]}


def _add_http_authorizer(making: GrowingTemplate, name: str, declared: Node) -> None:
    place, api = declared.place, making.api(HTTP_API)
    source = get(declared, "identitySource")
    decides = Authorizer(
        get(declared, "name") or name, "JWT", source=list(items(source)) if source is not None else None
    )
    if (text(get(declared, "type")) or "jwt").lower() == "request":
        called = text(get(declared, "functionName")) or ""
        function = making.functions.get(called)
        target = function.target if function is not None else get(declared, "functionArn")
        uri = Unknown("its function is not stated", place) if target is None else invocation(target)
        decides = decides._replace(kind="REQUEST", uri=uri, seconds=get(declared, "resultTtlInSeconds"))
        if target is not None and flag(get(declared, "managedExternally"), otherwise=False) is False:
            permission = f"{logical(name)}LambdaAuthorizerPermissionHttpApi"
            making.permit(permission, target, place, "apigateway.amazonaws.com", SourceArn=routes_of(api, "/*"))
    else:
        tokens = {"Audience": get(declared, "audience"), "Issuer": get(declared, "issuerUrl")}
        decides = decides._replace(tokens=tokens)
    making.put(f"HttpApiAuthorizer{logical(name)}", HTTP, decides, api, place)


# --- WebSockets

_SPELLED: Mapping[str, str] = {"$": "S", "/": "Slash", "-": "Dash", "_": "Underscore", ".": "Period"}


def socket_event(making: GrowingTemplate, function: Function, event: Node, place: Place, _number: int) -> None:
    """``websocket``: a route of a WebSocket API."""
    key = text(event) or text(get(event, "route"))
    if key is None:
        making.not_read(f"functions.{function.name}.events.websocket", "which route is meant is not stated", place)
        return
    api = making.api(SOCKETS)
    leads = f"{logical(function.name)}WebsocketsIntegration"
    making.put(leads, HTTP, Integration("AWS_PROXY", invocation(function.target)), api, place, function.id)
    spelled = "".join(_SPELLED.get(character, character) for character in key)
    route = Route(key, _socket_access(making, get(event, "authorizer"), place), join("integrations/", ref(leads)))
    making.put(f"{spelled}WebsocketsRoute", HTTP, route, api, place, function.id)
    making.permit(f"{logical(function.name)}LambdaPermissionWebsockets", function, place, "apigateway.amazonaws.com")


def _socket_access(making: GrowingTemplate, config: Node | None, place: Place) -> Access:
    if config is None or isinstance(config, Unknown):
        return Access(config or "NONE")
    if (text(config) or "").upper() == "AWS_IAM":
        return Access("AWS_IAM")
    name, target = deciding(making, config, place)
    if target is None:
        return Access("CUSTOM", Unknown("no function has this name", place))
    source = get(config, "identitySource") or ["route.request.header.Auth"]
    called = f"{logical(name)}WebsocketsAuthorizer"
    decides = Authorizer(name, "REQUEST", uri=invocation(target), source=source)
    making.put(called, HTTP, decides, making.api(SOCKETS), place)
    making.permit(f"{logical(name)}LambdaPermissionWebsockets", target, place, "apigateway.amazonaws.com")
    return Access("CUSTOM", ref(called))


def add_sockets_api(making: GrowingTemplate, place: Place) -> None:
    """The WebSocket API itself and its stage."""
    connections = "arn:${AWS::Partition}:execute-api:*:*:*/@connections/*"
    making.grant(place, ["execute-api:ManageConnections"], [sub(connections)])
    config = making.of_provider("apiGateway")
    if isinstance(config, Unknown):
        making.not_read("provider.apiGateway", config.why, config.place)
    if get(config, "websocketApiId") is not None:
        return
    name = making.words(making.variables.stage, "-", making.service, "-websockets", place=place)
    properties: dict[str, Any] = {
        "Name": making.of_provider("websocketsApiName") or name,
        "ProtocolType": "WEBSOCKET",
        "RouteSelectionExpression": making.of_provider("websocketsApiRouteSelectionExpression")
        or "$request.body.action",
    }
    making.add(SOCKETS, "AWS::ApiGatewayV2::Api", place, properties)
    stage: dict[str, Any] = {"ApiId": ref(SOCKETS), "StageName": making.variables.stage}
    settings, logs = stage_logs(making, "websocket", "WebsocketsLogGroup", "/aws/websocket/")
    stage |= {"AccessLogSettings": logs, "DefaultRouteSettings": settings}
    making.add("WebsocketsDeploymentStage", "AWS::ApiGatewayV2::Stage", place, stage)
