"""Around capacity providers, network connectors and MicroVM images: the role that AWS works with for each."""

from __future__ import annotations

from threatmodel.stacks.sam.making import Expansion
from threatmodel.stacks.sam.policies import Grants, give_role, trust
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import written
from threatmodel.stacks.values import Node, Scalar, Unknown, get, text

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
