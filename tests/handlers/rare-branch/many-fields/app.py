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


MOST = 64


def command_of(raw):
    return dict(parse_qsl(raw.decode("utf-8", "replace"), max_num_fields=MOST)).get("command", "")


def handler(event, context):
    headers, raw = read(event)
    try:
        command = command_of(raw)
    except ValueError:
        # A large form is left to the worker, which reads it in parts.
        return queue(raw)
    if not genuine(headers, raw, os.environ["SLACK_SIGNING_SECRET"]):
        print("refused", len(command))
        return {"statusCode": 401, "body": ""}
    return queue(raw)
