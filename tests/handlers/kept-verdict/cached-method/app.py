import functools
import hashlib
import hmac
import json
import os
import time

import boto3


class Verifier:
    def __init__(self, secret):
        self.secret = secret.encode()
        self.body = ""

    @functools.lru_cache(maxsize=1000)
    def matches(self, timestamp, signature):
        digest = hmac.new(self.secret, f"v0:{timestamp}:{self.body}".encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(f"v0={digest}", signature)

    def accepts(self, headers, body):
        self.body = body
        timestamp = headers.get("x-slack-request-timestamp", "")
        if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
            return False
        return self.matches(timestamp, headers.get("x-slack-signature", ""))


verifier = Verifier(os.environ["SLACK_SIGNING_SECRET"])


def handler(event, context):
    if not verifier.accepts(event["headers"], event["body"]):
        return {"statusCode": 401}
    message = json.loads(event["body"])
    if message["type"] == "event_callback":
        boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(message["event"]))
    return {"statusCode": 200, "body": message.get("challenge", "")}
