"""The events of a serverless.yml that are requests to a REST API, and that API."""

from __future__ import annotations

from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.serverless.making import (
    REST,
    Function,
    GrowingTemplate,
    attribute,
    either,
    entries,
    flag,
    get,
    invocation,
    last_name,
    or_unknown,
    path_part,
    perhaps,
    plain,
    ref,
    routes_of,
)
from threatmodel.stacks.serverless.names import logical, upper_first
from threatmodel.stacks.values import Joined, Node, Scalar, Unknown, text

ANY_METHOD = {"*": "ANY"}
UNSTATED = "which method and path is meant is not stated"


def method_and_path(event: Node) -> tuple[str, str] | None:
    """The method and path of an event, written ``get /orders`` or apart; None where they are not stated."""
    whole = text(event)
    if whole is not None:
        method, _, path = whole.strip().partition(" ")
        return (method, path.strip()) if path else ("*", method)
    at, how = text(get(event, "path")), get(event, "method")
    if at is None or (how is not None and text(how) is None):
        return None
    return text(how) or "*", at


def rest_id(making: GrowingTemplate) -> Any:
    """The REST API of the service, or the one that it adds to."""
    return either(making.of_provider("apiGateway", "restApiId")) or ref(REST)


def http_event(making: GrowingTemplate, function: Function, event: Node, place: Place, _number: int) -> None:
    """``http``: a method of a REST API."""
    stated = method_and_path(event)
    if stated is None:
        making.not_read(f"functions.{function.name}.events.http", UNSTATED, place)
        return
    method, path = stated[0].lower(), stated[1].strip("/")
    api = rest_id(making)
    resource, spelled = path_resource(making, function.id, path, place)
    properties: dict[str, Any] = {
        "RestApiId": api,
        "ResourceId": resource,
        "HttpMethod": ANY_METHOD.get(method, method.upper()),
        "ApiKeyRequired": get(event, "private"),
        "OperationName": get(event, "operationId"),
        "Integration": _integration(function, event),
        "RequestParameters": _parameters(event),
        **_authorization(making, event, place),
    }
    schemas = either(get(event, "request", "schemas"), get(event, "request", "schema"))
    if schemas is not None:
        properties |= _validated(making, schemas, place)
    making.add(
        f"ApiGatewayMethod{spelled}{upper_first(method)}", "AWS::ApiGateway::Method", place, properties, function.id
    )
    making.permit(
        f"{logical(function.name)}LambdaPermissionApiGateway",
        function,
        place,
        "apigateway.amazonaws.com",
        SourceArn=routes_of(api, "/*/*"),
    )


def path_resource(making: GrowingTemplate, maker: str, path: str, place: Place) -> tuple[Any, str]:
    """The resource of a path, and how logical ids spell it; those above it are made as well."""
    config = making.of_provider("apiGateway")
    above: Any = either(get(config, "restApiRootResourceId")) or attribute(REST, "RootResourceId")
    given = get(config, "restApiResources")
    spelled = ""
    for count, part in enumerate(parts := path.split("/") if path else [], 1):
        spelled += path_part(part)
        known = get(given, f"/{'/'.join(parts[:count])}")
        if known is not None:
            above = known
            continue
        name = f"ApiGatewayResource{spelled}"
        properties = {"RestApiId": rest_id(making), "ParentId": above, "PathPart": part}
        if name not in making.resources:
            making.add(name, "AWS::ApiGateway::Resource", place, properties, maker)
        above = ref(name)
    return above, spelled


def _integration(function: Function, event: Node) -> Any:
    kind = (text(get(event, "integration")) or "aws_proxy").upper().replace("-", "_")
    kind = {"LAMBDA": "AWS", "LAMBDA_PROXY": "AWS_PROXY"}.get(kind, kind)
    if kind.startswith(("HTTP", "MOCK")):
        return {"Type": kind, "Uri": get(event, "request", "uri"), "ConnectionId": get(event, "connectionId")}
    return {"Type": kind, "IntegrationHttpMethod": "POST", "Uri": invocation(function.target)}


def _parameters(event: Node) -> Any:
    found = {
        f"method.request.{where}.{name}": get(need, "required") or need
        for kind, where in (("querystrings", "querystring"), ("headers", "header"), ("paths", "path"))
        for name, need in entries(get(event, "request", "parameters", kind)).items()
    }
    return found or None


def _validated(making: GrowingTemplate, schemas: Node, place: Place) -> dict[str, Any]:
    """That bodies are held to a schema."""
    name = f"ApiGateway{plain(text(making.service) or '')}RequestValidator"
    properties = {"RestApiId": rest_id(making), "ValidateRequestBody": True, "ValidateRequestParameters": True}
    making.add(name, "AWS::ApiGateway::RequestValidator", place, properties)
    return {"RequestValidatorId": ref(name), "RequestModels": schemas}


def _authorization(making: GrowingTemplate, event: Node, place: Place) -> dict[str, Any]:
    """How a method knows its callers."""
    config = get(event, "authorizer")
    if config is None:
        return {"AuthorizationType": "NONE"}
    sort_stated = get(config, "type")
    kind = (text(sort_stated) or "").upper()
    called = text(config) or ""
    if isinstance(sort_stated, Unknown | Joined):  # the whole authorizer, or its type
        return {"AuthorizationType": sort_stated}
    if called.upper() == "AWS_IAM" or kind == "AWS_IAM":
        return {"AuthorizationType": "AWS_IAM"}
    own = get(config, "authorizerId")
    scopes = get(config, "scopes")
    if own is not None and kind:
        sort = "CUSTOM" if kind in {"TOKEN", "REQUEST"} else kind
        return {"AuthorizationType": sort, "AuthorizerId": own, "AuthorizationScopes": scopes}
    arn: Any = get(config, "arn") or (Scalar(called, place) if ":" in called else None)
    name = text(get(config, "name")) or (last_name(arn).split("-")[-1] if arn is not None else called)
    return _authorizer(making, config, name, arn, place) | {"AuthorizationScopes": scopes}


def _authorizer(making: GrowingTemplate, config: Node, name: str, arn: Any, place: Place) -> dict[str, Any]:
    """An authorizer of the REST API: a function of this service, or what has an ARN."""
    kind = (text(get(config, "type")) or "").upper()
    function = making.functions.get(name) if arn is None else None
    written = text(arn) or "" if isinstance(arn, Scalar) else ""
    pool = kind == "COGNITO_USER_POOLS" or ":cognito-idp:" in written
    target = function.target if function is not None else arn
    logical_id = f"{logical(name)}ApiGatewayAuthorizer"
    if target is None:
        return {"AuthorizationType": "CUSTOM", "AuthorizerId": Unknown("no function has this name", place)}
    properties: dict[str, Any] = {
        "RestApiId": rest_id(making),
        "Name": name,
        "Type": "COGNITO_USER_POOLS" if pool else kind or "TOKEN",
        "IdentitySource": get(config, "identitySource") or "method.request.header.Authorization",
        "AuthorizerResultTtlInSeconds": get(config, "resultTtlInSeconds"),
        "ProviderARNs": [target] if pool else None,
        "AuthorizerUri": None if pool else invocation(target),
    }
    making.add(logical_id, "AWS::ApiGateway::Authorizer", place, properties)
    if not pool and flag(get(config, "managedExternally"), otherwise=False) is False:
        permission = f"{logical(name)}LambdaPermissionApiGateway"
        if permission not in making.resources:
            routes = routes_of(rest_id(making), "/*/*")
            making.permit(permission, target, place, "apigateway.amazonaws.com", SourceArn=routes)
    return {"AuthorizationType": "COGNITO_USER_POOLS" if pool else "CUSTOM", "AuthorizerId": ref(logical_id)}


def add_rest_api(making: GrowingTemplate, place: Place) -> None:
    """The REST API itself, where a function is reached through one."""
    config = making.of_provider("apiGateway")
    if isinstance(config, Unknown):
        making.not_read("provider.apiGateway", config.why, config.place)
    if get(config, "restApiId") is not None:
        return
    policy = either(get(config, "resourcePolicy"), making.of_provider("resourcePolicy"))
    endpoint = making.of_provider("endpointType")
    kind = text(endpoint)
    types: Any = kind.upper() if kind is not None else endpoint or "EDGE"
    name = making.of_provider("apiName") or making.words(making.variables.stage, "-", making.service, place=place)
    properties: dict[str, Any] = {
        "Name": name,
        "EndpointConfiguration": {"Types": [types], "VpcEndpointIds": making.of_provider("vpcEndpointIds")},
        "DisableExecuteApiEndpoint": entries(config).get("disableDefaultEndpoint"),
        "MinimumCompressionSize": get(config, "minimumCompressionSize"),
        "ApiKeySourceType": get(config, "apiKeySourceType"),
        "Policy": None if policy is None else {"Version": "2012-10-17", "Statement": policy},
    }
    making.add(REST, "AWS::ApiGateway::RestApi", place, properties)
    stage = either(get(config, "stage")) or making.variables.stage
    making.add("ApiGatewayDeployment", "AWS::ApiGateway::Deployment", place, {"RestApiId": ref(REST)})
    _add_rest_stage(making, stage, place)
    _add_usage_plan(making, either(get(config, "usagePlan"), making.of_provider("usagePlan")), stage, place)


def _add_rest_stage(making: GrowingTemplate, stage: Node, place: Place) -> None:
    """The stage, with what the framework sets on it after the deployment."""
    logs = logs_of(making, "restApi")
    settings: dict[str, Any] = {"ResourcePath": "/*", "HttpMethod": "*"}
    properties: dict[str, Any] = {
        "RestApiId": ref(REST),
        "StageName": stage,
        "TracingEnabled": making.of_provider("tracing", "apiGateway"),
    }
    if isinstance(logs, Unknown):
        properties |= {"AccessLogSetting": logs, "MethodSettings": logs}
    elif logs is not None:
        at = logs.place
        full = entries(logs).get("fullExecutionData")
        settings["DataTraceEnabled"] = or_unknown(flag(full, otherwise=True), full, at)
        settings["LoggingLevel"] = logging_level(logs)
        properties["MethodSettings"] = [settings]
        properties["AccessLogSetting"] = access_logs(making, logs, "ApiGatewayLogGroup", "/aws/api-gateway/")
    making.add("ApiGatewayStage", "AWS::ApiGateway::Stage", place, properties)


def logs_of(making: GrowingTemplate, kind: str) -> Node | None:
    """What a kind of API logs by (`kind` as the framework calls it); unknown where a variable says whether it does."""
    logs = making.of_provider("logs", kind)
    if isinstance(logs, Unknown):
        return perhaps(logs)
    if logs is not None and (isinstance(logs, Joined) or text(logs) is not None):  # of variables: perhaps no yes
        return Unknown("whether it writes an access log is not stated", logs.place)
    return logs


def logging_level(logs: Node) -> Any:
    """How much a stage logs of its executions."""
    raw = entries(logs).get("executionLogging")
    on = flag(raw, otherwise=True)
    if on is None:
        return or_unknown(None, raw, logs.place)
    return either(get(logs, "level")) or "INFO" if on else "OFF"


def access_logs(making: GrowingTemplate, logs: Node, group: str, start: str) -> Any:
    """Where a stage logs its requests to, if it does: a log group that is made for it."""
    raw, at = entries(logs).get("accessLogging"), logs.place
    on = flag(raw, otherwise=True)
    if on is not True:
        return None if on is False else or_unknown(None, raw, at)
    making.log_group(group, at, making.words(start, making.stack_name(at), place=at))
    return {"DestinationArn": attribute(group), "Format": get(logs, "format")}


def _add_usage_plan(making: GrowingTemplate, plan: Node | None, stage: Node, place: Place) -> None:
    if plan is None and making.of_provider("apiGateway", "apiKeys") is None:
        return
    throttle = get(plan, "throttle")
    properties = {
        "ApiStages": [{"ApiId": ref(REST), "Stage": stage}],
        "Throttle": throttle
        if isinstance(throttle, Unknown)
        else {"BurstLimit": get(throttle, "burstLimit"), "RateLimit": get(throttle, "rateLimit")},
        "Quota": get(plan, "quota"),
    }
    making.add("ApiGatewayUsagePlan", "AWS::ApiGateway::UsagePlan", place if plan is None else plan.place, properties)
