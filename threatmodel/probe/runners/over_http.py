"""Sends each event as the HTTP request that it came from, to whatever listens at an address."""

from __future__ import annotations

import base64
import http.client
import ssl
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlencode

from threatmodel.probe.branches.taken import Taken
from threatmodel.probe.protocol import Call, Limits, Reply, Scenario
from threatmodel.reading.problems import InputError, Place, Problem

_SET_BY_CLIENT = {"host", "content-length", "connection", "transfer-encoding"}
_LARGEST_BODY = 6 * 1024 * 1024


_START = "start it, then probe again"
_CAUSES: Mapping[type[Exception], tuple[str, str]] = {
    ConnectionRefusedError: ("the handler cannot be reached: nothing listens there", _START),
    http.client.RemoteDisconnected: ("the connection was closed without a response", "see the log of the server"),
    http.client.BadStatusLine: (
        "the response is not HTTP",
        "name the handler's address, with https:// if it has TLS",
    ),
    ssl.SSLCertVerificationError: (
        "its certificate is not trusted",
        "name it by the host in the certificate, or use http://",
    ),
    ssl.SSLError: ("there is no TLS at this port", "use http://, or name the port that has TLS"),
}
"""What is said of an error, and what to do, the more exact ones first."""


class HttpRunner:
    """Runs scenarios against an address; effects and clock are out of its reach.

    Redirects are not followed, and a new connection is made for every call.  `environment` and `secret` of a scenario
    cannot be set there: the judge has to know what the handler was started with.
    """

    sees_effects = False
    sets_clock = False
    missing_variables: Sequence[str] = ()
    reads_secret_variable = False
    files_read: Collection[str] = ()
    taken: Taken | None = None

    def __init__(self, address: SplitResult, limits: Limits) -> None:
        self._address, self._limits, self._answered = address, limits, False

    def run(self, scenario: Scenario) -> Sequence[Reply]:
        """One reply for each call.  Raises InputError where nothing listens."""
        return tuple(self._called(call) for call in scenario.calls)

    def _called(self, call: Call) -> Reply:
        started = time.monotonic()
        try:
            reply = self._asked(call.event, started)
        except TimeoutError:
            return Reply(ended="timeout", seconds=time.monotonic() - started)
        except (OSError, http.client.HTTPException) as error:
            if not self._answered:
                raise InputError([self._problem(error)]) from None
            return Reply(ended="crash", error=type(error).__name__, seconds=time.monotonic() - started)
        self._answered = True
        return reply

    def _problem(self, error: Exception) -> Problem:
        shown = self._address.geturl()
        cause, hint = next(
            (said for kind, said in _CAUSES.items() if isinstance(error, kind)),
            (f"the handler cannot be reached: {type(error).__name__}", _START),
        )
        return Problem(code="cannot-probe", place=Place(shown, 0), message=cause, hint=hint)

    def _asked(self, event: Mapping[str, Any], started: float) -> Reply:
        kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
        connection = kind(str(self._address.hostname), self._address.port, timeout=self._limits.seconds)
        try:
            method, target, headers, body = request_of(event, self._address)
            connection.putrequest(method, target, skip_host=False, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value.encode("utf-8"))
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            text = self._read(answer, started).decode(errors="replace")
            answered = dict(answer.getheaders())
            return Reply(status=answer.status, headers=answered, body=text, seconds=time.monotonic() - started)
        finally:
            connection.close()

    def _read(self, answer: http.client.HTTPResponse, started: float) -> bytes:
        """The body, as far as it comes in time: a server that drips would otherwise hold the probe forever."""
        body = b""
        while data := answer.read1(1 << 16):
            body += data
            if time.monotonic() - started > self._limits.seconds:
                raise TimeoutError
            if len(body) > _LARGEST_BODY:
                raise http.client.HTTPException
        return body


def request_of(event: Mapping[str, Any], address: SplitResult) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """Method, target, headers and body of the request that an event (REST, HTTP API or function URL) came from.

    The path is the address's own, as the event's belongs to another deployment; headers with line breaks, which no
    client could send, are left out.
    """
    http_context = (event.get("requestContext") or {}).get("http") or {}
    method = str(event.get("httpMethod") or http_context.get("method") or "POST")
    query = _query(event) or address.query
    target = (address.path or "/") + (f"?{query}" if query else "")
    body = event.get("body") or ""
    data = base64.b64decode(body) if event.get("isBase64Encoded") else str(body).encode()
    return method, target, _headers(event), data


def _query(event: Mapping[str, Any]) -> str:
    if "rawQueryString" in event:
        return str(event["rawQueryString"] or "")
    several = event.get("multiValueQueryStringParameters") or {}
    single = event.get("queryStringParameters") or {}
    return urlencode([(name, value) for name, value in {**single, **several}.items()], doseq=True)


def _headers(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    several = {name.lower(): (name, values) for name, values in (event.get("multiValueHeaders") or {}).items()}
    single = {name.lower(): (name, [value]) for name, value in (event.get("headers") or {}).items()}
    pairs = [(name, str(value)) for name, values in {**single, **several}.values() for value in values or ()]
    cookies = [("Cookie", "; ".join(map(str, event["cookies"])))] if event.get("cookies") else []
    return [pair for pair in pairs + cookies if pair[0].lower() not in _SET_BY_CLIENT and not _split(pair)]


def _split(pair: tuple[str, str]) -> bool:
    return any(character in text for text in pair for character in "\r\n\0") or not pair[0]
