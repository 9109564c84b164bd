"""The parts of an API in the words of both versions of API Gateway, held to AWS's own schemas."""

from __future__ import annotations

import json

import pytest

from tests.support import HOME
from threatmodel.stacks.apis import HTTP, REST, Access, Authorizer, Gateway, Integration, Part, Route

PARTS: tuple[type[Part], ...] = (Authorizer, Integration, Route)


@pytest.mark.parametrize("part", PARTS)
def test_each_field_is_a_property_of_one_version_at_least(part: type[Part]) -> None:
    named = {field for version in (REST, HTTP) for field in version.parts[part][1]}
    assert named | ({"access"} if part is Route else set()) == set(part._fields)


@pytest.mark.parametrize("version", [REST, HTTP])
def test_no_two_fields_are_the_same_property(version: Gateway) -> None:
    for _, names in version.parts.values():
        assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("version", [REST, HTTP])
def test_the_types_are_those_that_aws_has(version: Gateway) -> None:
    path = HOME / "threatmodel" / "stacks" / "resource-schemas.json"
    known = json.loads(path.read_text(encoding="utf-8"))["types"][version.prefix.removesuffix("::")]
    assert {kind for kind, _ in version.parts.values() if kind} <= set(known.split())


def test_what_a_version_does_not_have_is_left_out() -> None:
    jwt = Authorizer("a", "JWT", tokens={"Issuer": "i"}, validation="^x$")
    assert HTTP.resource(jwt, "api") == (
        "AWS::ApiGatewayV2::Authorizer",
        {
            "ApiId": "api",
            **dict.fromkeys(("AuthorizerUri", "AuthorizerCredentialsArn", "IdentitySource"), None),
            **dict.fromkeys(("AuthorizerResultTtlInSeconds", "EnableSimpleResponses"), None),
            "Name": "a",
            "AuthorizerType": "JWT",
            "JwtConfiguration": {"Issuer": "i"},
        },
    )
    route = REST.properties(Route("GET", Access("NONE", key=True), {}))
    assert (route["HttpMethod"], route["AuthorizationType"], route["ApiKeyRequired"]) == ("GET", "NONE", True)
