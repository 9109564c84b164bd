"""The routes of an API of API Gateway and who may take them, and the resources that these are in its two versions.

SAM and the Serverless Framework describe the same parts in different words.  Each reader fills these values, and `REST`
and `HTTP` know what AWS calls them.  A value is a node, or plain data with nodes inside; None is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias


class Authorizer(NamedTuple):
    """What decides who may call: a function (`uri`, called with `credentials`), user pools, or the issuer of tokens.

    `source` is where the identity is in a request, `validation` what it must match, and a decision is kept for
    `seconds`.  `simple`: the function answers with yes or no.
    """

    name: Any
    kind: Any
    uri: Any = None
    credentials: Any = None
    pools: Any = None
    tokens: Any = None
    source: Any = None
    validation: Any = None
    seconds: Any = None
    simple: Any = None


class Integration(NamedTuple):
    """What a route leads to."""

    kind: Any
    uri: Any = None
    method: Any = None
    credentials: Any = None
    parameters: Any = None
    templates: Any = None
    payload: Any = None
    subtype: Any = None
    timeout: Any = None
    connection: Any = None
    mode: Any = None


class Access(NamedTuple):
    """What the callers of a route must show: an AuthorizationType with its authorizer and scopes, and an API key."""

    kind: Any = None
    authorizer: Any = None
    scopes: Any = None
    key: Any = None


class Route(NamedTuple):
    """A way through an API: `key` is its method below the path `at` (REST), or both as one text (HTTP).

    It leads to the integration `target`; `validator`, `models` and `parameters` say what a request must be like.
    """

    key: Any
    access: Access
    target: Any
    at: Any = None
    validator: Any = None
    models: Any = None
    parameters: Any = None
    operation: Any = None


Part: TypeAlias = "Authorizer | Integration | Route"
"""What is a separate resource; the integrations of a REST API are properties of its methods."""


class Gateway(NamedTuple):
    """One version of API Gateway: how its types begin, how its resources name their API, and what each part is there.

    What a version does not have is left out.
    """

    prefix: str
    api: str
    parts: Mapping[type[Part], tuple[str, Mapping[str, str]]]

    def properties(self, part: Part) -> dict[str, Any]:
        """Return the properties of a part."""
        names = self.parts[type(part)][1]
        found = {names[field]: value for field, value in part._asdict().items() if field in names}
        return found | (dict(zip(_ACCESS, part.access, strict=True)) if isinstance(part, Route) else {})

    def resource(self, part: Part, api: Any) -> tuple[str, dict[str, Any]]:
        """Return the type and the properties of a part's resource; `api` is the reference to its API."""
        return f"{self.prefix}{self.parts[type(part)][0]}", {self.api: api, **self.properties(part)}


_ACCESS = ("AuthorizationType", "AuthorizerId", "AuthorizationScopes", "ApiKeyRequired")
_DECIDES = {
    "name": "Name",
    "uri": "AuthorizerUri",
    "source": "IdentitySource",
    "seconds": "AuthorizerResultTtlInSeconds",
}

REST = Gateway(
    "AWS::ApiGateway::",
    "RestApiId",
    {
        Authorizer: (
            "Authorizer",
            {
                **_DECIDES,
                "kind": "Type",
                "credentials": "AuthorizerCredentials",
                "pools": "ProviderARNs",
                "validation": "IdentityValidationExpression",
            },
        ),
        Integration: (
            "",
            {
                "kind": "Type",
                "uri": "Uri",
                "method": "IntegrationHttpMethod",
                "credentials": "Credentials",
                "parameters": "RequestParameters",
                "templates": "RequestTemplates",
                "timeout": "TimeoutInMillis",
                "connection": "ConnectionId",
                "mode": "ResponseTransferMode",
            },
        ),
        Route: (
            "Method",
            {
                "key": "HttpMethod",
                "target": "Integration",
                "at": "ResourceId",
                "validator": "RequestValidatorId",
                "models": "RequestModels",
                "parameters": "RequestParameters",
                "operation": "OperationName",
            },
        ),
    },
)
HTTP = Gateway(
    "AWS::ApiGatewayV2::",
    "ApiId",
    {
        Authorizer: (
            "Authorizer",
            {
                **_DECIDES,
                "kind": "AuthorizerType",
                "credentials": "AuthorizerCredentialsArn",
                "tokens": "JwtConfiguration",
                "simple": "EnableSimpleResponses",
            },
        ),
        Integration: (
            "Integration",
            {
                "kind": "IntegrationType",
                "uri": "IntegrationUri",
                "credentials": "CredentialsArn",
                "parameters": "RequestParameters",
                "payload": "PayloadFormatVersion",
                "subtype": "IntegrationSubtype",
                "timeout": "TimeoutInMillis",
            },
        ),
        Route: ("Route", {"key": "RouteKey", "target": "Target", "parameters": "RequestParameters"}),
    },
)
