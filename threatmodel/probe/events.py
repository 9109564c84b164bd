"""One HTTP request in the forms in which a function gets it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from threatmodel.reading.grouping import grouped
from threatmodel.reading.values import dataclass

SHAPES = ("rest-api", "http-api", "function-url", "alb")
"""In which form a request reaches a function, by what comes before it."""
ALB_SEVERAL = "alb-multi-value"
"""A load balancer whose target group has multi-value headers turned on: it hands over lists, and nothing else."""
DIRECT = "direct"
"""The form of a caller that may invoke the function itself: only what the caller writes, and nothing of an API."""

DOMAIN = {
    "rest-api": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
    "http-api": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
    "function-url": "a1b2c3d4e5f6.lambda-url.eu-west-1.on.aws",
    "alb": "probe-123456789.eu-west-1.elb.amazonaws.com",
    ALB_SEVERAL: "probe-123456789.eu-west-1.elb.amazonaws.com",
    DIRECT: "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
}
SOURCE = "203.0.113.7"
AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"
_REQUEST = "5f2c9f6e-0000-4000-8000-000000000000"
_TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/probe/d6190d154bc908a5"
_AS_TEXT = ("text/", "application/json", "application/javascript", "application/xml")
"""Types of content that an HTTP API, a function URL and a load balancer hand over as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request: path, method, query, headers in order (None: the event says null), body, and whether it is encoded."""

    path: str
    headers: tuple[tuple[str, str], ...] | None
    body: bytes
    method: str = "POST"
    query: tuple[tuple[str, str], ...] = ()
    base64: bool = False


def deployed_as(event: dict[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """The event as it comes through another stage, with stage variables; `stage` is its name."""
    context = {**event.get("requestContext", {}), "stage": variables["stage"]}
    return {**event, "requestContext": context, "stageVariables": dict(variables)}


def event_of(request: Request, shape: str) -> dict[str, Any]:
    """The event of a request through `shape`; the others than REST APIs encode what is neither text nor JSON."""
    match shape:
        case "rest-api":
            return _rest(request)
        case "alb":
            return _load_balancer(request)
        case "alb-multi-value":
            return _load_balancer_of_lists(request)
        case "direct":
            headers = None if request.headers is None else dict(request.headers)
            return {"headers": headers, **_body(request, encode=request.base64)}
    return _second(request, shape)


def _rest(request: Request) -> dict[str, Any]:
    headers, several = None, None
    if request.headers is not None:
        headers = dict(request.headers)
        several = _several(request.headers)
    return {
        "resource": request.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": several,
        "queryStringParameters": dict(request.query) or None,
        "multiValueQueryStringParameters": _several(request.query) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": request.path,
            "httpMethod": request.method,
            "path": f"/prod{request.path}",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainName": DOMAIN["rest-api"],
            "apiId": "a1b2c3d4e5",
            "requestId": _REQUEST,
            "identity": {"sourceIp": SOURCE, "userAgent": AGENT},
        },
        **_body(request, encode=request.base64),
    }


def _second(request: Request, shape: str) -> dict[str, Any]:
    lowered = _lowered(request)
    headers = None if lowered is None else {name: ",".join(values) for name, values in _several(lowered).items()}
    cookies = (headers or {}).pop("cookie", "")
    route = "$default" if shape == "function-url" else f"{request.method} {request.path}"
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": request.path,
        "rawQueryString": urlencode(request.query),
        "headers": headers,
        "requestContext": {
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": SOURCE,
                "userAgent": AGENT,
            },
            "domainName": DOMAIN[shape],
            "apiId": DOMAIN[shape].partition(".")[0],
            "requestId": _REQUEST,
            "routeKey": route,
            "stage": "$default",
        },
        **_body(request, encode=request.base64 or not _is_text(headers)),
    }
    if cookies:
        event["cookies"] = cookies.split("; ")
    if request.query:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in _several(request.query).items()}
    return event


def _load_balancer(request: Request) -> dict[str, Any]:
    """What a load balancer hands over: of a header or query that was sent twice, the last."""
    lowered = _lowered(request)
    headers = None if lowered is None else dict(lowered)
    return {**_balanced(request, headers), "queryStringParameters": dict(request.query), "headers": headers}


def _load_balancer_of_lists(request: Request) -> dict[str, Any]:
    """The same with multi-value headers: there are no `headers` beside them.

    docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#multi-value-headers
    """
    lowered = _lowered(request)
    several = None if lowered is None else _several(lowered)
    whole = _balanced(request, None if lowered is None else dict(lowered))
    return {**whole, "multiValueQueryStringParameters": _several(request.query), "multiValueHeaders": several}


def _balanced(request: Request, headers: Mapping[str, str] | None) -> dict[str, Any]:
    whole = _body(request, encode=request.base64 or not _is_text(headers))
    return {
        "requestContext": {"elb": {"targetGroupArn": _TARGET_GROUP}},
        "httpMethod": request.method,
        "path": request.path,
        **whole,
        "body": whole["body"] or "",
    }


def _lowered(request: Request) -> tuple[tuple[str, str], ...] | None:
    return None if request.headers is None else tuple((name.lower(), value) for name, value in request.headers)


def _is_text(headers: Mapping[str, str] | None) -> bool:
    return (headers or {}).get("content-type", "").startswith(_AS_TEXT)


def _body(request: Request, *, encode: bool) -> dict[str, Any]:
    if not request.body:
        return {"body": None, "isBase64Encoded": False}
    if not encode:
        try:
            return {"body": request.body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass  # no event could hold these bytes as text
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


def _several(pairs: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    return grouped(pairs)
