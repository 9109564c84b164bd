"""Whether the resource policy of a REST API admits only some callers, in each language that has one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.evidence.asking import UNKNOWN, answer, found, plan, template
from threatmodel.stacks.stack import Stack

OFFICE, ALL = ["198.51.100.0/24"], ["0.0.0.0/0"]
LET_IN = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
KEEP_OUT = {**LET_IN, "Effect": "Deny"}


def let(condition: dict[str, Any]) -> dict[str, Any]:
    return {**LET_IN, "Condition": condition}


def deny(condition: dict[str, Any], resource: str = "execute-api:/*") -> dict[str, Any]:
    return {**KEEP_OUT, "Condition": condition, "Resource": resource}


POLICIES: list[tuple[list[dict[str, Any]], object]] = [
    ([LET_IN], False),
    ([let({"IpAddress": {"aws:SourceIp": OFFICE}})], True),
    ([let({"IpAddress": {"aws:SourceIp": ALL}})], False),
    ([let({"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}})], False),
    ([let({"IpAddress": {"aws:SourceIp": [*OFFICE, "::/0"]}})], False),
    ([let({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}})], UNKNOWN),
    ([let({"IpAddressIfExists": {"aws:SourceIp": OFFICE}})], False),
    ([let({"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c3d4e5f60718"}})], True),
    ([let({"StringLike": {"aws:SourceVpce": "vpce-*"}})], False),
    ([let({"StringEquals": {"aws:UserAgent": "us"}})], False),
    ([{**LET_IN, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}], True),
    ([{**LET_IN, "Principal": {"AWS": "*"}}], False),
    ([LET_IN, deny({"NotIpAddress": {"aws:SourceIp": OFFICE}})], True),
    ([deny({"NotIpAddress": {"aws:SourceIp": OFFICE}}), LET_IN], True),
    ([LET_IN, deny({"NotIpAddress": {"aws:SourceIp": ALL}})], False),
    ([LET_IN, deny({"IpAddress": {"aws:SourceIp": OFFICE}})], False),
    ([LET_IN, deny({"NotIpAddress": {"aws:SourceIp": OFFICE}}, "execute-api:/*/*/*")], True),
    ([LET_IN, deny({"NotIpAddress": {"aws:SourceIp": OFFICE}}, "execute-api:/*/GET/admin")], False),
    ([LET_IN, deny({"StringNotEquals": {"aws:SourceVpce": "vpce-0a1b2c3d4e5f60718"}})], True),
    (
        [
            LET_IN,
            deny(
                {
                    "NotIpAddress": {"aws:SourceIp": OFFICE},
                    "StringNotEquals": {"aws:SourceVpce": "vpce-0a1b2c3d4e5f60718"},
                }
            ),
        ],
        True,
    ),
    (
        [LET_IN, deny({"NotIpAddress": {"aws:SourceIp": OFFICE}, "StringNotEquals": {"aws:UserAgent": "us"}})],
        False,
    ),
    ([let({"IpAddress": {"aws:SourceIp": OFFICE}}), LET_IN], False),
    ([let({"IpAddress": {"aws:SourceIp": OFFICE}}), {**KEEP_OUT, "Principal": {"AWS": "arn:aws:iam::1:root"}}], True),
]


def asked(stack: Stack) -> object:
    return answer(found(stack, "api", "callers_restricted"))


@pytest.mark.parametrize(("statements", "expected"), POLICIES)
def test_a_policy_in_each_language(statements: list[dict[str, Any]], expected: object) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    assert asked(template(f"  A: {{Type: AWS::ApiGateway::RestApi, Properties: {{Policy: {document}}}}}")) == expected
    body = f"{{openapi: '3.0.1', x-amazon-apigateway-policy: {document}}}"
    assert asked(template(f"  A: {{Type: AWS::ApiGateway::RestApi, Properties: {{Body: {body}}}}}")) == expected
    custom = f"{{StageName: p, Auth: {{ResourcePolicy: {{CustomStatements: {json.dumps(statements)}}}}}}}"
    assert asked(template(f"  A: {{Type: AWS::Serverless::Api, Properties: {custom}}}")) == expected
    apart = f"{{rest_api_id: '${{aws_api_gateway_rest_api.a.id}}', policy: {json.dumps(document)}}}"
    planned = (
        f"aws_api_gateway_rest_api.a: {{name: a, policy: {json.dumps(document)}}}",
        f"aws_api_gateway_rest_api.a: {{name: a}}\naws_api_gateway_rest_api_policy.p: {apart}",
    )
    for text in planned:
        assert asked(plan(text)) == expected


@pytest.mark.parametrize(
    ("statements", "asks", "expected"),
    [
        ([let({"IpAddress": {"aws:SourceIp": OFFICE}})], "CUSTOM", UNKNOWN),
        ([let({"IpAddress": {"aws:SourceIp": OFFICE}})], "COGNITO_USER_POOLS", True),
        ([LET_IN, deny({"NotIpAddress": {"aws:SourceIp": OFFICE}})], "CUSTOM", True),
        ([LET_IN], "CUSTOM", False),
    ],
)
def test_a_lambda_authorizer_needs_no_statement(statements: list[dict[str, Any]], asks: str, expected: object) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    method = f"{{RestApiId: !Ref A, HttpMethod: GET, AuthorizationType: {asks}}}"
    api = f"  A: {{Type: AWS::ApiGateway::RestApi, Properties: {{Policy: {document}}}}}"
    assert asked(template(f"{api}\n  M: {{Type: AWS::ApiGateway::Method, Properties: {method}}}")) == expected
    sam = f"{{StageName: p, Auth: {{ResourcePolicy: {{CustomStatements: {json.dumps(statements)}}}, "
    chosen = {"CUSTOM": "FunctionArn: !GetAtt F.Arn", "COGNITO_USER_POOLS": "UserPoolArn: !GetAtt P.Arn"}[asks]
    sam += f"DefaultAuthorizer: X, Authorizers: {{X: {{{chosen}}}}}}}}}"
    event = "{Type: Api, Properties: {RestApiId: !Ref A, Path: /a, Method: get}}"
    function = f"  F: {{Type: AWS::Serverless::Function, Properties: {{Events: {{E: {event}}}}}}}"
    assert asked(template(f"  A: {{Type: AWS::Serverless::Api, Properties: {sam}}}\n{function}")) == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ("{StageName: p}", False),
        ("{StageName: p, Auth: {ResourcePolicy: {IpRangeWhitelist: [198.51.100.0/24]}}}", True),
        ("{StageName: p, Auth: {ResourcePolicy: {IpRangeWhitelist: [0.0.0.0/0]}}}", False),
        ("{StageName: p, Auth: {ResourcePolicy: {IpRangeBlacklist: [198.51.100.0/24]}}}", False),
        ("{StageName: p, Auth: {ResourcePolicy: {AwsAccountWhitelist: ['123456789012']}}}", True),
        ("{StageName: p, Auth: {ResourcePolicy: {IntrinsicVpceWhitelist: [!Ref Vpce]}}}", True),
        ("{StageName: p, DefinitionUri: api.yaml}", UNKNOWN),
        ("{StageName: p, EndpointConfiguration: {Type: PRIVATE}}", UNKNOWN),
        ("{StageName: p, EndpointConfiguration: {Type: REGIONAL}}", False),
    ],
)
def test_what_sam_makes_of_its_lists(properties: str, expected: object) -> None:
    more = "  Vpce: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: execute-api}}"
    assert asked(template(f"  A: {{Type: AWS::Serverless::Api, Properties: {properties}}}\n{more}")) == expected


@pytest.mark.parametrize(
    ("api", "expected"),
    [
        ("AWS::ApiGateway::RestApi, Properties: {Name: a}", False),
        ("AWS::ApiGateway::RestApi, Properties: {BodyS3Location: {Bucket: b, Key: k}}", UNKNOWN),
        ("AWS::ApiGateway::RestApi, Properties: {EndpointConfiguration: {Types: [PRIVATE]}}", UNKNOWN),
        ("AWS::ApiGateway::RestApi, Properties: {Policy: !ImportValue shared}", UNKNOWN),
        ("AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP}", False),
        ("AWS::Serverless::HttpApi", False),
    ],
)
def test_an_api_without_a_policy(api: str, expected: object) -> None:
    assert asked(template(f"  A: {{Type: {api}}}")) == expected
