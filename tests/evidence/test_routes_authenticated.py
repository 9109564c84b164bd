"""A function whose own routes all ask who calls, beside routes of the same API that do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collecting import collected
from tests.support import system_of
from threatmodel.reading.files import Files

TEMPLATE = """\
Resources:
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: %s}}
  Jwt:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties: {ApiId: !Ref Api, AuthorizerType: JWT, JwtConfiguration: %s}
  Admin: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13, Handler: a.h, Code: {ZipFile: "x = 1"}}}
  ToAdmin: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Api, IntegrationUri: !GetAtt Admin.Arn}}
  Delete:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: %s, AuthorizationType: %s, Target: !Sub "integrations/${ToAdmin}"}
  Bot: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13, Handler: a.h, Code: {ZipFile: "x = 1"}}}
  ToBot: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Api, IntegrationUri: !GetAtt Bot.Arn}}
  Slack:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: POST /slack, AuthorizationType: NONE, Target: !Sub "integrations/${ToBot}"}
"""
TOKENS = "{Audience: [admin], Issuer: 'https://login.acme.dev/'}"
MODEL = "name: x\napis: {api: {}}\nfunctions: {admin: {}, bot: {}}\nevidence: [{template: template.yaml}]\n"


@pytest.mark.parametrize(
    ("protocol", "tokens", "key", "authorization", "authenticated"),
    [
        ("HTTP", TOKENS, "DELETE /orders", "JWT", True),
        ("HTTP", TOKENS, "DELETE /orders", "AWS_IAM", True),
        ("HTTP", TOKENS, "DELETE /orders", "NONE", False),
        ("HTTP", TOKENS, "DELETE /orders", "CUSTOM", False),  # what it accepts is in its code
        ("HTTP", TOKENS, "DELETE /orders", "!ImportValue auth", False),
        ("HTTP", "{Issuer: 'https://login.acme.dev/'}", "DELETE /orders", "JWT", False),  # any audience
        ("WEBSOCKET", TOKENS, "$connect", "NONE", False),
    ],
)
def test_only_a_function_whose_routes_all_ask_is_authenticated(
    protocol: str, tokens: str, key: str, authorization: str, authenticated: bool, tmp_path: Path
) -> None:
    template = TEMPLATE % (protocol, tokens, key, authorization)
    (tmp_path / "template.yaml").write_text(template, encoding="utf-8")
    said, _ = collected(system_of(tmp_path, MODEL), Files())
    assert ("routes_authenticated" in said["admin"]) is authenticated
    assert "routes_authenticated" not in said["bot"]
