"""Around capacity providers, network connectors and MicroVM images: the role that AWS works with for each."""

from __future__ import annotations

from threatmodel.stacks.sam.making import Expansion, counts
from threatmodel.stacks.sam.policies import Grants, trust
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import written
from threatmodel.stacks.values import Link, Node, Scalar, Unknown, get, text

_OPERATED = {
    "AWS::Serverless::CapacityProvider": "AWSLambdaManagedEC2ResourceOperator",
    "AWS::Serverless::NetworkConnector": "AWSLambdaNetworkConnectorOperatorPolicy",
}
_IMAGE = "AWS::Serverless::MicrovmImage"


def add_around_operators(making: Expansion) -> None:
    """Adds the roles that SAM makes where none is named."""
    for resource in making.of_type(*_OPERATED, _IMAGE):
        kept = "BuildRoleArn" if resource.type == _IMAGE else "OperatorRole"
        if counts(get(resource.properties, kept)):
            continue
        name, place = f"{resource.name}{kept.removesuffix('Arn')}", resource.place
        grants = Grants(name)
        if resource.type == _IMAGE:
            logs = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
            reads = {"Action": ["s3:GetObject"], "Resource": _code(resource)}
            grants.allow("MicrovmImageBuildPolicy", place, reads, {"Action": logs, "Resource": "*"})
        else:
            grants.attach(_OPERATED[resource.type], place)
        properties = {"AssumeRolePolicyDocument": trust("lambda.amazonaws.com", place), **grants.properties()}
        making.add(resource, name, "AWS::IAM::Role", properties, place)
        making.amend(resource.name, {kept: Link(name, "Arn", place)})


def _code(resource: Resource) -> Node:
    """The objects of the bucket that an image's code is in."""
    place, uri = resource.place, get(resource.properties, "CodeUri")
    stated = text(uri) or ""
    if not stated.startswith("s3://"):
        return uri if isinstance(uri, Unknown) else Unknown("the bucket of the code is known at deployment", place)
    bucket = Scalar(stated.removeprefix("s3://").partition("/")[0], place)
    return written("arn:${AWS::Partition}:s3:::${Bucket}/*", {"Bucket": bucket}, place)
