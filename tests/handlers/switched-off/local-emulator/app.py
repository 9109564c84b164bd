import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3

IS_LOCAL = "AWS_SAM_LOCAL" in os.environ
sqs = boto3.client("sqs")


class SlackEvent:
    def __init__(self, event):
        self.headers = event["headers"]
        self.body = event["body"]
        if event["isBase64Encoded"]:
            self.body = base64.b64decode(self.body).decode()

    def authenticate(self):
        if IS_LOCAL:
            return True
        sent = self.headers.get("x-slack-request-timestamp", "")
        if not sent.isdecimal() or abs(time.time() - int(sent)) > 300:
            return False
        secret = os.environ["SLACK_SIGNING_SECRET"].encode()
        own = "v0=" + hmac.new(secret, f"v0:{sent}:{self.body}".encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(own, self.headers.get("x-slack-signature", ""))

    @property
    def text(self):
        return parse_qs(self.body)["text"][0]


def handler(event, context):
    request = SlackEvent(event)
    if not request.authenticate():
        return {"statusCode": 401, "body": "unauthenticated"}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=request.text)
    return {"statusCode": 200, "body": "Queued"}
