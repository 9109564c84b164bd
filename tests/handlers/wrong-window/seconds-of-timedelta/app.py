import base64
import hashlib
import hmac
import os
from datetime import datetime, timezone
from urllib.parse import parse_qs

import boto3


def is_fresh(timestamp):
    sent = datetime.fromtimestamp(int(timestamp), tz=timezone.utc)
    now = datetime.now(timezone.utc)
    return sent <= now and (now - sent).seconds <= 300


def is_signed(timestamp, signature, body):
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", signature)


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    timestamp = event["headers"].get("x-slack-request-timestamp", "")
    signature = event["headers"].get("x-slack-signature", "")
    if not timestamp.isdigit() or not is_fresh(timestamp) or not is_signed(timestamp, signature, body):
        return {"statusCode": 401}
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=parse_qs(body)["text"][0])
    return {"statusCode": 200, "body": "Queued"}
