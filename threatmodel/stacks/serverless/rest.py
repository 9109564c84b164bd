"""The events of a serverless.yml that are requests to a REST API, and that API."""

from __future__ import annotations

from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.apis import REST, Access, Authorizer, Integration, Route
from threatmodel.stacks.serverless.making import (
    REST_API,
    Function,
    GrowingTemplate,
    attribute,
    either,
    flag,
    get,
    invocation,
    last_name,
    path_part,
    perhaps,
    plain,
    ref,
    routes_of,
    switched,
)
from threatmodel.stacks.serverless.names import logical, upper_first
from threatmodel.stacks.values import Joined, Node, Scalar, Unknown, entries, text

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


def http_event(making: GrowingTemplate, function: Function, event: Node, place: Place, _number: int) -> None:
    """``http``: a method of a REST API."""
    stated = method_and_path(event)
    if stated is None:
        making.not_read(f"functions.{function.name}.events.http", UNSTATED, place)
        return
    method, path = stated[0].lower(), stated[1].strip("/")
    api = making.api(REST_API)
    resource, spelled = path_resource(making, function.id, path, place)
    part = Route(
        key=ANY_METHOD.get(method, method.upper()),
        access=_access(making, event, place)._replace(key=get(event, "private")),
        target=REST.properties(_integration(function, event)),
        at=resource,
        parameters=_parameters(event),
        operation=get(event, "operationId"),
    )
    schemas = either(get(event, "request", "schemas"), get(event, "request", "schema"))
    if schemas is not None:
        part = part._replace(validator=_validator(making, place), models=schemas)
    making.put(f"ApiGatewayMethod{spelled}{upper_first(method)}", REST, part, api, place, function.id)
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
    above: Any = either(get(config, "restApiRootResourceId")) or attribute(REST_API, "RootResourceId")
    given = get(config, "restApiResources")
    spelled = ""
    for count, part in enumerate(parts := path.split("/") if path else [], 1):
        spelled += path_part(part)
        known = get(given, f"/{'/'.join(parts[:count])}")
        if known is not None:
            above = known
            continue
        name = f"ApiGatewayResource{spelled}"
        properties = {"RestApiId": making.api(REST_API), "ParentId": above, "PathPart": part}
        if name not in making.resources:
            making.add(name, "AWS::ApiGateway::Resource", place, properties, maker)
        above = ref(name)
    return above, spelled


def _integration(function: Function, event: Node) -> Integration:
    kind = (text(get(event, "integration")) or "aws_proxy").upper().replace("-", "_")
    kind = {"LAMBDA": "AWS", "LAMBDA_PROXY": "AWS_PROXY"}.get(kind, kind)
    if kind.startswith(("HTTP", "MOCK")):
        return Integration(kind, get(event, "request", "uri"), connection=get(event, "connectionId"))
    return Integration(kind, invocation(function.target), "POST")


def _parameters(event: Node) -> Any:
    found = {
        f"method.request.{where}.{name}": get(need, "required") or need
        for kind, where in (("querystrings", "querystring"), ("headers", "header"), ("paths", "path"))
        for name, need in entries(get(event, "request", "parameters", kind)).items()
    }
    return found or None


def _validator(making: GrowingTemplate, place: Place) -> Any:
    """What holds bodies to a schema."""
    name = f"ApiGateway{plain(text(making.service) or '')}RequestValidator"
    properties = {"RestApiId": making.api(REST_API), "ValidateRequestBody": True, "ValidateRequestParameters": True}
    making.add(name, "AWS::ApiGateway::RequestValidator", place, properties)
    return ref(name)


def _access(making: GrowingTemplate, event: Node, place: Place) -> Access:
    """How a method knows its callers."""
    config = get(event, "authorizer")
    if config is None:
        return Access("NONE")
    stated = get(config, "type")
    if isinstance(stated, Unknown | Joined):  # the whole authorizer, or its type
        return Access(stated)
    kind = (text(stated) or "").upper()
    if "AWS_IAM" in {(text(config) or "").upper(), kind}:
        return Access("AWS_IAM")
    own, scopes = get(config, "authorizerId"), get(config, "scopes")
    if own is not None and kind:
        return Access("CUSTOM" if kind in {"TOKEN", "REQUEST"} else kind, own, scopes)
    return _authorizer(making, config, kind, place)._replace(scopes=scopes)


def deciding(making: GrowingTemplate, config: Node, place: Place) -> tuple[str, Any]:
    """The name of an authorizer and its function: one of this service, or what has an ARN; None where it is neither."""
    called = text(config) or ""
    arn: Any = get(config, "arn") or (Scalar(called, place) if ":" in called else None)
    if arn is not None:
        return text(get(config, "name")) or last_name(arn).split("-")[-1], arn
    name = text(get(config, "name")) or called
    return name, making.functions[name].target if name in making.functions else None


def _authorizer(making: GrowingTemplate, config: Node, kind: str, place: Place) -> Access:
    """What a method asks for whose authorizer is added here."""
    name, target = deciding(making, config, place)
    if target is None:
        return Access("CUSTOM", Unknown("no function has this name", place))
    arn = text(target) or "" if isinstance(target, Scalar) else ""
    pool = kind == "COGNITO_USER_POOLS" or ":cognito-idp:" in arn
    decides = Authorizer(
        name,
        "COGNITO_USER_POOLS" if pool else kind or "TOKEN",
        uri=None if pool else invocation(target),
        pools=[target] if pool else None,
        source=get(config, "identitySource") or "method.request.header.Authorization",
        seconds=get(config, "resultTtlInSeconds"),
    )
    called, permission = f"{logical(name)}ApiGatewayAuthorizer", f"{logical(name)}LambdaPermissionApiGateway"
    making.put(called, REST, decides, making.api(REST_API), place)
    ours = not pool and flag(get(config, "managedExternally"), otherwise=False) is False
    if ours and permission not in making.resources:
        routes = routes_of(making.api(REST_API), "/*/*")
        making.permit(permission, target, place, "apigateway.amazonaws.com", SourceArn=routes)
    return Access("COGNITO_USER_POOLS" if pool else "CUSTOM", ref(called))


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
    making.add(REST_API, "AWS::ApiGateway::RestApi", place, properties)
    stage = either(get(config, "stage")) or making.variables.stage
    making.add("ApiGatewayDeployment", "AWS::ApiGateway::Deployment", place, {"RestApiId": ref(REST_API)})
    _add_rest_stage(making, stage, place)
    _add_usage_plan(making, either(get(config, "usagePlan"), making.of_provider("usagePlan")), stage, place)


def _add_rest_stage(making: GrowingTemplate, stage: Node, place: Place) -> None:
    """The stage, with what the framework sets on it after the deployment."""
    settings, logs = stage_logs(making, "restApi", "ApiGatewayLogGroup", "/aws/api-gateway/")
    properties: dict[str, Any] = {
        "RestApiId": ref(REST_API),
        "StageName": stage,
        "TracingEnabled": making.of_provider("tracing", "apiGateway"),
        "AccessLogSetting": logs,
        "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", **settings}]
        if isinstance(settings, dict)
        else settings,
    }
    making.add("ApiGatewayStage", "AWS::ApiGateway::Stage", place, properties)


def stage_logs(making: GrowingTemplate, kind: str, group: str, start: str) -> tuple[Any, Any]:
    """How much a stage logs of its executions, and where it logs its requests to: a group that is made for it.

    `kind` is what the framework calls the kind of API.  Both are unknown where a variable says whether it logs.
    """
    logs = making.of_provider("logs", kind)
    if logs is None:
        return None, None
    if isinstance(logs, Unknown):
        return perhaps(logs), perhaps(logs)
    if isinstance(logs, Joined) or text(logs) is not None:  # of variables: perhaps no yes
        unknown = Unknown("whether it writes an access log is not stated", logs.place)
        return unknown, unknown
    level = either(get(logs, "level")) or "INFO"
    settings = {
        "DataTraceEnabled": switched(logs, "fullExecutionData", logs.place, on=True, off=False),
        "LoggingLevel": switched(logs, "executionLogging", logs.place, on=level, off="OFF"),
    }
    written = switched(
        logs,
        "accessLogging",
        logs.place,
        on={"DestinationArn": attribute(group), "Format": get(logs, "format")},
        off=None,
    )
    if isinstance(written, dict):
        making.log_group(group, logs.place, making.words(start, making.stack_name(logs.place), place=logs.place))
    return settings, written


def _add_usage_plan(making: GrowingTemplate, plan: Node | None, stage: Node, place: Place) -> None:
    if plan is None and making.of_provider("apiGateway", "apiKeys") is None:
        return
    throttle = get(plan, "throttle")
    properties = {
        "ApiStages": [{"ApiId": ref(REST_API), "Stage": stage}],
        "Throttle": throttle
        if isinstance(throttle, Unknown)
        else {"BurstLimit": get(throttle, "burstLimit"), "RateLimit": get(throttle, "rateLimit")},
        "Quota": get(plan, "quota"),
    }
    making.add("ApiGatewayUsagePlan", "AWS::ApiGateway::UsagePlan", place if plan is None else plan.place, properties)
