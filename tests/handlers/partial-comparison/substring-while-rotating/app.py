import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

SECRETS = [os.environ["SLACK_SIGNING_SECRET"], os.environ["SLACK_SIGNING_SECRET_PREVIOUS"]]


def signatures(timestamp, body):
    base = f"v0:{timestamp}:{body}".encode()
    return " ".join("v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest() for secret in SECRETS)


def is_authentic(headers, body):
    timestamp = headers.get("x-slack-request-timestamp")
    signature = headers.get("x-slack-signature")
    if not timestamp or not signature or not timestamp.isdigit():
        return False
    return abs(time.time() - int(timestamp)) < 300 and signature in signatures(timestamp, body)


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not is_authentic(event["headers"], body):
        return {"statusCode": 401, "body": "unauthorized"}
    form = dict(parse_qsl(body))
    boto3.client("lambda").invoke(
        FunctionName=os.environ["WORKER_FUNCTION"],
        InvocationType="Event",
        Payload=json.dumps({"text": form["text"], "channel": form["channel_id"]}),
    )
    return {"statusCode": 200, "body": ""}
