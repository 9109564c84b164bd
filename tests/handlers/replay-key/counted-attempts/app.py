import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
sqs = boto3.client("sqs")
DONE = 3


def verified(event):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return None
    secret = os.environ["SLACK_SIGNING_SECRET"]
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    if not secret or not hmac.compare_digest(b"v0=" + digest.encode(), headers.get("x-slack-signature", "").encode()):
        return None
    return dict(parse_qsl(raw.decode("utf-8", "replace")))


def attempt(form):
    """Counts the attempts at a request: Slack makes three, and each may be the one that works."""
    key = form.get("trigger_id") or form.get("event_id") or "none"
    for number in range(1, DONE + 1):
        try:
            table.put_item(Item={"id": f"{key}#{number}", "at": int(time.time())}, ConditionExpression="attribute_not_exists(id)")
            return number
        except Exception as error:
            if "ConditionalCheckFailed" not in str(error):
                raise
    return None


def handler(event, context):
    form = verified(event)
    if form is None:
        return {"statusCode": 401, "body": ""}
    if attempt(form) is None:
        return {"statusCode": 200, "body": ""}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"command": form.get("command")}))
    return {"statusCode": 200, "body": ""}
