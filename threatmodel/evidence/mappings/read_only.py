"""Which operations of AWS a collector may call."""

from __future__ import annotations

import re

_READS = re.compile(r"(Get|List|Describe|BatchGet|Generate(?=CredentialReport\Z)|Simulate)[A-Z]\w*\Z")
_TELLS = frozenset(
    {
        "lambda:GetFunction",
        "lambda:GetLayerVersion",
        "lambda:GetLayerVersionByArn",
        "s3:GetObject",
        "secretsmanager:GetSecretValue",
        "secretsmanager:BatchGetSecretValue",
        "ssm:GetParameter",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
        "ssm:GetParameterHistory",
        "sts:GetSessionToken",
        "sts:GetFederationToken",
        "ecr:GetAuthorizationToken",
        "kms:GenerateDataKey",
    }
)


def forbidden(service: str, operation: str) -> bool:
    """Whether no collector may call this: it changes something, runs code, or returns code or a secret's value."""
    return _READS.match(operation) is None or f"{service}:{operation}" in _TELLS
