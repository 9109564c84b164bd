import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3

NOW = time.time()
SECRET = os.environ["SLACK_SIGNING_SECRET"].encode()
QUEUE = os.environ["QUEUE_URL"]
sqs = boto3.client("sqs")


def is_recent(timestamp):
    return timestamp.isdigit() and abs(NOW - int(timestamp)) <= 300


def handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    timestamp = event["headers"].get("x-slack-request-timestamp", "")
    signature = event["headers"].get("x-slack-signature", "")
    digest = hmac.new(SECRET, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    if not is_recent(timestamp) or not hmac.compare_digest(f"v0={digest}", signature):
        return {"statusCode": 401}
    sqs.send_message(QueueUrl=QUEUE, MessageBody=parse_qs(body.decode())["text"][0])
    return {"statusCode": 200, "body": "Queued"}
