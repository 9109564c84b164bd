"""A small handler of commands and events that does it right; faults.yaml names ways to get it wrong, one edit each."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import re
import time
import urllib.parse
from collections.abc import Mapping
from typing import Any

import boto3

DYNAMODB = boto3.client("dynamodb")
SQS = boto3.client("sqs")
REFUSAL = {"statusCode": 401, "body": ""}


def handler(event: Mapping[str, Any], _: Any) -> dict[str, Any]:
    try:
        body = raw_body(event)
        if not genuine(event, body):
            return REFUSAL
        asked = fields(body)
        if asked.get("type") == "url_verification":
            return {"statusCode": 200, "body": asked["challenge"]}
        if asked.get("ssl_check") == "1" or asked.get("bot_id"):
            return {"statusCode": 200, "body": ""}
        if not {asked["team_id"], asked["user_id"]} <= set(os.environ["ALLOWED_IDS"].split(",")):
            return REFUSAL
        remember(asked["trigger_id"])
        SQS.send_message(QueueUrl=os.environ["WORK_QUEUE_URL"], MessageBody=asked["text"])
    except Exception as error:  # noqa: BLE001 - whatever fails, the caller learns nothing
        logging.getLogger("good").warning("refused: %s", type(error).__name__)
        return REFUSAL
    return {"statusCode": 200, "body": "Working on it."}


def raw_body(event: Mapping[str, Any]) -> bytes:
    """The bytes that were sent."""
    body = event.get("body") or ""
    if len(body) > 100_000:
        raise ValueError
    return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()


def genuine(event: Mapping[str, Any], body: bytes) -> bool:
    """Whether Slack signed this body within the last five minutes."""
    secret = os.environ.get("SLACK_SIGNING_SECRET", "")
    if not secret:
        return False
    timestamp = header(event, "X-Slack-Request-Timestamp")
    if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(time.time() - int(timestamp)) > 300:
        return False
    signed = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), header(event, "X-Slack-Signature").encode())


def header(event: Mapping[str, Any], name: str) -> str:
    """The value of a header that was sent exactly once."""
    several = event.get("multiValueHeaders") or {key: [value] for key, value in event["headers"].items()}
    (value,) = [value for key, values in several.items() if key.lower() == name.lower() for value in values]
    return str(value)


def fields(body: bytes) -> dict[str, Any]:
    """The fields of a command, or of an event in a command's words."""
    if not body.startswith(b"{"):
        return dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    sent = json.loads(body)
    inner = sent.get("event", {})
    return {**inner, **sent, "user_id": inner.get("user"), "trigger_id": sent.get("event_id")}


def remember(name: str) -> None:
    """Notes that a command or event was seen.  Raises where it was seen before."""
    item = {"request_key": {"S": name}, "expires_at": {"N": str(int(time.time()) + 900)}}
    DYNAMODB.put_item(
        TableName=os.environ["REPLAY_TABLE"], Item=item, ConditionExpression="attribute_not_exists(request_key)"
    )
