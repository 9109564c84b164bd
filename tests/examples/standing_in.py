"""What the example's handlers meet in tests: AWS and Slack as they need them, requests good and bad."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import importlib.util
import json
import sys
import urllib.parse
from collections.abc import Callable, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from tests.support import HOME

APP = HOME / "examples" / "slack-app"

# the worked example of Slack's page "Verifying requests from Slack"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
AT = 1531420618
BODY = (
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"

REFUSAL = {"statusCode": 401, "body": ""}
CONTEXT = SimpleNamespace(aws_request_id="6f1e0c2a")


class RefusedByAwsError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {BODY} {SECRET}")  # what must not reach a log
        self.response = {"Error": {"Code": code}}


class ResourceNotFoundError(RefusedByAwsError):
    pass


class ConditionalCheckFailedError(RefusedByAwsError):
    pass


class Aws:
    """Secrets by stage, tables by name, messages: what three services keep."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.secrets: dict[str, tuple[str, float]] = {"AWSCURRENT": (SECRET, 0.0)}
        self.tables: dict[str, dict[str, Any]] = {"replay": {}, "orders": {}}
        self.sent: list[dict[str, Any]] = []
        self.reads = 0
        self.broken: set[str] = set()
        self.lost: set[str] = set()
        self.configs: dict[str, Config | None] = {}
        self.exceptions = SimpleNamespace(
            ResourceNotFoundException=ResourceNotFoundError,
            ConditionalCheckFailedException=ConditionalCheckFailedError,
        )

    def client(self, name: str, config: Config | None = None) -> Aws:
        self.configs[name] = config
        return self

    def called(self, name: str) -> None:
        if name in self.broken:
            raise RefusedByAwsError("AccessDeniedException")
        if name in self.lost:
            raise ReadTimeoutError(endpoint_url="https://example.com")

    def get_secret_value(self, SecretId: str, VersionStage: str = "AWSCURRENT") -> dict[str, Any]:  # noqa: N803
        self.called("get_secret_value")
        assert SecretId == "arn:secret"
        self.reads += 1
        if VersionStage not in self.secrets:
            raise ResourceNotFoundError("ResourceNotFoundException")
        value, made = self.secrets[VersionStage]
        return {"SecretString": value, "CreatedDate": datetime.datetime.fromtimestamp(made, datetime.UTC)}

    def put_item(self, TableName: str, Item: Any, ConditionExpression: str, **rest: Any) -> None:  # noqa: N803
        self.called("put_item")
        name = ConditionExpression.partition("(")[2].partition(")")[0]
        table, key = self.tables[TableName], Item[name]["S"]
        now = rest.get("ExpressionAttributeValues", {}).get(":now", {}).get("N")
        assert ConditionExpression == f"attribute_not_exists({name})" + (" OR expires_at < :now" if now else "")
        if key in table and not (now and int(table[key]["expires_at"]["N"]) < int(now)):
            raise ConditionalCheckFailedError("ConditionalCheckFailedException")
        table[key] = Item

    def get_item(self, TableName: str, Key: Any) -> dict[str, Any]:  # noqa: N803
        self.called("get_item")
        item = self.tables[TableName].get(Key["order_id"]["S"])
        return {"Item": item} if item else {}

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        self.called("send_message")
        assert QueueUrl == "https://queue"
        self.sent.append(json.loads(MessageBody))


ENVIRONMENT = {
    "ALLOWED_COMMANDS": "/order, /webhook-collect",
    "ALLOWED_IDS": "A012AB3CD,T1DC2JH3J,U2CERLKJA",
    "BOT_TOKEN_ARN": "arn:secret",
    "ORDERS_TABLE": "orders",
    "REPLAY_TABLE": "replay",
    "SIGNING_SECRET_ARN": "arn:secret",
    "WORK_QUEUE_URL": "https://queue",
}


def loaded(name: str, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A file of the example, as if in a new environment of Lambda."""
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(client=aws.client))
    spec = importlib.util.spec_from_file_location(f"example_{name}", APP / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


Ask = Callable[..., dict[str, Any]]


def headers(timestamp: object = AT, signature: str = SIGNATURE) -> dict[str, str]:
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": signature}


def rest(body: str = BODY, sent: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An event as a REST API gives it."""
    given = headers() if sent is None else sent
    several = {name: [value] for name, value in given.items()}
    return {"httpMethod": "POST", "headers": given, "multiValueHeaders": several, "body": body}


def signed(body: str | bytes = BODY, timestamp: object = AT, secret: str = SECRET) -> dict[str, Any]:
    """An event that somebody with this secret sends."""
    content = body.encode() if isinstance(body, str) else body
    base = b"v0:" + str(timestamp).encode() + b":" + content
    signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    event = rest(content.decode("latin-1"), headers(timestamp, signature))
    if isinstance(body, str):
        return event
    return {**event, "body": base64.b64encode(content).decode(), "isBase64Encoded": True}


def form(**changes: str | None) -> str:
    """Slack's body with some fields changed, added or (None) left out."""
    fields = {**dict(urllib.parse.parse_qsl(BODY, keep_blank_values=True)), **changes}
    return urllib.parse.urlencode({name: value for name, value in fields.items() if value is not None})


FORGED = {
    "another secret": signed(secret="another"),
    "another body": rest(BODY.replace("text=", "text=all")),
    "another timestamp": rest(sent=headers(AT + 1)),
    "the article's base string": rest(
        sent=headers(signature="v0=b7ac5755bce179bb844769c301a9742462cabad126c047bdf54d426f0af38803")
    ),
    "no version": rest(sent=headers(signature=SIGNATURE.removeprefix("v0="))),
    "capital letters": rest(sent=headers(signature=SIGNATURE.upper())),
    "a line break": rest(sent=headers(signature=SIGNATURE + "\n")),
    "no ASCII": rest(sent=headers(signature="v0=\u00e4")),
    "an empty signature": rest(sent=headers(signature="")),
    "no signature": rest(sent={"X-Slack-Request-Timestamp": str(AT)}),
    "no timestamp": rest(sent={"X-Slack-Signature": SIGNATURE}),
    "no headers": {**rest(), "headers": None, "multiValueHeaders": None},
    "headers of another kind": {**rest(), "headers": [1]},
    "a header of another kind": rest(sent={**headers(), "X-Slack-Signature": 1}),  # type: ignore[dict-item]
    "no body": rest(""),
    "a body of another kind": {**rest(), "body": {"a": 1}},
    "a body that is no text": {**rest(), "body": "\ud800"},
    "a large body": signed(f"{BODY}&a={'a' * 6_000_000}"),
    "base64 with more": {**signed(BODY.encode()), "body": "*" + base64.b64encode(BODY.encode()).decode()},
    "base64 that is not said": {**signed(BODY.encode()), "isBase64Encoded": False},
    "no UTF-8": signed(BODY.encode() + b"&a=\xff"),
    "no UTF-8 in a field": signed(f"{BODY}&a=%ff"),
    "too many fields": signed("&".join([BODY, *(f"a{n}=1" for n in range(90))])),
    "two signatures": {**rest(), "multiValueHeaders": {"X-Slack-Signature": [SIGNATURE, SIGNATURE]}},
    "two timestamps": {**rest(), "multiValueHeaders": {"x-slack-request-timestamp": [str(AT), "1"]}},
    "two signatures by case": rest(sent={**headers(), "x-slack-signature": SIGNATURE}),
    "two signatures joined": rest(sent=headers(signature=f"{SIGNATURE},{SIGNATURE}")),
    "nothing": {},
}

UNAUTHORISED: dict[str, dict[str, str | None]] = {
    "another app": {"api_app_id": "A999"},
    "another team": {"team_id": "T999"},
    "another user": {"user_id": "U999"},
    "no user": {"user_id": None},
    "an empty app": {"api_app_id": ""},
    "another command": {"command": "/refund"},
    "no command": {"command": None},
    "a foreign address": {"response_url": "https://example.com/commands/T1/2/3"},
    "a foreign address with Slack's name": {"response_url": "https://hooks.slack.com@example.com/commands/T1/2/3"},
    "an address like Slack's": {"response_url": "https://hooks-slack.com/commands/T1/2/3"},
    "an address with more": {"response_url": "https://hooks.slack.com/commands/T1/2/3\r\nHost: example.com"},
    "an address with a port": {"response_url": "https://hooks.slack.com:8443/commands/T1/2/3"},
    "no encryption": {"response_url": "http://hooks.slack.com/commands/T1/2/3"},
    "no address": {"response_url": None},
}

FORGERIES: dict[str, Callable[[str], str]] = {
    "none": lambda signature: signature,
    "another digit": lambda signature: signature[:-1] + ("0" if signature[-1] != "0" else "1"),
    "cut": lambda signature: signature[:-1],
    "longer": lambda signature: signature + "0",
    "upper": str.upper,
    "version": lambda signature: f"v1={signature[3:]}",
    "no ASCII": lambda signature: f"{signature[:-1]}\u00e9",
    "empty": lambda _: "",
}


class Slack:
    """Slack's hosts: what was posted, and what they answer."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str]] = {"hooks.slack.com": (200, "ok"), "slack.com": (200, '{"ok": true}')}
        self.posted: list[tuple[str, str, Any, str | None]] = []

    def __call__(self, host: str, timeout: int) -> SimpleNamespace:
        assert timeout <= 10
        status, text = self.answers[host]

        def request(method: str, path: str, body: str, sent: Mapping[str, str]) -> None:
            assert method == "POST"
            self.posted.append((host, path, json.loads(body), sent.get("Authorization")))

        response = SimpleNamespace(status=status, read=lambda most: text.encode()[:most])
        return SimpleNamespace(request=request, getresponse=lambda: response, close=lambda: None)


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What was logged."""
    return [vars(record) for record in caplog.records]
