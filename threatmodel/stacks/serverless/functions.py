"""What a function of a serverless.yml becomes, by its own settings and the provider's; the role that they share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.serverless.making import (
    ROLE,
    Function,
    GrowingTemplate,
    attribute,
    either,
    flag,
    get,
    is_set,
    merged,
    place_of,
    ref,
    sub,
)
from threatmodel.stacks.serverless.names import logical
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, entries, items, node_of, text

_TIMEOUT, _MEMORY = 6, 1024


_OF_WSGI = frozenset(("wsgi_handler.handler", "wsgi.handler"))
"""The handlers that the plugin serverless-wsgi packages."""


def add_function(making: GrowingTemplate, function: Function) -> None:
    """A function with all that its own settings and the provider's make of it."""
    place, get_ = function.place, function.get
    function.role = _role_of(making, function)
    of_provider = making.of_provider
    name = _function_name(making, function)
    image, storage = get_("image"), get_("ephemeralStorageSize")
    architecture = either(get_("architecture"), of_provider("architecture"))
    properties: dict[str, Any] = {
        "FunctionName": name,
        "Handler": None if image is not None else _handler(making, function),
        "Runtime": None if image is not None else either(get_("runtime"), of_provider("runtime")),
        "PackageType": "Image" if image is not None else None,
        "Code": {"ImageUri": get(image, "uri") or image} if image is not None else {"S3Bucket": _bucket(making)},
        "Timeout": either(get_("timeout"), of_provider("timeout")) or _TIMEOUT,
        "MemorySize": either(get_("memorySize"), of_provider("memorySize")) or _MEMORY,
        "Architectures": [architecture] if architecture is not None else None,
        "ReservedConcurrentExecutions": function.node.entries.get("reservedConcurrency"),
        "Environment": _environment(making, function),
        "KmsKeyArn": either(get_("kmsKeyArn"), of_provider("kmsKeyArn")),
        "Layers": either(get_("layers"), of_provider("layers")),
        "VpcConfig": _network(making, function),
        "TracingConfig": _tracing(making, function),
        "DeadLetterConfig": _dead_letters(making, function),
        "EphemeralStorage": {"Size": storage} if storage is not None else None,
        "FileSystemConfigs": _file_system(making, function),
        "RuntimeManagementConfig": _runtime_management(making, function),
        "LoggingConfig": _logging(making, function),
        "SnapStart": {"ApplyOn": "PublishedVersions"} if function.alias == "snapstart" else None,
        "Role": function.role,
    }
    making.add(function.id, "AWS::Lambda::Function", place, properties)
    body = making.resources[function.id]
    condition = get_("condition")
    if condition is not None and isinstance(body, Table):
        making.resources[function.id] = body._replace(entries={**body.entries, "Condition": condition})
    silent = _is_silent(function)
    if silent is None:
        making.not_read(f"functions.{function.name}.disableLogs", "whether it is true or false is not stated", place)
    if silent is False:
        called = making.words("/aws/lambda/", name, place=place)
        making.log_group(f"{logical(function.name)}LogGroup", place, called, function.node, function.id)
    _grant_own(making, function)
    _add_alias(making, function)
    _add_url(making, function)
    _add_destinations(making, function)


def _handler(making: GrowingTemplate, function: Function) -> Node | None:
    """What serves the requests: the application of serverless-wsgi, instead of the handler that it packages."""
    handler = function.get("handler")
    return making.wsgi_app or handler if text(handler) in _OF_WSGI else handler


def _function_name(making: GrowingTemplate, function: Function) -> Node:
    own = function.get("name")
    if own is not None:
        return own
    return making.words(making.stack_name(function.place), "-", function.name, place=function.place)


def _environment(making: GrowingTemplate, function: Function) -> Any:
    found = merged(making.of_provider("environment"), function.get("environment"))
    filled = making.fills_environment
    if filled is not None:
        found = found if isinstance(found, Unknown) else Table({**entries(found), "*": filled}, filled.place)
    return None if found is None else {"Variables": found}


def _network(making: GrowingTemplate, function: Function) -> Any:
    own = function.node.entries.get("vpc")
    if isinstance(own, Scalar) and own.value in {None, False}:
        return None
    shared = making.of_provider("vpc")
    unknown = next((one for one in (own, shared) if isinstance(one, Unknown)), None)
    if unknown is not None:
        return unknown
    found = {
        "SecurityGroupIds": either(get(own, "securityGroupIds"), get(shared, "securityGroupIds")),
        "SubnetIds": either(get(own, "subnetIds"), get(shared, "subnetIds")),
    }
    return found if all(found.values()) else None


def _tracing(making: GrowingTemplate, function: Function) -> Any:
    found = either(function.get("tracing"), making.of_provider("tracing", "lambda"))
    if found is None:
        return None
    mode = Scalar("Active", found.place) if isinstance(found, Scalar) and found.value is True else found
    making.grant(found.place, ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])
    return {"Mode": mode}


def _dead_letters(making: GrowingTemplate, function: Function) -> Any:
    target = function.get("onError")
    if target is None:
        return None
    if text(target) is not None:
        making.grant(target.place, ["sns:Publish"], [target])
    return {"TargetArn": target}


def _file_system(making: GrowingTemplate, function: Function) -> Any:
    config = function.get("fileSystemConfig")
    if config is None or isinstance(config, Unknown):
        return config
    arn = get(config, "arn")
    if arn is not None:
        making.grant(config.place, ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], [arn])
    return [{"Arn": arn, "LocalMountPath": get(config, "localMountPath")}]


_UPDATES = {"auto": "Auto", "onFunctionUpdate": "FunctionUpdate", "manual": "Manual"}


def _runtime_management(making: GrowingTemplate, function: Function) -> Any:
    config = either(function.get("runtimeManagement"), making.of_provider("runtimeManagement"))
    if config is None or isinstance(config, Unknown):
        return config
    mode = get(config, "mode") or config
    return {"UpdateRuntimeOn": _UPDATES.get(text(mode) or "", mode), "RuntimeVersionArn": get(config, "arn")}


def _logging(making: GrowingTemplate, function: Function) -> Any:
    config = either(function.get("logs"), making.of_provider("logs", "lambda"))
    if config is None or isinstance(config, Unknown):
        return config
    found = {
        "LogFormat": get(config, "logFormat"),
        "ApplicationLogLevel": get(config, "applicationLogLevel"),
        "SystemLogLevel": get(config, "systemLogLevel"),
        "LogGroup": get(config, "logGroup"),
    }
    return found if any(found.values()) else None


def _grant_own(making: GrowingTemplate, function: Function) -> None:
    key = either(function.get("kmsKeyArn"), making.of_provider("kmsKeyArn"))
    if key is not None and text(key) is not None:
        making.grant(key.place, ["kms:Decrypt"], [key])


def _add_alias(making: GrowingTemplate, function: Function) -> None:
    if not function.alias:
        return
    start = logical(function.name)
    name = f"{start}{'ProvConcLambdaAlias' if function.alias == 'provisioned' else 'SnapStartLambdaAlias'}"
    version = f"{start}LambdaVersion"
    making.add(version, "AWS::Lambda::Version", function.place, {"FunctionName": ref(function.id)}, function.id)
    properties = {
        "FunctionName": ref(function.id),
        "FunctionVersion": attribute(version, "Version"),
        "Name": function.alias,
    }
    making.add(name, "AWS::Lambda::Alias", function.place, properties, function.id)


def _add_url(making: GrowingTemplate, function: Function) -> None:
    url = function.get("url")
    if url is None:
        return
    place = place_of(function.node, "url", url.place)
    authorizer = get(url, "authorizer")
    word = "none" if authorizer is None else (text(authorizer) or "").lower()
    kind: Any = {"none": "NONE", "aws_iam": "AWS_IAM"}.get(word, authorizer)
    if isinstance(url, Unknown):
        kind = url
    making.add(
        f"{function.id}Url", "AWS::Lambda::Url", place,
        {"AuthType": kind, "TargetFunctionArn": function.target, "InvokeMode": get(url, "invokeMode")}, function.id,
    )  # fmt: skip
    if kind != "AWS_IAM":
        permission = {
            "FunctionName": function.target,
            "Action": "lambda:InvokeFunctionUrl",
            "Principal": "*" if kind == "NONE" else Unknown("whether its URL asks who calls is not stated", place),
            "FunctionUrlAuthType": kind,
        }
        name = f"{logical(function.name)}LambdaPermissionFnUrl"
        making.add(name, "AWS::Lambda::Permission", place, permission, function.id)


_SENDING = {
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
    "eventBus": "events:PutEvents",
    "events": "events:PutEvents",
    "function": "lambda:InvokeFunction",
    "lambda": "lambda:InvokeFunction",
}


def _add_destinations(making: GrowingTemplate, function: Function) -> None:
    """Where results of asynchronous calls go, and what the shared role needs for it."""
    destinations = function.get("destinations")
    age, retries = function.get("maximumEventAge"), function.node.entries.get("maximumRetryAttempts")
    if destinations is None and age is None and not is_set(retries):
        return
    found: dict[str, Any] = {}
    for name, key in (("onSuccess", "OnSuccess"), ("onFailure", "OnFailure")):
        target = get(destinations, name)
        if target is not None:
            found[key] = {"Destination": _destination(making, function, target)}
    properties = {
        "FunctionName": ref(function.id),
        "Qualifier": function.alias or "$LATEST",
        "DestinationConfig": destinations if isinstance(destinations, Unknown) else found or None,
        "MaximumEventAgeInSeconds": age,
        "MaximumRetryAttempts": retries,
    }
    place = function.place if destinations is None else destinations.place
    name = f"{logical(function.name)}LambdaEvConf"
    making.add(name, "AWS::Lambda::EventInvokeConfig", place, properties, function.id)


def _destination(making: GrowingTemplate, function: Function, target: Node) -> Any:
    """What a destination is: a function of this service by its name, or an ARN."""
    called = text(target)
    other = making.functions.get(called or "")
    arn: Any = other.target if other is not None else get(target, "arn") or target
    if not is_set(function.node.entries.get("role")):
        parts = (text(arn) or "").split(":") if isinstance(arn, Scalar) else []
        kind = "function" if other is not None else text(get(target, "type")) or (parts[2] if len(parts) > 2 else "")  # noqa: PLR2004 - an ARN's service
        if kind in _SENDING:
            making.grant(target.place, [_SENDING[kind]], [arn])
        else:
            making.statements.append(Unknown("what it may send to is not stated", target.place))
    return arn


def _bucket(making: GrowingTemplate) -> Any:
    found = making.of_provider("deploymentBucket")
    name = get(found, "name") if isinstance(found, Table) and "name" in found.entries else found
    return ref("ServerlessDeploymentBucket") if name is None or isinstance(name, Table) else name


# --- roles

ROLE_EACH = "serverless-iam-roles-per-function"
"""The plugin that makes a separate role for a function with separate statements, and where `custom` sets it up."""


def _role_of(making: GrowingTemplate, function: Function) -> Any:
    """The role of a function: its own, the provider's, or the one that the service's functions share."""
    own = either(function.get("role"), _provider_role(making))
    if own is not None:
        return _role(own)
    if _has_statements(making, function):
        return attribute(_role_name(function))
    for name in function.node.entries:
        if name.startswith("iamRoleStatements"):
            return Unknown("a plugin makes its role", place_of(function.node, name, function.place))
        if name == "iam":
            return Unknown("its role is made from its statements", place_of(function.node, name, function.place))
    return attribute(ROLE)


def _has_statements(making: GrowingTemplate, function: Function) -> bool:
    """Whether the plugin that makes a role for each function makes one for it, out of its statements.

    Where the list is empty, that depends on the plugin's version.
    """
    return making.role_each and is_set(function.node.entries.get("iamRoleStatements"))


def _role_name(function: Function) -> str:
    return f"{logical(function.name)}{ROLE}"


def _provider_role(making: GrowingTemplate) -> Node | None:
    """The role that the provider names, where it does not describe one."""
    role = making.of_provider("iam", "role")
    described = isinstance(role, Table) and not any(name == "Ref" or name[:4] == "Fn::" for name in role.entries)
    return either(making.of_provider("role"), None if described else role)


def _role(node: Node) -> Any:
    """A role as it is written: an ARN, a reference, or the logical id of one."""
    name = text(node)
    if name is not None and ":" not in name and "/" not in name and "${" not in name:
        return attribute(name)
    return node


def add_role(making: GrowingTemplate) -> None:
    """The role that functions share, where one of them has no separate one."""
    sharing = [one for one in making.functions.values() if not is_set(one.node.entries.get("role"))]
    if not sharing or _provider_role(making) is not None:
        return
    role = making.of_provider("iam", "role")
    place = making.provider.place if role is None else role.place
    own = either(get(role, "statements"), making.of_provider("iamRoleStatements"))
    logging = list(_logging_statements(making, place))
    everything = [*logging, *items(own), *making.statements]
    making.add(ROLE, "AWS::IAM::Role", place, _role_properties(making, role, everything))
    for function in sharing:
        if _has_statements(making, function):
            at = place_of(function.node, "iamRoleStatements", function.place)
            shared = _inherited(making, function, items(own))
            said = [*logging, *shared, *items(function.node.entries["iamRoleStatements"])]
            properties = _role_properties(making, role, said) | {"RoleName": function.get("iamRoleStatementsName")}
            making.add(_role_name(function), "AWS::IAM::Role", at, properties, function.id)


def _inherited(making: GrowingTemplate, function: Function, shared: tuple[Node, ...]) -> tuple[Node, ...]:
    """The statements of the shared role that a role of a function's own has too."""
    custom = making.variables.at("custom")
    every = flag(get(custom, ROLE_EACH, "defaultInherit"), otherwise=False)
    inherits = flag(function.node.entries.get("iamRoleStatementsInherit"), otherwise=every)
    if inherits is None or isinstance(custom, Unknown):
        return (Unknown("whether it has the shared role's statements too is not stated", function.place),)
    return shared if inherits else ()


def _role_properties(making: GrowingTemplate, role: Node | None, statements: list[Any]) -> dict[str, Any]:
    """The shared role, or one made after it, with these statements."""
    managed: list[Any] = list(items(either(get(role, "managedPolicies"), making.of_provider("iamManagedPolicies"))))
    if making.of_provider("vpc") is not None or any("vpc" in one.node.entries for one in making.functions.values()):
        managed.append(sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"))
    trust = {"Effect": "Allow", "Principal": {"Service": making.services}, "Action": ["sts:AssumeRole"]}
    boundary = either(
        get(role, "permissionsBoundary"), get(role, "permissionBoundary"), making.of_provider("rolePermissionsBoundary")
    )
    policy = {"PolicyName": "lambda", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
    return {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [policy],
        "ManagedPolicyArns": managed or None,
        "PermissionsBoundary": boundary,
        "RoleName": get(role, "name"),
        "Path": get(role, "path"),
    }


def _logging_statements(making: GrowingTemplate, place: Place) -> Iterator[Any]:
    """That functions may write their logs."""
    start = making.words(_LOG_GROUPS, making.stack_name(place), place=place)
    names = [making.words(start, "*:*", place=place)]
    for function in making.functions.values():
        own = function.get("name")
        if own is not None:
            names.append(making.words(_LOG_GROUPS, own, ":*", place=own.place))
    actions = ["logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource"]
    yield node_of({"Effect": "Allow", "Action": actions, "Resource": names}, place)
    streams = [making.words(name, ":*", place=name.place) for name in names]
    yield node_of({"Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": streams}, place)
    silent = [one for one in making.functions.values() if _is_silent(one)]
    if silent:
        groups = [making.words(_LOG_GROUPS, _function_name(making, one), ":*", place=one.place) for one in silent]
        yield node_of({"Effect": "Deny", "Action": "logs:PutLogEvents", "Resource": groups}, place)


_LOG_GROUPS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/"


def _is_silent(function: Function) -> bool | None:
    """Whether it writes no logs; None where that is not known."""
    return flag(function.node.entries.get("disableLogs"), otherwise=False)
