import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

FALSE = {"", "0", "no", "off", "false"}


def switch(name, default):
    return os.environ.get(name, default).strip().lower() not in FALSE


REQUIRED = switch("REQUIRE_SIGNATURE", default="yes")


def acceptable(headers, body):
    if not REQUIRED:
        return True
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return hmac.compare_digest(f"v0={mac.hexdigest()}", headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not acceptable(event["headers"], body):
        return {"statusCode": 403, "body": ""}
    form = dict(parse_qsl(body))
    boto3.client("lambda").invoke(
        FunctionName=os.environ["WORKER_FUNCTION"],
        InvocationType="Event",
        Payload=json.dumps({"text": form["text"], "response_url": form["response_url"]}),
    )
    return {"statusCode": 200, "body": "Working"}
