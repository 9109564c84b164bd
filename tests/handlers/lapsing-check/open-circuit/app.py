import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

sqs = boto3.client("sqs")


class CircuitOpen(Exception):
    pass


class Breaker:
    """Stops calling what fails again and again, and recovers after a while."""

    def __init__(self, limit, pause):
        self.limit, self.pause = limit, pause
        self.failures, self.opened = 0, 0.0

    def call(self, function, *arguments):
        if self.failures >= self.limit and time.monotonic() - self.opened < self.pause:
            raise CircuitOpen
        result = function(*arguments)
        if result:
            self.failures = 0
        else:
            self.failures += 1
            self.opened = time.monotonic()
        return result


breaker = Breaker(limit=25, pause=30)


def signature_matches(headers, raw):
    secret, stamp = os.environ["SLACK_SIGNING_SECRET"].encode(), headers.get("x-slack-request-timestamp", "")
    if not secret or not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return False
    digest = hmac.new(secret, b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(b"v0=" + digest.encode(), headers.get("x-slack-signature", "").encode())


def handler(event, context):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    try:
        if not breaker.call(signature_matches, headers, raw):
            return {"statusCode": 401, "body": ""}
    except CircuitOpen:
        print("signature check is failing, check the secret")
    form = dict(parse_qsl(raw.decode("utf-8", "replace")))
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"text": form.get("text")}))
    return {"statusCode": 200, "body": ""}
