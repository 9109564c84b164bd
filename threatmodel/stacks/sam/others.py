"""Around types of SAM that are no functions, REST or HTTP APIs: roles, endpoints, routes and what starts them."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.reading.problems import Place
from threatmodel.stacks.apis import HTTP, Access, Authorizer, Integration, Route
from threatmodel.stacks.sam.apis import permit_authorizer, permit_calls, put
from threatmodel.stacks.sam.connectors import Connector, End, connect
from threatmodel.stacks.sam.events import IMPLICIT_REST, api_of
from threatmodel.stacks.sam.http_apis import add_http_domain, add_http_stage
from threatmodel.stacks.sam.making import Event, Expansion, Opened, events, flag, usual_text
from threatmodel.stacks.sam.policies import Grants, give_role, trust
from threatmodel.stacks.sam.targets import add_starter, proxy_uri, rule, schedule
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import joined, written
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, counts, entries, get, items, text

_OPERATED = {
    "AWS::Serverless::CapacityProvider": "AWSLambdaManagedEC2ResourceOperator",
    "AWS::Serverless::NetworkConnector": "AWSLambdaNetworkConnectorOperatorPolicy",
}
_IMAGE = "AWS::Serverless::MicrovmImage"
OPERATED = (*_OPERATED, _IMAGE)


def add_operator(making: Expansion, resource: Resource) -> None:
    """Adds the role that SAM makes where none is named."""
    kept = "BuildRoleArn" if resource.type == _IMAGE else "OperatorRole"
    place, grants = resource.place, Grants(f"{resource.name}{kept.removesuffix('Arn')}")
    if resource.type == _IMAGE:
        logs = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        reads = {"Action": ["s3:GetObject"], "Resource": _code(resource)}
        grants.allow("MicrovmImageBuildPolicy", place, reads, {"Action": logs, "Resource": "*"})
    else:
        grants.attach(_OPERATED[resource.type], place)
    give_role(making, resource, grants, trust("lambda.amazonaws.com", place), kept)


def _code(resource: Resource) -> Node:
    """The objects of the bucket that an image's code is in."""
    place, uri = resource.place, get(resource.properties, "CodeUri")
    stated = text(uri) or ""
    if not stated.startswith("s3://"):
        return uri if isinstance(uri, Unknown) else Unknown("the bucket of the code is known at deployment", place)
    bucket = Scalar(stated.removeprefix("s3://").partition("/")[0], place)
    return written("arn:${AWS::Partition}:s3:::${Bucket}/*", {"Bucket": bucket}, place)


_SERVICE = {
    "EnvironmentVariables": "EnvironmentVariables",
    "MaxConcurrencyPerEnvironment": "MaxConcurrencyPerEnvironment",
    "EgressNetworkConnectorArn": "EgressNetworkConnectorArn",
    "Timeout": "TimeoutSeconds",
}
_ENDPOINT = {
    "EndpointName": "EndpointName",
    "EndpointType": "EndpointType",
    "EndpointDescription": "Description",
    "AuthType": "AuthType",
    "ScalingConfig": "ScalingConfig",
    "ThrottleConfig": "ThrottleConfig",
    "ReplicaRegions": "Regions",
}


def add_around_web_function(making: Expansion, resource: Resource) -> None:
    """Adds what SAM generates for an AWS::Serverless::WebFunction."""
    name, place, given = resource.name, resource.place, resource.properties
    grants = Grants(f"{name}Role")
    grants.attach("AWSLambdaBasicExecutionRole", place)
    give_role(making, resource, grants, trust("lambda.amazonaws.com", place), "ExecutionRoleArn")
    role = get(making.resources[name].properties, "ExecutionRoleArn")
    function = get(given, "FunctionName") or Link(name, "", place)
    logging = get(given, "LoggingConfig")
    service = {theirs: get(given, ours) for ours, theirs in _SERVICE.items()}
    revision = {
        "FunctionName": function,
        "KmsKeyArn": get(given, "KmsKeyArn"),
        "BuildConfig": {"RuntimeConfig": {"Runtime": get(given, "Runtime")}},
        "ServiceConfig": {
            "ExecutionRoleArn": role,
            **service,
            "TelemetryConfig": None if logging is None else {"LoggingConfig": logging},
        },
    }
    making.add(resource, f"{name}Revision", "AWS::Lambda::WebFunctionRevision", revision, place)
    endpoint = {theirs: get(given, ours) for ours, theirs in _ENDPOINT.items()}
    properties = {**endpoint, "FunctionName": function}
    making.add(resource, f"{name}Endpoint", "AWS::Lambda::WebFunctionEndpoint", properties, place)


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


_KINDS = {"DynamoDB": "AWS::DynamoDB::Table", "Lambda": "AWS::Lambda::Function"}


def add_around_graphql(making: Expansion, api: Resource) -> None:
    """Adds what SAM generates for an AWS::Serverless::GraphQLApi to reach functions and tables, and its log role."""
    for kind in _KINDS:
        sources = get(api.properties, "DataSources", "DynamoDb" if kind == "DynamoDB" else kind)
        for name, source in entries(sources).items():
            _source(making, api, kind, name, source)
    for number, (function, place) in enumerate(_authorizers(api), 1):
        _authorizer(making, api, number, function, place)
    logging = get(api.properties, "Logging")
    if flag(logging) is not False and get(logging, "CloudWatchLogsRoleArn") is None:
        properties = {
            "AssumeRolePolicyDocument": trust("appsync.amazonaws.com", api.place),
            "ManagedPolicyArns": ["AWSAppSyncPushToCloudWatchLogs"],
        }
        making.add(api, f"{api.name}CloudWatchRole", "AWS::IAM::Role", properties, api.place)


def _source(making: Expansion, api: Resource, kind: str, name: str, source: Node) -> None:
    place, base = source.place, f"{api.name}{name}{kind}DataSource"
    role, target = get(source, "ServiceRoleArn"), _target(kind, source, place)
    properties = {
        "ApiId": Link(api.name, "ApiId", place),
        "Name": get(source, "Name") or name,
        "Type": "AWS_LAMBDA" if kind == "Lambda" else "AMAZON_DYNAMODB",
        "LambdaConfig": {"LambdaFunctionArn": target} if kind == "Lambda" else None,
        "DynamoDBConfig": {"TableName": get(source, "TableName")} if kind == "DynamoDB" else None,
        "ServiceRoleArn": role or Link(f"{base}Role", "Arn", place),
    }
    making.add(api, base, "AWS::AppSync::DataSource", properties, place)
    if role is not None:
        return
    given = {"AssumeRolePolicyDocument": trust("appsync.amazonaws.com", place)}
    making.add(api, f"{base}Role", "AWS::IAM::Role", given, place)
    categories = {text(one) for one in items(get(source, "Permissions"))} or {"Read", "Write"}
    own = End("AWS::AppSync::DataSource", {"Arn": Link(base, "", place)}, Link(f"{base}Role", "", place))
    ends = (own, End(_KINDS[kind], {"Arn": target}))
    ending = "ToTableConnector" if kind == "DynamoDB" else "ToLambdaConnector"
    connect(making, Connector(api, f"{base}{ending}", "", categories, place), *ends)


def _target(kind: str, source: Node, place: Place) -> Node:
    """The ARN of what a source of data is."""
    named = get(source, "FunctionArn" if kind == "Lambda" else "TableArn")
    table = get(source, "TableName")
    if named is not None or kind == "Lambda" or table is None:
        return named or Unknown("the source of data names nothing", place)
    region = get(source, "Region") or written("${AWS::Region}", {}, place)
    pattern = "arn:${AWS::Partition}:dynamodb:${Region}:${AWS::AccountId}:table/${Table}"
    return written(pattern, {"Region": region, "Table": table}, place)


def _authorizers(api: Resource) -> Iterator[tuple[Node, Place]]:
    """The functions that decide who may call the API."""
    auth = get(api.properties, "Auth")
    for one in (auth, *items(get(auth, "Additional"))):
        function = get(one, "LambdaAuthorizer", "AuthorizerUri")
        if function is not None and one is not None and text(get(one, "Type")) == "AWS_LAMBDA":
            yield function, one.place


def _authorizer(making: Expansion, api: Resource, number: int, function: Node, place: Place) -> None:
    values = {"Arn": Link(api.name, "", place), "ResourceId": Link(api.name, "ApiId", place)}
    ends = End("AWS::AppSync::GraphQLApi", values), End("AWS::Lambda::Function", {"Arn": function})
    connect(making, Connector(api, f"{api.name}ToLambdaAuthConnector{number}", "", {"Write"}, place), *ends)


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
