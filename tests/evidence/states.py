"""Terraform states for tests, in each form; what no output may show has CANARY in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

ACCOUNT, REGION = "111122223333", "eu-west-1"
CANARY = "CANARY"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:bot"
INVOKE = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/bot"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:token-AbCdEf"
LITERAL = "8f742231b10e8888abcd99yyyzzz85a5"
Attributes = Mapping[str, Any]


def _policy(actions: Sequence[str], resource: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)
_VARIABLES = {"SLACK_SIGNING_SECRET": LITERAL, "TABLE": "orders", "NOTE": f"{CANARY}-environment"}
BOT: Attributes = {
    "id": "bot",
    "function_name": "bot",
    "arn": FUNCTION,
    "invoke_arn": INVOKE,
    "role": ROLE,
    "handler": "app.handler",
    "runtime": "python3.13",
    "timeout": 30,
    "reserved_concurrent_executions": 10,
    "package_type": "Zip",
    "environment": [{"variables": _VARIABLES}],
    "tracing_config": [{"mode": "PassThrough"}],
    "vpc_config": [],
    "description": f"{CANARY}-description",
}
_API = {"rest_api_id": "a1b2c3d4e5", "resource_id": "cmd123", "http_method": "POST"}
_OF_THE_API = ("aws_api_gateway_rest_api.slack", "aws_api_gateway_resource.command")
RESOURCES: Sequence[tuple[str, Attributes, Sequence[str]]] = (
    ("data.aws_caller_identity.me", {"account_id": ACCOUNT, "id": ACCOUNT}, ()),
    (
        "aws_iam_role.bot",
        {
            "id": "bot",
            "name": "bot",
            "arn": ROLE,
            "assume_role_policy": _TRUST,
            "inline_policy": [{"name": "", "policy": ""}],
            "tags": {"owner": f"{CANARY}-tag"},
        },
        (),
    ),
    (
        "aws_iam_role_policy.orders",
        {"id": "bot:orders", "name": "orders", "role": "bot", "policy": _policy(["dynamodb:GetItem"], TABLE)},
        ("aws_dynamodb_table.orders", "aws_iam_role.bot"),
    ),
    ("aws_dynamodb_table.orders", {"id": "orders", "name": "orders", "arn": TABLE, "hash_key": "id"}, ()),
    ("aws_lambda_function.bot", BOT, ("aws_dynamodb_table.orders", "aws_iam_role.bot")),
    (
        "aws_api_gateway_rest_api.slack",
        {
            "id": "a1b2c3d4e5",
            "name": "slack",
            "root_resource_id": "r00t",
            "execution_arn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5",
        },
        (),
    ),
    (
        "aws_api_gateway_resource.command",
        {"id": "cmd123", "parent_id": "r00t", "path": "/slack", "path_part": "slack", "rest_api_id": "a1b2c3d4e5"},
        ("aws_api_gateway_rest_api.slack",),
    ),
    ("aws_api_gateway_method.command", {"id": "agm", "authorization": "NONE", **_API}, _OF_THE_API),
    (
        "aws_api_gateway_integration.command",
        {"id": "agi", "type": "AWS_PROXY", "integration_http_method": "POST", "uri": INVOKE, **_API},
        (*_OF_THE_API, "aws_lambda_function.bot"),
    ),
    ("aws_secretsmanager_secret.token", {"id": SECRET, "arn": SECRET, "name": "token"}, ()),
    (
        "aws_secretsmanager_secret_version.token",
        {"id": "x|y", "secret_id": SECRET, "secret_string": f"{CANARY}-secret"},
        ("aws_secretsmanager_secret.token",),
    ),
    (
        "aws_db_instance.db",
        {"id": "db", "identifier": "db", "engine": "postgres", "password": f"{CANARY}-password"},
        (),
    ),
    ("random_password.db", {"id": "none", "result": f"{CANARY}-random"}, ()),
)
_OUTPUTS = {"token": {"value": f"{CANARY}-output", "type": "string", "sensitive": True}}


def _names(address: str) -> dict[str, str]:
    mode = "data" if address.startswith("data.") else "managed"
    kind, name = address.removeprefix("data.").split(".")
    return {"mode": mode, "type": kind, "name": name}


def version_4(changes: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A raw state; `changes` are keys of the function's instance."""
    resources = []
    for address, attributes, depends in RESOURCES:
        own = changes if address == "aws_lambda_function.bot" and changes else {}
        instance = {"attributes": attributes, "sensitive_attributes": [], "dependencies": list(depends), **own}
        provider = 'provider["registry.terraform.io/hashicorp/aws"]'
        resources.append({**_names(address), "provider": provider, "instances": [instance]})
    lineage = "5f0c1b9e-0000-4000-8000-000000000000"
    about = {"version": 4, "terraform_version": "1.9.8", "serial": 12, "lineage": lineage}
    return {**about, "outputs": _OUTPUTS, "resources": resources, "check_results": None, **more}


def shown(**changes: Any) -> dict[str, Any]:
    """What `terraform show -json` writes."""
    resources = []
    for address, attributes, depends in RESOURCES:
        own = changes if address == "aws_lambda_function.bot" else {}
        about = {"address": address, **_names(address), "provider_name": "registry.terraform.io/hashicorp/aws"}
        resources.append({**about, "values": attributes, "sensitive_values": {}, "depends_on": list(depends), **own})
    values = {"outputs": _OUTPUTS, "root_module": {"resources": resources}}
    return {"format_version": "1.0", "terraform_version": "1.9.8", "values": values}


def version_3(**changes: Any) -> dict[str, Any]:
    """A state of Terraform before 0.12."""
    resources = {}
    for address, attributes, depends in RESOURCES:
        flat: dict[str, str] = {}
        for name, value in attributes.items():
            _flatten(name, value, flat)
        own = changes if address == "aws_lambda_function.bot" else {}
        primary = {"id": flat["id"], "attributes": flat, "meta": {}, "tainted": False, **own}
        kind = _names(address)["type"]
        resources[address] = {"type": kind, "depends_on": list(depends), "primary": primary, "deposed": []}
    module = {"path": ["root"], "outputs": _OUTPUTS, "resources": resources, "depends_on": []}
    return {"version": 3, "terraform_version": "0.11.14", "serial": 3, "lineage": "x", "modules": [module]}


def _flatten(name: str, value: Any, flat: dict[str, str]) -> None:
    if isinstance(value, dict):
        flat[f"{name}.%"] = str(len(value))
        for key, one in value.items():
            _flatten(f"{name}.{key}", one, flat)
    elif isinstance(value, list):
        flat[f"{name}.#"] = str(len(value))
        for at, one in enumerate(value):
            for key, inner in one.items():
                _flatten(f"{name}.{at}.{key}", inner, flat)
    else:
        flat[name] = str(value).lower() if isinstance(value, bool) else str(value)
