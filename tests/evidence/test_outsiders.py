"""Whom a stack admits beside its functions: guests, other roles, and browsers that upload."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, template

POOL = "  Pool%s: {Type: AWS::Cognito::IdentityPool, Properties: {%s}}\n"
ROLE = (
    "  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement:"
    " [{Effect: Allow, Principal: %s, Action: sts:AssumeRole}]}}}\n"
)
BUCKET = "  Files: {Type: AWS::S3::Bucket, Properties: {%s}}\n"


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        ([], NOTHING),
        (["AllowUnauthenticatedIdentities: true"], True),
        (["AllowUnauthenticatedIdentities: false"], False),
        (["AllowUnauthenticatedIdentities: false", "AllowUnauthenticatedIdentities: true"], True),
        (["AllowUnauthenticatedIdentities: !ImportValue guests"], UNKNOWN),
    ],
)
def test_guests_of_an_identity_pool(pools: list[str], expected: Any) -> None:
    text = template("".join(POOL % (at, one) for at, one in enumerate(pools)) + BUCKET % "")
    assert answer(found(text, "account", "guest_identities")) == expected


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("{Federated: cognito-identity.amazonaws.com}", True),
        ("{Federated: token.actions.githubusercontent.com}", NOTHING),
        ("{Service: lambda.amazonaws.com}", NOTHING),
        ("{Service: states.amazonaws.com}", NOTHING),
    ],
)
def test_roles_beside_those_of_functions(principal: str, expected: Any) -> None:
    assert answer(found(template(ROLE % principal), "account", "has_other_roles")) == expected


@pytest.mark.parametrize(
    ("cors", "expected"),
    [
        ("", NOTHING),
        ("CorsConfiguration: {CorsRules: [{AllowedMethods: [GET], AllowedOrigins: ['*']}]}", NOTHING),
        ("CorsConfiguration: {CorsRules: [{AllowedMethods: [GET, PUT], AllowedOrigins: ['*']}]}", True),
        ("CorsConfiguration: {CorsRules: [{AllowedMethods: [POST], AllowedOrigins: ['*']}]}", True),
    ],
)
def test_browsers_that_upload_to_a_bucket(cors: str, expected: Any) -> None:
    assert answer(found(template(BUCKET % cors), "store", "takes_uploads", "Files")) == expected
