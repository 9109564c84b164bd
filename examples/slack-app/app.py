"""order-bot: verifies that Slack sent a slash command, checks who may run it, queues it and acknowledges it.

Every refusal gets the same answer; the reason stands in the log.  No secret, signature, body or address is logged.
Slack sends a slash command once, so a second one is a replay; events, which Slack repeats, are refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import math
import os
import re
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import boto3
from botocore.config import Config

LARGEST_BODY = 100_000  # characters; a slash command has a few hundred
WINDOW = 300  # seconds that a request may be older or newer than this clock
REMEMBERED = 900  # seconds: longer than the window on both its sides
SECRET_KEPT = 300  # seconds until the signing secret is read again
SECRET_RECHECKED = 60  # the same after a signature that did not fit, so that wrong ones cannot cause a read each
PREVIOUS_COUNTS = 3600  # seconds for which the secret before the current one is accepted

TIMESTAMP = re.compile(r"[0-9]{1,12}")
SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
RESPONSE_URL = re.compile(r"https://hooks\.slack\.com/commands/[A-Za-z0-9/_-]{1,200}")
CHALLENGE = re.compile(r"[A-Za-z0-9._-]{1,200}")

# one service that hangs still leaves time to answer within Slack's three seconds; the defaults wait for minutes
PATIENCE = Config(connect_timeout=0.5, read_timeout=0.9, retries={"total_max_attempts": 2})
SECRETS_MANAGER = boto3.client("secretsmanager", config=PATIENCE)
DYNAMODB = boto3.client("dynamodb", config=PATIENCE)
SQS = boto3.client("sqs", config=PATIENCE)

log = logging.getLogger("order-bot")
log.setLevel(logging.INFO)


class RefusedError(Exception):
    """The request is refused; the text names the check that failed, for the log only."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """What Slack gets: an acknowledgement, or an answer that tells nothing."""
    answer: dict[str, Any] = {"statusCode": 401, "body": ""}
    try:
        now = time.time()
        signed, form = verified(event, now)
        if form.get("ssl_check") == "1":  # Slack tests the certificate
            return {"statusCode": 200, "body": ""}
        if asked := challenge(event):
            return {"statusCode": 200, "headers": {"Content-Type": "text/plain"}, "body": asked}
        authorise(form)
        refuse_replay(signed, now)
        answer = message(f"That did not work. Reference: {getattr(context, 'aws_request_id', 'none')}")
        enqueue(signed, form)
        log.info("queued", extra={"command": form["command"], "team": form["team_id"], "user": form["user_id"]})
        answer = message("Working on it.")
    except RefusedError as refusal:
        log.warning("refused", extra={"reason": str(refusal)})
    except Exception as error:  # noqa: BLE001 - whatever fails, the caller learns nothing and the alarm rings
        report(error)
    return answer


def message(text: str) -> dict[str, Any]:
    """An answer that Slack shows to the caller alone."""
    body = json.dumps({"response_type": "ephemeral", "text": text})
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}


def report(error: Exception) -> None:
    """Logs what failed and where, but no message: it could quote the request."""
    code = (getattr(error, "response", None) or {}).get("Error", {}).get("Code")
    steps = [f"{Path(step.filename).name}:{step.lineno}" for step in traceback.extract_tb(error.__traceback__)]
    log.error("failed", extra={"error": type(error).__name__, "code": code, "steps": steps})


# --- did Slack send it?


def verified(event: Mapping[str, Any], now: float) -> tuple[bytes, dict[str, str]]:
    """What Slack signed, and the form in it.  Raises RefusedError."""
    body = raw_body(event)
    timestamp = header(event, "x-slack-request-timestamp")
    signature = header(event, "x-slack-signature")
    if not TIMESTAMP.fullmatch(timestamp) or abs(now - int(timestamp)) > WINDOW:
        raise RefusedError("timestamp")
    signed = b"v0:" + timestamp.encode() + b":" + body
    if not SIGNATURE.fullmatch(signature) or not fits(signature, signed, now):
        raise RefusedError("signature")
    try:
        return signed, dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=100))
    except ValueError:
        raise RefusedError("form") from None


def challenge(event: Mapping[str, Any]) -> str:
    """What Slack wants repeated before it takes this address (`url_verification`); '' where it asks for nothing."""
    try:
        asked = json.loads(raw_body(event).decode())
    except ValueError:
        return ""
    match asked:
        case {"type": "url_verification", "challenge": str(text)} if CHALLENGE.fullmatch(text):
            return text
    return ""


def raw_body(event: Mapping[str, Any]) -> bytes:
    """The bytes that were sent.  Raises RefusedError."""
    body = event.get("body") or ""
    if not isinstance(body, str) or len(body) > LARGEST_BODY:
        raise RefusedError("body")
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except ValueError:
        raise RefusedError("body") from None


def header(event: Mapping[str, Any], name: str) -> str:
    """The value of a header that was sent exactly once, whatever the case of its name.  Raises RefusedError."""
    single = (event.get("headers") or {}).items()
    several = (event.get("multiValueHeaders") or {}).items()
    once = [value for key, value in single if key.lower() == name]
    each = [value for key, values in several if key.lower() == name for value in values or ()]
    found = max(once, each, key=len)
    if len(found) != 1 or not isinstance(found[0], str):
        raise RefusedError(name)
    return found[0]


def fits(signature: str, signed: bytes, now: float) -> bool:
    """Whether one of the secrets that count gives this signature; they are read again before the answer is no."""
    for kept in (SECRET_KEPT, SECRET_RECHECKED):
        for secret in SIGNING_SECRET.values(now, kept):
            expected = "v0=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
            if hmac.compare_digest(expected.encode(), signature.encode()):
                return True
    return False


class SigningSecret:
    """Slack's signing secret: the current value, and for an hour after a change the one before it."""

    def __init__(self) -> None:
        self._values: tuple[bytes, ...] = ()
        self._read_at = -math.inf

    def values(self, now: float, kept: int) -> tuple[bytes, ...]:
        """The values that count, read within the last `kept` seconds; none where nobody has put one in."""
        if now - self._read_at >= kept:
            self._values = tuple(value.strip().encode() for value in self._read(now) if value.strip())
            self._read_at = now
            if not self._values:
                log.error("no signing secret")
        return self._values

    def _read(self, now: float) -> list[str]:
        current = self._version("AWSCURRENT")
        made = current.get("CreatedDate")
        if made is None or now - made.timestamp() >= PREVIOUS_COUNTS:
            return [current.get("SecretString", "")]
        return [current.get("SecretString", ""), self._version("AWSPREVIOUS").get("SecretString", "")]

    def _version(self, stage: str) -> Mapping[str, Any]:
        name = os.environ["SIGNING_SECRET_ARN"]
        try:
            version: Mapping[str, Any] = SECRETS_MANAGER.get_secret_value(SecretId=name, VersionStage=stage)
        except SECRETS_MANAGER.exceptions.ResourceNotFoundException:
            return {}
        return version


SIGNING_SECRET = SigningSecret()


def refuse_replay(signed: bytes, now: float) -> None:
    """Notes that this request was seen.  Raises RefusedError where it was seen before."""
    try:
        DYNAMODB.put_item(
            TableName=os.environ["REPLAY_TABLE"],
            Item={"request_key": {"S": request_key(signed)}, "expires_at": {"N": str(int(now) + REMEMBERED)}},
            ConditionExpression="attribute_not_exists(request_key) OR expires_at < :now",
            ExpressionAttributeValues={":now": {"N": str(int(now))}},
        )
    except DYNAMODB.exceptions.ConditionalCheckFailedException:
        raise RefusedError("replay") from None


def request_key(signed: bytes) -> str:
    """The name of a request: a hash, from which nobody learns what it held."""
    return hashlib.sha256(signed).hexdigest()


# --- may this caller do it, and what happens then


def authorise(form: Mapping[str, str]) -> None:
    """Raises RefusedError unless app, workspace, user and command are on the lists and the answer goes to Slack."""
    # the secret belongs to one app: its id may be left out; an id's first letter tells its kind: one list will do
    ids = {form.get("team_id", ""), form.get("user_id", ""), form.get("api_app_id")} - {None}
    if not ids <= listed("ALLOWED_IDS"):
        raise RefusedError("caller")
    if form.get("command") not in listed("ALLOWED_COMMANDS"):
        raise RefusedError("command")
    if not RESPONSE_URL.fullmatch(form.get("response_url", "")):
        raise RefusedError("response_url")


def listed(variable: str) -> set[str]:
    """The items of a list in an environment variable; none where it is empty or missing."""
    return {item.strip() for item in os.environ.get(variable, "").split(",")} - {""}


def enqueue(signed: bytes, form: Mapping[str, str]) -> None:
    """Hands over what the worker needs, and no token."""
    job = {"request": request_key(signed), **{name: form.get(name, "") for name in ("text", "user_id", "response_url")}}
    SQS.send_message(QueueUrl=os.environ["WORK_QUEUE_URL"], MessageBody=json.dumps(job))
