"""Resources of a stack that are no element of a model and tell nothing of one: named by type and count, not dropped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cache

from threatmodel.evidence.mappings.format import Mappings, Source
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.resource_types import RESOURCE_TYPES
from threatmodel.evidence.services import TITLES
from threatmodel.stacks.stack import UNKNOWN, Stack

_PARTS = (
    *("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::InstanceProfile", "AWS::Lambda::"),
    *("AWS::Serverless::Connector", "AWS::Serverless::Application", "AWS::CDK::"),
    *("AWS::ApiGateway::Resource", "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Model", "AWS::ApiGatewayV2::Model"),
    *("AWS::ApiGatewayV2::Deployment", "AWS::ApiGateway::GatewayResponse", "AWS::ApiGateway::Account"),
    *("AWS::ApiGatewayV2::Route", "AWS::CloudFormation::", "Custom::"),
    *("random_", "null_resource", "terraform_data", "local_", "archive_", "time_", "data."),
    *("AWS::WAFv2::WebACLAssociation", "AWS::Signer::"),
    *("AWS::SNS::Subscription", "AWS::Serverless::LayerVersion"),
    *("AWS::SecretsManager::RotationSchedule",),
)
"""How types begin that are a part of others: rights, routes and code that are read where they belong, nested stacks and
custom resources, which a reading reports by itself, and what only a plan has."""

_SERVICES: Mapping[str, str] = {
    "ACMPCA": "Private CA",
    "ApiGateway": "API Gateway",
    "ApiGatewayV2": "API Gateway",
    "ApplicationAutoScaling": "Application Auto Scaling",
    "AutoScaling": "Auto Scaling",
    "BedrockAgentCore": "Bedrock AgentCore",
    "CertificateManager": "ACM",
    "CodeStarConnections": "CodeStar",
    "ElasticLoadBalancing": "Elastic Load Balancing",
    "ElasticLoadBalancingV2": "Elastic Load Balancing",
    "EventSchemas": "EventBridge",
    "Events": "EventBridge",
    "KinesisFirehose": "Firehose",
    "Logs": "CloudWatch Logs",
    "OpenSearchServerless": "OpenSearch Serverless",
    "OpenSearchService": "OpenSearch",
    "SecretsManager": "Secrets Manager",
    "ServiceDiscovery": "Cloud Map",
    "StepFunctions": "Step Functions",
    "WAFv2": "WAF",
}
"""What people call a service that a type's name has otherwise."""
_PLAN_SERVICES: Mapping[str, str] = {
    "acm": "ACM",
    "api": "API",
    "apigatewayv2": "API Gateway",
    "cloudwatch": "CloudWatch",
    "db": "RDS",
    "dynamodb": "DynamoDB",
    "eip": "EIP",
    "iam": "IAM",
    "opensearchserverless": "OpenSearch Serverless",
    "sfn": "Step Functions",
    "vpc": "VPC",
}
_WORD = re.compile(r"GraphQL|[A-Z]{2,}s?(?=[A-Z][a-z]|[^A-Za-z]|\Z)|[A-Z][a-z]+|[a-z]+|[A-Z]+|[0-9]+")
_HISSES = ("s", "x", "z", "ch", "sh")


def unmodeled(stack: Stack, modelled: Container[str]) -> tuple[tuple[str, int, str], ...]:
    """What of a stack is neither `modelled` (names) nor read for what others are: the type, how many, and in words."""
    read = _read()
    found = Counter(
        (one.type_in_file, one.type.removeprefix(UNKNOWN))
        for one in stack.resources.values()
        if not one.made_by and one.name not in modelled and one.type not in read and not one.type.startswith(_PARTS)
    )
    return tuple((name, count, f"{count} {_plural(_spoken(kind), count)}") for (name, kind), count in found.items())


@cache
def _read() -> frozenset[str]:
    """The types that are read for what they say of elements; what can be an element is one or is not."""
    mappings = load_mappings()
    elements = {name for of, by in mappings.elements.items() for name in by if of != "flow"}
    elements |= {name for name, row in RESOURCE_TYPES.items() if row.service}
    parts = {
        name
        for name, row in RESOURCE_TYPES.items()
        if not row.service and (row.read_as or row.stands_for or row.calls_by_role or row.part_of or row.hands_over)
    }
    return frozenset((parts | set(_sources(mappings))) - elements)


def _sources(mappings: Mappings) -> Iterator[str]:
    every: Iterable[Source] = (
        *(row.source for by in mappings.facts.values() for rows in by.values() for row in rows),
        *(source for by in mappings.gathered.values() for sources in by.values() for source in sources),
    )
    for source in every:
        yield from source.types
        for step in source.steps:
            yield from step.types


def _spoken(name: str) -> str:
    """A type's name in words; of a type that is no AWS one the name itself."""
    parts = name.split("::")
    if len(parts) == 3:  # noqa: PLR2004 - whose, the service, what
        own = parts[2].removeprefix(parts[1]) or parts[2]
        words = [word if len(word) > 1 and word[-2:].isupper() else word.lower() for word in _WORD.findall(own)]
        return " ".join((_SERVICES.get(parts[1], parts[1]), *words))
    first, *rest = name.removeprefix("aws_").split("_")
    if not name.startswith("aws_") or not rest:
        return name
    return " ".join((_PLAN_SERVICES.get(first) or TITLES.get(first) or first, *rest))


def _plural(words: str, count: int) -> str:
    if count == 1:
        return words
    if words.endswith("y") and words[-2:-1] not in set("aeiou"):
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith(_HISSES) else f"{words}s"
