"""Around AWS::Serverless::WebFunction: its role, revision and endpoint."""

from __future__ import annotations

from threatmodel.stacks.sam.making import Expansion
from threatmodel.stacks.sam.policies import Grants, give_role, trust
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Link, get

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
