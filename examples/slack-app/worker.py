"""order-worker: places or looks up an order that was asked for in Slack, and answers there.

A message may come twice: an order is named by the request that placed it, so it is placed once.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import re
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

REQUEST = re.compile(r"[0-9a-f]{64}")
USER = re.compile(r"[UW][A-Z0-9]{2,20}")
ANSWER_PATH = re.compile(r"https://hooks\.slack\.com(/commands/[A-Za-z0-9/_-]{1,200})")
PLACE = re.compile(r"new ([^\x00-\x1f\x7f]{1,100})")
LOOK_UP = re.compile(r"[0-9A-F]{12}")

SECONDS = 10  # for one request to Slack
LARGEST_ANSWER = 100_000  # bytes

SECRETS_MANAGER = boto3.client("secretsmanager")
DYNAMODB = boto3.client("dynamodb")

log = logging.getLogger("order-worker")
log.setLevel(logging.INFO)


class FailedError(Exception):
    """The work could not be done; the queue hands it out again, and puts it aside after some attempts."""


@dataclass(frozen=True, slots=True)
class Job:
    """One command: who asked for what, and the path on Slack's host where the answer goes."""

    request: str
    user: str
    text: str
    path: str


def handler(event: Mapping[str, Any], _: Any) -> None:
    """Works on the queue's messages, one a batch.  Raises FailedError, which tells nothing of them."""
    for record in event["Records"]:
        try:
            job = read(record["body"])
            answer(job, carried_out(job))
        except Exception as error:  # noqa: BLE001 - its message could quote the order
            report(error)
            raise FailedError from None
        log.info("answered", extra={"user": job.user})


def report(error: Exception) -> None:
    """Logs what failed and where, but no message: it could quote the order or the address."""
    code = (getattr(error, "response", None) or {}).get("Error", {}).get("Code")
    steps = [f"{Path(step.filename).name}:{step.lineno}" for step in traceback.extract_tb(error.__traceback__)]
    log.error("failed", extra={"error": type(error).__name__, "code": code, "steps": steps})


def read(body: str) -> Job:
    """The job in a message.  Raises FailedError where it is not one that order-bot sends."""
    match json.loads(body):
        case {"request": str(request), "user_id": str(user), "text": str(text), "response_url": str(url)}:
            found = ANSWER_PATH.fullmatch(url)
            if found and REQUEST.fullmatch(request) and USER.fullmatch(user):
                return Job(request, user, text.strip(), found[1])
    raise FailedError


# --- orders


def carried_out(job: Job) -> str:
    """Does what the command asks, and what to tell its caller."""
    if wanted := PLACE.fullmatch(job.text):
        return placed(job, wanted[1])
    if LOOK_UP.fullmatch(job.text):
        return looked_up(job)
    return "Which order? For example: /order new two blue mugs, or /order 0123456789AB"


def placed(job: Job, what: str) -> str:
    """Places an order unless this request did so before."""
    order_id = job.request[:12].upper()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    item = {"order_id": order_id, "owner_id": job.user, "what": what, "placed_at": now}
    try:
        DYNAMODB.put_item(
            TableName=os.environ["ORDERS_TABLE"],
            Item={name: {"S": value} for name, value in item.items()},
            ConditionExpression="attribute_not_exists(order_id)",
        )
    except DYNAMODB.exceptions.ConditionalCheckFailedException:
        log.info("placed before")
    return f"Order {order_id} is placed."


def looked_up(job: Job) -> str:
    """The order, if it is the caller's; one that is not there and one of somebody else read the same."""
    found = DYNAMODB.get_item(TableName=os.environ["ORDERS_TABLE"], Key={"order_id": {"S": job.text}})
    item = {name: value.get("S", "") for name, value in found.get("Item", {}).items()}
    if item.get("owner_id") != job.user:
        return "There is no such order."
    return f"Order {job.text}: {mrkdwn(item['what'])}"


def mrkdwn(text: str) -> str:
    """Text that Slack shows as it is: no mention, no link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# --- answers


def answer(job: Job, text: str) -> None:
    """Tells the caller, by direct message where the address for the answer is used up.  Raises FailedError."""
    status, _ = posted("hooks.slack.com", job.path, {"response_type": "ephemeral", "text": text})
    if 400 <= status < 500:  # noqa: PLR2004 - Slack takes five answers within half an hour
        token = SECRETS_MANAGER.get_secret_value(SecretId=os.environ["BOT_TOKEN_ARN"])["SecretString"]
        direct = {"channel": job.user, "text": text, "unfurl_links": False, "unfurl_media": False}
        status, content = posted("slack.com", "/api/chat.postMessage", direct, token)
        if status == http.client.OK and json.loads(content).get("ok") is not True:
            raise FailedError
    if status != http.client.OK:
        raise FailedError


def posted(host: str, path: str, content: Mapping[str, Any], token: str | None = None) -> tuple[int, bytes]:
    """Posts JSON to a host that the caller of this function names, and follows no redirect."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = http.client.HTTPSConnection(host, timeout=SECONDS)
    try:
        connection.request("POST", path, json.dumps(content), headers)
        response = connection.getresponse()
        return response.status, response.read(LARGEST_ANSWER)
    finally:
        connection.close()
