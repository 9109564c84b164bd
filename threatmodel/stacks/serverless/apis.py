"""The events of a serverless.yml that are requests to an HTTP API or a WebSocket API, and those APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.serverless.making import (
    HTTP,
    SOCKETS,
    Function,
    GrowingTemplate,
    attribute,
    either,
    entries,
    flag,
    get,
    invocation,
    join,
    last_name,
    or_unknown,
    path_part,
    ref,
    routes_of,
    sub,
)
from threatmodel.stacks.serverless.names import logical
from threatmodel.stacks.serverless.rest import (
    ANY_METHOD,
    UNSTATED,
    access_logs,
    logging_level,
    logs_of,
    method_and_path,
)
from threatmodel.stacks.values import Joined, Node, Scalar, Table, Unknown, items, text

# --- HTTP APIs


def http_id(making: GrowingTemplate) -> Any:
    """The HTTP API of the service, or the one that it adds to."""
    return either(making.of_provider("httpApi", "id")) or ref(HTTP)


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
    integration = f"HttpApiIntegration{logical(function.name)}"
    making.add(
        integration,
        "AWS::ApiGatewayV2::Integration",
        place,
        {
            "ApiId": http_id(making),
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": function.target,
            "PayloadFormatVersion": either(function.get("httpApi", "payload"), making.of_provider("httpApi", "payload"))
            or "2.0",
        },
        function.id,
    )
    properties = {
        "ApiId": http_id(making),
        "RouteKey": key,
        "Target": join("integrations/", ref(integration)),
        **_route_authorization(making, get(event, "authorizer"), place),
    }
    making.add(f"HttpApiRoute{spelled}", "AWS::ApiGatewayV2::Route", place, properties, function.id)
    making.permit(
        f"{logical(function.name)}LambdaPermissionHttpApi",
        function,
        place,
        "apigateway.amazonaws.com",
        SourceArn=routes_of(http_id(making), "/*"),
    )


def _route_authorization(making: GrowingTemplate, config: Node | None, place: Place) -> dict[str, Any]:
    if config is None:
        return {}
    if isinstance(config, Unknown):
        return {"AuthorizationType": config}
    stated = get(config, "type")
    if isinstance(stated, Unknown | Joined):
        return {"AuthorizationType": stated}
    kind = (text(stated) or "").lower()
    if kind == "aws_iam":
        return {"AuthorizationType": "AWS_IAM"}
    scopes, own = get(config, "scopes"), get(config, "id")
    if own is not None:
        sort: Any = {"jwt": "JWT", "request": "CUSTOM"}.get(kind, Unknown("its kind is not in this file", place))
        return {"AuthorizationType": sort, "AuthorizerId": own, "AuthorizationScopes": scopes}
    name = text(config) or text(get(config, "name")) or ""
    declared = making.of_provider("httpApi", "authorizers", name)
    if declared is None or isinstance(declared, Unknown):
        return {"AuthorizationType": declared or Unknown("no authorizer has this name", place)}
    stated = get(declared, "type")
    sort = "CUSTOM" if (text(stated) or "jwt").lower() == "request" else "JWT"
    sort = stated if isinstance(stated, Unknown | Joined) else sort
    return {
        "AuthorizationType": sort,
        "AuthorizerId": ref(f"HttpApiAuthorizer{logical(name)}"),
        "AuthorizationScopes": scopes,
    }


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
    making.add(HTTP, "AWS::ApiGatewayV2::Api", place, properties)
    stage: dict[str, Any] = {"ApiId": ref(HTTP), "StageName": "$default", "AutoDeploy": True}
    stage["DefaultRouteSettings"] = {"DetailedMetricsEnabled": get(config, "metrics")}
    logs = logs_of(making, "httpApi")
    if isinstance(logs, Unknown):
        stage["AccessLogSettings"] = logs
    elif logs is not None:
        called = making.words("/aws/http-api/", making.stack_name(logs.place), place=logs.place)
        making.log_group("HttpApiLogGroup", logs.place, called)
        stage["AccessLogSettings"] = {"DestinationArn": attribute("HttpApiLogGroup"), "Format": get(logs, "format")}
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
    place = declared.place
    kind = (text(get(declared, "type")) or "jwt").lower()
    source = get(declared, "identitySource")
    properties: dict[str, Any] = {"ApiId": http_id(making), "Name": get(declared, "name") or name}
    properties["IdentitySource"] = list(items(source)) if source is not None else None
    if kind == "request":
        called = text(get(declared, "functionName")) or ""
        function = making.functions.get(called)
        target = function.target if function is not None else get(declared, "functionArn")
        properties |= {
            "AuthorizerType": "REQUEST",
            "AuthorizerUri": Unknown("its function is not stated", place) if target is None else invocation(target),
            "AuthorizerResultTtlInSeconds": get(declared, "resultTtlInSeconds"),
        }
        if target is not None and flag(get(declared, "managedExternally"), otherwise=False) is False:
            permission = f"{logical(name)}LambdaAuthorizerPermissionHttpApi"
            routes = routes_of(http_id(making), "/*")
            making.permit(permission, target, place, "apigateway.amazonaws.com", SourceArn=routes)
    else:
        properties |= {
            "AuthorizerType": "JWT",
            "JwtConfiguration": {"Audience": get(declared, "audience"), "Issuer": get(declared, "issuerUrl")},
        }
    making.add(f"HttpApiAuthorizer{logical(name)}", "AWS::ApiGatewayV2::Authorizer", place, properties)


# --- WebSockets

_SPELLED: Mapping[str, str] = {"$": "S", "/": "Slash", "-": "Dash", "_": "Underscore", ".": "Period"}


def sockets_id(making: GrowingTemplate) -> Any:
    """The WebSocket API of the service, or the one that it adds to."""
    return either(making.of_provider("apiGateway", "websocketApiId")) or ref(SOCKETS)


def socket_event(making: GrowingTemplate, function: Function, event: Node, place: Place, _number: int) -> None:
    """``websocket``: a route of a WebSocket API."""
    route = text(event) or text(get(event, "route"))
    if route is None:
        making.not_read(f"functions.{function.name}.events.websocket", "which route is meant is not stated", place)
        return
    api = sockets_id(making)
    integration = f"{logical(function.name)}WebsocketsIntegration"
    properties = {"ApiId": api, "IntegrationType": "AWS_PROXY", "IntegrationUri": invocation(function.target)}
    making.add(integration, "AWS::ApiGatewayV2::Integration", place, properties, function.id)
    spelled = "".join(_SPELLED.get(character, character) for character in route)
    properties = {
        "ApiId": api,
        "RouteKey": route,
        "Target": join("integrations/", ref(integration)),
        **_socket_authorization(making, get(event, "authorizer"), place),
    }
    making.add(f"{spelled}WebsocketsRoute", "AWS::ApiGatewayV2::Route", place, properties, function.id)
    making.permit(f"{logical(function.name)}LambdaPermissionWebsockets", function, place, "apigateway.amazonaws.com")


def _socket_authorization(making: GrowingTemplate, config: Node | None, place: Place) -> dict[str, Any]:
    if config is None:
        return {"AuthorizationType": "NONE"}
    if isinstance(config, Unknown):
        return {"AuthorizationType": config}
    called = text(config) or ""
    if called.upper() == "AWS_IAM":
        return {"AuthorizationType": "AWS_IAM"}
    arn: Any = get(config, "arn") or (Scalar(called, place) if ":" in called else None)
    name = text(get(config, "name")) or (last_name(arn).split("-")[-1] if arn is not None else called)
    function = making.functions.get(name) if arn is None else None
    target: Any = function.target if function is not None else arn
    if target is None:
        return {"AuthorizationType": "CUSTOM", "AuthorizerId": Unknown("no function has this name", place)}
    properties = {
        "ApiId": sockets_id(making),
        "Name": name,
        "AuthorizerType": "REQUEST",
        "AuthorizerUri": invocation(target),
        "IdentitySource": get(config, "identitySource") or ["route.request.header.Auth"],
    }
    making.add(f"{logical(name)}WebsocketsAuthorizer", "AWS::ApiGatewayV2::Authorizer", place, properties)
    making.permit(f"{logical(name)}LambdaPermissionWebsockets", target, place, "apigateway.amazonaws.com")
    return {"AuthorizationType": "CUSTOM", "AuthorizerId": ref(f"{logical(name)}WebsocketsAuthorizer")}


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
    logs = logs_of(making, "websocket")
    if isinstance(logs, Unknown):
        stage |= {"AccessLogSettings": logs, "DefaultRouteSettings": logs}
    elif logs is not None:
        full = entries(logs).get("fullExecutionData")
        stage["DefaultRouteSettings"] = {
            "DataTraceEnabled": or_unknown(flag(full, otherwise=True), full, logs.place),
            "LoggingLevel": logging_level(logs),
        }
        stage["AccessLogSettings"] = access_logs(making, logs, "WebsocketsLogGroup", "/aws/websocket/")
    making.add("WebsocketsDeploymentStage", "AWS::ApiGatewayV2::Stage", place, stage)
