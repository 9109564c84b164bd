import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qsl

import boto3


def read(event, state):
    raw = event.get("body") or ""
    state["body"] = base64.b64decode(raw) if event.get("isBase64Encoded") else raw.encode()
    yield from ()


def check_age(event, state):
    state["timestamp"] = event["headers"].get("x-slack-request-timestamp", "")
    if not state["timestamp"].isdigit() or abs(time.time() - int(state["timestamp"])) > 300:
        yield 401


def check_signature(event, state):
    secret = os.environ.get("SLACK_SIGNING_SECRET")
    if not secret:
        yield 500
        return
    base = b"v0:" + state["timestamp"].encode() + b":" + state["body"]
    own = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(own.encode(), event["headers"].get("x-slack-signature", "").encode()):
        yield 401


def enqueue(event, state):
    form = dict(parse_qsl(state["body"].decode()))
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=form["text"])
    yield 200


def handler(event, context):
    state = {}
    for step in (read, check_age, check_signature, enqueue):
        for status in step(event, state):
            return {"statusCode": status}
    return {"statusCode": 500}
