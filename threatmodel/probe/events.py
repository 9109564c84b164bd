"""One HTTP request in the three forms in which a function gets it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DOMAIN = {
    "rest-api": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
    "http-api": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
    "function-url": "a1b2c3d4e5f6.lambda-url.eu-west-1.on.aws",
}
SOURCE = "203.0.113.7"
AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A POST: path, headers in order (None: the event says null), body, and whether a REST API encodes it."""

    path: str
    headers: tuple[tuple[str, str], ...] | None
    body: bytes
    base64: bool = False


def event_of(request: Request, shape: str) -> dict[str, Any]:
    """The event of a request through `shape`; the others than REST APIs encode what is neither text nor JSON."""
    return _rest(request) if shape == "rest-api" else _second(request, shape)


def _rest(request: Request) -> dict[str, Any]:
    headers, several = None, None
    if request.headers is not None:
        headers = dict(request.headers)
        several = _several(request.headers)
    return {
        "resource": request.path,
        "path": request.path,
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": several,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": request.path,
            "httpMethod": "POST",
            "path": f"/prod{request.path}",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainName": DOMAIN["rest-api"],
            "apiId": "a1b2c3d4e5",
            "requestId": "5f2c9f6e-0000-4000-8000-000000000000",
            "identity": {"sourceIp": SOURCE, "userAgent": AGENT},
        },
        **_body(request, encode=request.base64),
    }


def _second(request: Request, shape: str) -> dict[str, Any]:
    headers = None
    if request.headers is not None:
        lowered = tuple((name.lower(), value) for name, value in request.headers)
        headers = {name: ",".join(values) for name, values in _several(lowered).items()}
    route = "$default" if shape == "function-url" else f"POST {request.path}"
    form = "application/json" not in (headers or {}).get("content-type", "")
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": request.path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "http": {
                "method": "POST",
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": SOURCE,
                "userAgent": AGENT,
            },
            "domainName": DOMAIN[shape],
            "apiId": DOMAIN[shape].partition(".")[0],
            "requestId": "5f2c9f6e-0000-4000-8000-000000000000",
            "routeKey": route,
            "stage": "$default",
        },
        **_body(request, encode=form or request.base64),
    }


def _body(request: Request, *, encode: bool) -> dict[str, Any]:
    if not request.body:
        return {"body": None, "isBase64Encoded": False}
    if encode:
        return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}
    return {"body": request.body.decode(), "isBase64Encoded": False}


def _several(headers: tuple[tuple[str, str], ...]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    return found
