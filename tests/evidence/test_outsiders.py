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
        (["AllowUnauthenticatedIdentities: false"], NOTHING),
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
        ('{AWS: "*"}', True),
        ("'*'", True),
    ],
)
def test_roles_beside_those_of_functions(principal: str, expected: Any) -> None:
    assert answer(found(template(ROLE % principal), "account", "has_other_roles")) == expected


ANY_POOL = "{Effect: Allow, Principal: {Federated: cognito-identity.amazonaws.com}, Action: sts:AssumeRole%s}"
AUDIENCE = ", Condition: {StringEquals: {'cognito-identity.amazonaws.com:aud': 'eu-west-1:1'}}"
ANYBODY = "{Effect: Allow, Principal: {AWS: '*'}, Action: sts:AssumeRole%s}"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (ANYBODY % "", False),
        (ANYBODY % ", Condition: {StringEquals: {'aws:PrincipalOrgID': o-1}}", NOTHING),
        (ANYBODY.replace("Allow", "Deny") % "", NOTHING),
        (ANYBODY.replace("sts:AssumeRole", "sts:TagSession") % "", NOTHING),
        (ANYBODY.replace("'*'", "'111122223333'") % "", NOTHING),
        (ANY_POOL % "", False),
        (ANY_POOL % AUDIENCE, NOTHING),
        ("{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}", NOTHING),
    ],
)
def test_a_role_that_outsiders_may_assume_is_denied_to_be_restricted(statement: str, expected: Any) -> None:
    role = f"  Job: {{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {{Statement: [{statement}]}}}}}}\n"
    assert answer(found(template(role), "account", "other_roles_restricted")) == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ("{UserName: deployer}", True),
        ("{UserName: deployer, Status: Active}", True),
        ("{UserName: deployer, Status: Inactive}", UNKNOWN),
        ("{UserName: deployer, Status: !ImportValue status}", UNKNOWN),
    ],
)
def test_an_access_key_of_a_user_is_a_long_lived_one(properties: str, expected: Any) -> None:
    key = f"  Key: {{Type: AWS::IAM::AccessKey, Properties: {properties}}}\n"
    assert answer(found(template(key), "account", "long_lived_access_keys")) == expected


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
