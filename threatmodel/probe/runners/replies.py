"""What Lambda's answer to an invocation says: status, headers and body, as API Gateway would read them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from threatmodel.probe.protocol import Reply


def from_answer(text: str) -> Reply:
    """The reply that a handler's answer (JSON text) makes.

    An answer without `statusCode` has no status: function URLs and HTTP APIs make a 200 of it with the JSON as the
    body, REST APIs a 502.  Of a header with several values all are kept, joined by a comma; cookies, which HTTP APIs
    have apart, are one.
    """
    answer = json.loads(text)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return Reply(body=text)
    return Reply(status=_status(answer["statusCode"]), headers=_headers(answer), body=_body(answer))


def _status(value: Any) -> int | None:
    """A status as a number; API Gateway takes a text of digits too."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) <= 3:  # noqa: PLR2004 - 100 to 599
        value = int(value)
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    return int(value) if whole and 100 <= value <= 599 else None  # noqa: PLR2004 - what HTTP knows


def _headers(answer: Mapping[str, Any]) -> dict[str, str]:
    headers: dict[str, str] = {}
    single = answer.get("headers")
    several = answer.get("multiValueHeaders")
    cookies = answer.get("cookies")
    for name, value in (single if isinstance(single, dict) else {}).items():
        headers[name] = _text(value)
    for name, values in (several if isinstance(several, dict) else {}).items():
        headers[name] = ", ".join(_text(value) for value in values) if isinstance(values, list) else _text(values)
    if isinstance(cookies, list) and cookies:
        headers["Set-Cookie"] = ", ".join(map(_text, cookies))
    return headers


def _body(answer: Mapping[str, Any]) -> str:
    body = answer.get("body")
    if body is None:
        return ""
    text = body if isinstance(body, str) else json.dumps(body)
    if answer.get("isBase64Encoded") is True:
        try:
            return base64.b64decode(text, validate=True).decode(errors="replace")
        except ValueError:
            return text
    return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
