"""Builds the events that API Gateway and function URLs hand to a function, from requests described as data.

    api: rest | http | url | alb    the event's form; http (payload 2.0) if not said
    kind: command | event | button
    path, method, query, cookies, base64, content_type
    fields: changes in the body before it is signed; null removes a field, a list repeats it
    payload: the same inside a button's `payload`
    body: the whole body instead
    age: seconds since it was signed; negative in the future
    signed: true (the app's secret), false (no signature headers), or the text of another key
    signed_over, signature, timestamp: templates of what is signed, and of the two headers
    later_fields, later_payload, later_body: changes after signing
    headers: set (or removed by null) at the end; templates
    clock: seconds that the process has aged

Templates know {now}, {date} (now as HTTP writes it), {timestamp}, {body}, {signature}, {hex}, {HEX} in capitals,
{reversed}, {sha256} without a key, {length} of the body, {large} (200,000 letters), {digit} and {random}; `{hex:8}`
are the first eight characters. {digit} stands for sixteen requests, one per digit, {random} for as
many as are asked for. Text becomes bytes as Latin-1, so "\\xff" is one byte that is not UTF-8.
"""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

Fields = Mapping[str, Any]

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
LEGACY_TOKEN = "gIkuvaNzQIHg97ATvDxqgjtO"
FORGED_TOKEN = "A" * len(LEGACY_TOKEN)
CALLBACK = "https://hooks.slack.com/commands/1234/5678"

COMMAND = {
    "team_id": "T0001",
    "team_domain": "example",
    "api_app_id": "A0001",
    "channel_id": "C2147483705",
    "channel_name": "deployments",
    "user_id": "U2147483697",
    "user_name": "steve",
    "command": "/deploy",
    "text": "web production",
    "response_url": CALLBACK,
    "trigger_id": "13345224609.738474920.8088930838d88f008e0",
}
EVENT = {
    "team_id": "T0001",
    "api_app_id": "A0001",
    "type": "event_callback",
    "event_id": "Ev08MFMKH6",
    "event_time": 1234567890,
    "event": {
        "type": "app_mention",
        "user": "U2147483697",
        "text": "<@U0LAN0Z89> deploy web production",
        "ts": "1515449522.000016",
        "channel": "C2147483705",
        "event_ts": "1515449522000016",
    },
}
BUTTON = {
    "type": "block_actions",
    "team": {"id": "T0001", "domain": "example"},
    "user": {"id": "U2147483697", "username": "steve"},
    "api_app_id": "A0001",
    "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
    "response_url": CALLBACK,
    "channel": {"id": "C2147483705", "name": "deployments"},
    "actions": [{"action_id": "approve", "block_id": "b1", "value": "web production", "type": "button"}],
}


def events(spec: Fields, now: int, tries: int) -> Iterator[dict[str, Any]]:
    """Yield the events of one described request: one, or one per {digit} or {random}."""
    text = json.dumps(spec)
    if "{digit" in text:
        yield from (event(spec, now, digit=digit) for digit in "0123456789abcdef")
    elif "{random" in text:
        randoms = (hashlib.sha256(str(number).encode()).hexdigest() for number in range(tries))
        yield from (event(spec, now, random=random) for random in randoms)
    else:
        yield event(spec, now)


def event(spec: Fields, now: int, **words: str) -> dict[str, Any]:
    """Return the event of one request, signed and then changed as described; `now` is the clock of the process."""
    kind, token = spec.get("kind", "command"), LEGACY_TOKEN if spec.get("signed", True) is True else FORGED_TOKEN
    body = spec.get("body", encoded(kind, token, spec.get("fields", {}), spec.get("payload", {})))
    words |= {"now": str(now), "timestamp": str(now - spec.get("age", 0)), "body": body, "length": str(len(body))}
    words["large"] = "x" * 200_000
    words["date"] = email.utils.formatdate(now, usegmt=True)
    key = SECRET if spec.get("signed", True) is True else str(spec["signed"])
    over = filled(spec.get("signed_over", "v0:{timestamp}:{body}"), words)
    digest = hmac.new(key.encode(), over.encode("latin-1"), hashlib.sha256).hexdigest()
    words |= {"hex": digest, "HEX": digest.upper(), "signature": f"v0={digest}", "reversed": digest[::-1]}
    words["sha256"] = hashlib.sha256(over.encode("latin-1")).hexdigest()
    fields, payload = merged(spec.get("fields", {}), spec.get("later_fields", {})), spec.get("later_payload", {})
    if "later_fields" in spec or payload:
        body = encoded(kind, token, fields, merged(spec.get("payload", {}), payload))
    body = filled(spec.get("later_body", body), words)
    return enveloped(spec, body, headers(spec, words), now)


def encoded(kind: str, token: str, fields: Fields, payload: Fields) -> str:
    """Return the body as Slack sends it: JSON for events, a form for the others."""
    if kind == "event":
        return compact(merged({"token": token, **EVENT}, fields))
    button = compact(merged({"token": token, **BUTTON}, payload))
    form = {"payload": button} if kind == "button" else {"token": token, **COMMAND}
    return urlencode(without_nulls(merged(form, fields)), doseq=True)


def compact(value: Fields) -> str:
    """Return JSON as Slack writes it, without what null removes."""
    return json.dumps(without_nulls(value), separators=(",", ":"))


def merged(into: Fields, changes: Fields) -> dict[str, Any]:
    """Return the fields with the changes, in depth."""
    result = dict(into)
    for key, value in changes.items():
        before = result.get(key)
        result[key] = merged(before, value) if isinstance(value, Mapping) and isinstance(before, Mapping) else value
    return result


def without_nulls(value: Any) -> Any:
    """Return the value without what null removes."""
    if not isinstance(value, Mapping):
        return value
    return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}


def filled(template: str, words: Mapping[str, str]) -> str:
    """Return the template with its words put in; other braces stay."""

    def word(match: re.Match[str]) -> str:
        value, length = words.get(match[1], match[0]), match[2]
        return value[: int(length)] if length else value

    return re.sub(r"\{(\w+)(?::(\d+))?\}", word, template)


def headers(spec: Fields, words: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the headers by name, each with its values."""
    json_body = spec.get("kind") == "event"
    found: dict[str, Any] = {
        "Accept": "*/*",
        "Content-Type": spec.get(
            "content_type", "application/json" if json_body else "application/x-www-form-urlencoded"
        ),
        "Host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Amzn-Trace-Id": "Root=1-63441c4a-abcdef012345678912345678",
        "X-Forwarded-For": "203.0.113.1",
        "X-Forwarded-Proto": "https",
    }
    if spec.get("signed", True) is not False:
        found["X-Slack-Signature"] = spec.get("signature", "{signature}")
        found["X-Slack-Request-Timestamp"] = spec.get("timestamp", "{timestamp}")
    for name, value in spec.get("headers", {}).items():
        found = {known: kept for known, kept in found.items() if known.lower() != name.lower()} | {name: value}
    lists = {name: value if isinstance(value, list) else [value] for name, value in found.items() if value is not None}
    return {name: [filled(str(value), words) for value in values] for name, values in lists.items()}


def enveloped(spec: Fields, body: str, sent: Mapping[str, list[str]], now: int) -> dict[str, Any]:
    """Return the event around a body, in the form of the API."""
    api, content = spec.get("api", "http"), body.encode("latin-1")
    text_type = "json" in "".join(sent.get("Content-Type", []))
    as_base64 = spec.get("base64", not content.isascii() or (api != "rest" and not text_type))
    part = {
        "body": base64.b64encode(content).decode() if as_base64 else body,
        "isBase64Encoded": as_base64,
    }
    path, method = spec.get("path", "/slack"), spec.get("method", "POST")
    if api == "alb":
        return balanced(path, method, spec, sent) | part
    make = rest if api == "rest" else http
    return make(path, method, spec, sent, now) | part


def balanced(path: str, method: str, spec: Fields, sent: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the event of a load balancer, without its body."""
    group = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/slack/49e9d65c45c6791a"
    return {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": dict(spec.get("query", {})),
        "headers": {name.lower(): values[-1] for name, values in sent.items()},
    }


def rest(path: str, method: str, spec: Fields, sent: Mapping[str, list[str]], now: int) -> dict[str, Any]:
    """Return the event of a REST API (and of HTTP APIs with payload 1.0), without its body."""
    query = {key: value if isinstance(value, list) else [value] for key, value in spec.get("query", {}).items()}
    cookies = {"Cookie": ["; ".join(spec["cookies"])]} if "cookies" in spec else {}
    sent = {**sent, **cookies}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {name: values[-1] for name, values in sent.items()},
        "multiValueHeaders": dict(sent),
        "queryStringParameters": {key: values[-1] for key, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.1", "userAgent": sent.get("User-Agent", [""])[-1]},
            "path": f"/prod{path}",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTimeEpoch": now * 1000,
            "resourcePath": path,
            "stage": "prod",
        },
    }


def http(path: str, method: str, spec: Fields, sent: Mapping[str, list[str]], now: int) -> dict[str, Any]:
    """Return the event of an HTTP API with payload 2.0, or of a function URL, without its body."""
    is_url, query = spec.get("api") == "url", spec.get("query", {})
    domain = "lambda-url.eu-central-1.on.aws" if is_url else "execute-api.eu-central-1.amazonaws.com"
    given = {"queryStringParameters": {key: joined(value) for key, value in query.items()}} if query else {}
    return given | {
        "version": "2.0",
        "routeKey": "$default" if is_url else f"{method} {path}",
        "rawPath": path,
        "rawQueryString": urlencode(query, doseq=True),
        "cookies": spec.get("cookies", []),
        "headers": {name.lower(): ",".join(values) for name, values in sent.items()},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": f"a1b2c3d4e5.{domain}",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.1",
                "userAgent": ",".join(sent.get("User-Agent", [""])),
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default" if is_url else f"{method} {path}",
            "stage": "$default",
            "timeEpoch": now * 1000,
        },
    }


def joined(value: Any) -> str:
    """Return repeated values as payload 2.0 joins them."""
    return ",".join(value) if isinstance(value, list) else str(value)
