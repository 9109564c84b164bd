"""The facts that the vocabulary calls visible to AWS: operations that exist, and only describe, answer each of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.session
import pytest
import yaml

from threatmodel.model.vocabulary import ROWS

ANSWERED_BY: dict[str, dict[str, list[str]]] = yaml.safe_load(
    Path(__file__).with_name("aws.yaml").read_text(encoding="utf-8")
)
"""By kind and fact: the operations that together answer it; none where the type of the element does."""

READS = re.compile(r"(Get|List|Describe|BatchGet|Generate(?=CredentialReport\Z)|Simulate)[A-Z]\w*\Z")
HANDS_OUT = frozenset((
    *("lambda:GetFunction", "lambda:GetLayerVersion", "lambda:GetLayerVersionByArn", "s3:GetObject"),
    *("secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "ssm:GetParameter", "ssm:GetParameters"),
    *("ssm:GetParametersByPath", "ssm:GetParameterHistory", "sts:GetSessionToken", "sts:GetFederationToken"),
    *("ecr:GetAuthorizationToken", "kms:GenerateDataKey"),
))  # fmt: skip
"""Operations that are called after reading, and return code, a secret's value or a token."""


@functools.cache
def service(name: str) -> Any:
    """botocore's model of a service, or None."""
    try:
        return botocore.session.Session().get_service_model(name)
    except botocore.exceptions.UnknownServiceError:
        return None


def problems_of(call: str) -> Iterator[str]:
    """What is wrong with an operation (service:Operation)."""
    name, _, operation = call.partition(":")
    model = service(name)
    if model is None or operation not in model.operation_names:
        yield f"{call}: no such operation"
    if READS.match(operation) is None or call in HANDS_OUT:
        yield f"{call} changes something, or hands out code or secrets"


def test_facts_that_aws_shows_are_answered() -> None:
    named = {f"{kind}.{fact}" for kind, facts in ANSWERED_BY.items() for fact in facts}
    assert named == {f"{row.kind}.{row.name}" for row in ROWS if "aws" in row.seen_by}


def test_only_the_type_of_an_element_needs_no_call() -> None:
    assert {fact for facts in ANSWERED_BY.values() for fact, calls in facts.items() if not calls} == {"kind"}


@pytest.mark.slow
def test_operations_exist_and_only_describe() -> None:
    every = {call for facts in ANSWERED_BY.values() for calls in facts.values() for call in calls}
    assert sorted(problem for call in every for problem in problems_of(call)) == []


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("lambdas:GetPolicy", "no such operation"),
        ("lambda:GetPolicies", "no such operation"),
        ("lambda:GetFunction", "hands out code"),
        ("lambda:Invoke", "changes something"),
        ("secretsmanager:GetSecretValue", "hands out code or secrets"),
        ("kms:Decrypt", "changes something"),
    ],
)
def test_wrong_operation_is_found(call: str, problem: str) -> None:
    assert any(problem in found for found in problems_of(call))
