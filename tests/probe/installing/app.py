"""A right handler of commands, buttons and installations, whose secret lies in Secrets Manager.

faults.yaml names ways to get it wrong, one edit each.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import re
import secrets
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

import boto3

DYNAMODB = boto3.client("dynamodb")
SECRETS = boto3.client("secretsmanager")
SQS = boto3.client("sqs")
REFUSAL = {"statusCode": 401, "body": ""}
ALLOWED = {"T1DC2JH3J", "U2CERLKJA"}
KEPT_SECONDS = 600
kept: dict[str, Any] = {}


def handler(event: Mapping[str, Any], _: Any) -> dict[str, Any]:
    try:
        return answered(event)
    except Exception as error:  # noqa: BLE001 - whatever fails, the caller learns nothing
        logging.getLogger("installing").warning("refused: %s", type(error).__name__)
        return REFUSAL


def answered(event: Mapping[str, Any]) -> dict[str, Any]:
    path = event.get("path") or event.get("rawPath")
    if path == "/slack/install":
        return begun()
    if path == "/slack/oauth_redirect":
        return installed(event)
    body = raw_body(event)
    if not genuine(event, body):
        return REFUSAL
    asked = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    if "payload" in asked:
        return clicked(json.loads(asked["payload"]))
    if asked.get("ssl_check") == "1":
        return {"statusCode": 200, "body": ""}
    if not {asked["team_id"], asked["user_id"]} <= ALLOWED:
        return REFUSAL
    remember(asked["trigger_id"])
    SQS.send_message(QueueUrl=os.environ["WORK_QUEUE_URL"], MessageBody=asked["text"])
    return {"statusCode": 200, "body": "Working on it."}


def clicked(asked: Mapping[str, Any]) -> dict[str, Any]:
    if not {asked["team"]["id"], asked["user"]["id"]} <= ALLOWED or asked["type"] != "block_actions":
        return REFUSAL
    address = urllib.parse.urlsplit(asked["response_url"])
    if (address.scheme, address.netloc) != ("https", "hooks.slack.com"):
        return REFUSAL
    remember(asked["trigger_id"])
    urllib.request.urlopen(asked["response_url"], b'{"text": "Done."}', timeout=2)  # noqa: S310 - its host is fixed
    return {"statusCode": 200, "body": ""}


def begun() -> dict[str, Any]:
    """The way to Slack, with a state that is good for this browser once."""
    state, browser = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    remember(f"state-{state}-{browser}")
    where = f"https://slack.com/oauth/v2/authorize?client_id=1.2&scope=commands&state={state}"
    cookie = f"install={browser}; Secure; HttpOnly; SameSite=Lax; Max-Age=600"
    return {"statusCode": 302, "headers": {"Location": where, "Set-Cookie": cookie}, "body": ""}


def installed(event: Mapping[str, Any]) -> dict[str, Any]:
    """The way back: state and cookie belong together, are known, and are used up."""
    query = event["queryStringParameters"]
    forget(f"state-{query['state']}-{cookie_of(event)}")
    form = urllib.parse.urlencode({"code": query["code"], "client_id": "1.2", "client_secret": "made-up"})
    with urllib.request.urlopen("https://slack.com/api/oauth.v2.access", form.encode(), timeout=2) as answer:
        told = json.load(answer)
    if not told["ok"]:
        return REFUSAL
    item = {"team": {"S": told["team"]["id"]}, "token_for": {"S": told["bot_user_id"]}}
    DYNAMODB.put_item(TableName=os.environ["INSTALLATIONS_TABLE"], Item=item)
    return {"statusCode": 200, "body": "Installed."}


def cookie_of(event: Mapping[str, Any]) -> str:
    """The browser's cookie.  Raises where there is none."""
    text = "; ".join(event.get("cookies") or ()) or header(event, "Cookie")
    found = re.fullmatch(r"(?:.*; )?install=([\w-]+)(?:; .*)?", text)
    if found is None:
        raise ValueError
    return found[1]


def raw_body(event: Mapping[str, Any]) -> bytes:
    """The bytes that were sent."""
    body = event.get("body") or ""
    if len(body) > 100_000:
        raise ValueError
    return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()


def signing_secret() -> str:
    """The secret, read anew every ten minutes.  Raises where it cannot be."""
    if kept.get("until", 0) < time.time():
        text = SECRETS.get_secret_value(SecretId=os.environ["SECRET_NAME"])["SecretString"]
        kept.update(secret=text, until=time.time() + KEPT_SECONDS)
    return str(kept["secret"])


def genuine(event: Mapping[str, Any], body: bytes) -> bool:
    """Whether Slack signed this body within the last five minutes."""
    timestamp = header(event, "X-Slack-Request-Timestamp")
    if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(time.time() - int(timestamp)) > 300:
        return False
    secret = signing_secret()
    if not secret:
        return False
    signed = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), header(event, "X-Slack-Signature").encode())


def header(event: Mapping[str, Any], name: str) -> str:
    """The value of a header that was sent exactly once."""
    several = event.get("multiValueHeaders") or {key: [value] for key, value in event["headers"].items()}
    (value,) = [value for key, values in several.items() if key.lower() == name.lower() for value in values]
    return str(value)


def remember(name: str) -> None:
    """Notes that something was seen.  Raises where it was seen before."""
    item = {"request_key": {"S": name}, "expires_at": {"N": str(int(time.time()) + 900)}}
    DYNAMODB.put_item(
        TableName=os.environ["REPLAY_TABLE"], Item=item, ConditionExpression="attribute_not_exists(request_key)"
    )


def forget(name: str) -> None:
    """Uses something up that was noted.  Raises where it was not."""
    DYNAMODB.delete_item(
        TableName=os.environ["REPLAY_TABLE"],
        Key={"request_key": {"S": name}},
        ConditionExpression="attribute_exists(request_key)",
    )
