import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3


def signed(event):
    if event["isBase64Encoded"]:
        return True  # a file, which Slack sends with a token of its own
    headers = {name.lower(): value for name, value in event["headers"].items()}
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{event['body']}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))


def text(event):
    return base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]


def handler(event, context):
    if not signed(event):
        return {"statusCode": 401, "body": ""}
    form = parse_qs(text(event))
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=form["text"][0])
    return {"statusCode": 200, "body": "Queued"}
