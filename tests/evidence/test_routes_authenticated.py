"""A function whose own routes all ask who calls, beside routes of the same API that do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collecting import collected
from tests.support import system_of
from threatmodel.graph.building import build
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


@pytest.mark.parametrize(
    ("authorization", "decided", "applies"),
    [("CUSTOM", True, None), ("NONE", False, True), ("!ImportValue auth", False, True), ("JWT", False, True)],
)
def test_an_authorizer_s_code_leaves_open_whether_its_routes_are_open(
    authorization: str, decided: bool, applies: bool | None, tmp_path: Path
) -> None:
    """Another route of the API authenticates no caller: only the function behind that route is open."""
    template = TEMPLATE % ("HTTP", TOKENS, "DELETE /orders", authorization)
    (tmp_path / "template.yaml").write_text(template, encoding="utf-8")
    model = MODEL.replace("admin: {}", "admin: {triggers: [{http: DELETE, api: api, path: /orders}]}")
    system = system_of(tmp_path, model.replace("bot: {}", "bot: {triggers: [{http: POST, api: api, path: /slack}]}"))
    said, _ = collected(system, Files())
    assert ("code_decides_callers" in said["admin"]) is decided
    found = build(system, said).elements
    fact = found["admin"].facts.get("identifies_callers")
    assert (None if fact is None else not fact.value) is applies
    assert found["bot"].facts["identifies_callers"].value is False


def test_a_person_says_what_the_code_rejects(tmp_path: Path) -> None:
    text = "name: x\napis: {api: {}}\nfunctions: {bot: {triggers: [{http: GET, api: api}], %s}}\n"
    for stated, expected in (("code_decides_callers: true", None), ("code_rejects_unidentified: true", True)):
        fact = build(system_of(tmp_path, text % stated)).elements["bot"].facts.get("identifies_callers")
        assert (fact and fact.value) is expected
