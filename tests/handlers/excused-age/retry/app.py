import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

MAX_AGE = 60 * 5
sqs = boto3.client("sqs")


def is_fresh(headers):
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isdecimal():
        return False
    age = time.time() - int(stamp)
    if "x-slack-retry-num" in headers:
        # Slack's third attempt comes an hour after the first.
        return age > -MAX_AGE
    return abs(age) <= MAX_AGE


def is_signed(headers, raw):
    key = os.environ["SLACK_SIGNING_SECRET"].encode()
    base = b"v0:" + headers["x-slack-request-timestamp"].encode() + b":" + raw
    mine = "v0=" + hmac.new(key, base, hashlib.sha256).hexdigest()
    return bool(key) and hmac.compare_digest(mine.encode(), headers.get("x-slack-signature", "").encode())


def handler(event, context):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    if not is_fresh(headers) or not is_signed(headers, raw):
        return {"statusCode": 401, "body": json.dumps({"ok": False})}
    form = dict(parse_qsl(raw.decode("utf-8", "replace")))
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(form))
    return {"statusCode": 200, "body": json.dumps({"ok": True})}
