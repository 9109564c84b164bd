"""The web in memory: what the hosts that a handler may reach answer, and one HTTP request over a stream."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from threatmodel.probe.runners import slack_web
from threatmodel.probe.runners.aws import World
from threatmodel.probe.runners.dynamodb import AwsError, SilentError
from threatmodel.reading.values import dataclass

HOSTS = (
    r"(?:(?:[a-z0-9-]+\.)?slack\.com|(?:[a-z0-9-]+\.)+amazonaws\.com(?:\.cn)?|(?:[a-z0-9-]+\.)+api\.aws):(?:80|443)"
    r"|(?:localhost|127\.0\.0\.1):277[23]"
)
"""Hosts with ports that are answered; all others are rejected.  A whole match, in lower case."""

LARGEST = 7 * 1024 * 1024
_LARGEST_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """An HTTP request as it came; header names in lower case."""

    host: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class UnreadableError(Exception):
    """What came is no HTTP request that the stub reads."""


async def read_request(reader: asyncio.StreamReader, host: str) -> HttpRequest | None:
    """The next request of a connection, None at its end.  Raises UnreadableError."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise UnreadableError from None
        return None
    except (asyncio.LimitOverrunError, ValueError):
        raise UnreadableError from None
    first, *rest = head[:_LARGEST_HEAD].decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not re.fullmatch(r"HTTP/1\.[01]", parts[2]):  # noqa: PLR2004 - method, target, version
        raise UnreadableError
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
    body = await _read_body(reader, headers)
    return HttpRequest(host=host, method=parts[0], target=parts[1], headers=headers, body=body)


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > len(str(LARGEST)) or int(length) > LARGEST:
        raise UnreadableError
    try:
        return await reader.readexactly(int(length))
    except asyncio.IncompleteReadError:
        raise UnreadableError from None


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    whole = b""
    try:
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            if size < 0 or len(whole) + size > LARGEST:
                raise UnreadableError
            whole += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        raise UnreadableError from None
    return whole


def answer(world: World, request: HttpRequest) -> tuple[int, str, bytes]:
    """Status, content type and body of what a host answers; what was asked is recorded.

    Raises SilentError where it answers nothing.
    """
    if request.host.endswith("slack.com"):
        return slack_web.answer(world, request.host, request.method, request.target, request.body)
    if request.host in {"localhost", "127.0.0.1"}:
        return _extension(world, request)
    return _aws(world, request)


def _extension(world: World, request: HttpRequest) -> tuple[int, str, bytes]:
    """The extensions of Lambda: AppConfig's, and that of Parameters and Secrets, which wants the session token."""
    address = urlsplit(request.target)
    if re.fullmatch(r"/applications/[^/]+/environments/[^/]+/configurations/[^/]+", address.path):
        try:
            found = world.call("appconfigdata", "GetLatestConfiguration", {"Configuration": unquote(address.path)})
        except AwsError:
            return 404, "text/plain", b"not found"
        return 200, "application/json", str(found["Configuration"]).encode()
    query = {name: values[-1] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
    if "x-aws-parameters-secrets-token" not in request.headers:
        world.note("network", request.method, "localhost:2773", refused=True)
        return 401, "text/plain", b"not authorized to read"
    if address.path == "/secretsmanager/get":
        wanted = {"SecretId": query.get("secretId", ""), "VersionStage": query.get("versionStage", "AWSCURRENT")}
        return _called(world, "secretsmanager", "GetSecretValue", wanted)
    if address.path == "/systemsmanager/parameters/get":
        return _called(world, "ssm", "GetParameter", {"Name": query.get("name", "")})
    world.note("network", request.method, "localhost:2773", refused=True)
    return 400, "text/plain", b"bad request"


def _aws(world: World, request: HttpRequest) -> tuple[int, str, bytes]:
    """An endpoint of AWS: the JSON protocols, and Lambda's Invoke; others are rejected, and the record shows it."""
    target, service = request.headers.get("x-amz-target", ""), _service(request.host)
    try:
        invoked = re.fullmatch(r"/2015-03-31/functions/([^/]+)/invocations(?:\?.*)?", request.target)
        if invoked and request.method == "POST":
            kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
            world.call("lambda", "Invoke", {"FunctionName": unquote(invoked[1]), "InvocationType": kind})
            return (202, "application/json", b"") if kind == "Event" else (200, "application/json", b"{}")
        params = json.loads(request.body or b"{}") if target else None
    except (ValueError, RecursionError):
        params = None
    if not isinstance(params, dict):
        reads = request.method in {"GET", "HEAD"}
        world.note(
            service, f"{request.method} (protocol not understood)", request.host, refused=True, unclear=not reads
        )
        return 400, "application/json", b'{"__type": "UnsupportedByProbe", "message": "protocol not understood"}'
    return _called(world, service, target.rpartition(".")[2], params)


def _service(host: str) -> str:
    """The service of an endpoint: the last label before the region that names one."""
    labels = [
        label
        for label in host.split(".")
        if not re.fullmatch(r"[a-z]{2}(?:-[a-z]+)+-\d|api|aws|amazonaws|com|cn", label)
    ]
    return labels[-1] if labels else "aws"


def _called(world: World, service: str, operation: str, params: Mapping[str, Any]) -> tuple[int, str, bytes]:
    kind = "application/x-amz-json-1.0"
    try:
        return 200, kind, json.dumps(world.call(service, operation, params)).encode()
    except SilentError:
        raise
    except AwsError as error:
        payload = {"__type": error.code, "message": error.message, **error.more}
        return 400, kind, json.dumps(payload).encode()
