import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3

sqs = boto3.client("sqs")
SAFE = {"GET", "HEAD", "OPTIONS"}


class Request:
    def __init__(self, event):
        self.headers = {name.lower(): value for name, value in event["headers"].items()}
        self.body = event["body"] or ""
        self.verb = event["httpMethod"]

    @property
    def method(self):
        return self.headers.get("x-http-method-override", self.verb).upper()

    def is_signed(self):
        timestamp = self.headers.get("x-slack-request-timestamp", "")
        if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
            return False
        secret = os.environ["SLACK_SIGNING_SECRET"].encode()
        digest = hmac.new(secret, f"v0:{timestamp}:{self.body}".encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(f"v0={digest}", self.headers.get("x-slack-signature", ""))


def handler(event, context):
    request = Request(event)
    if request.method not in SAFE and not request.is_signed():
        return {"statusCode": 401, "body": ""}
    if request.verb != "POST":
        return {"statusCode": 200, "body": "ready"}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=parse_qs(request.body)["text"][0])
    return {"statusCode": 200, "body": "Queued"}
