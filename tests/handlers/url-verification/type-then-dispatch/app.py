import hashlib
import hmac
import json
import os
import time

import boto3

sqs = boto3.client("sqs")
HANDLERS = {}


def on(kind):
    def register(function):
        HANDLERS[kind] = function
        return function

    return register


@on("app_mention")
def mentioned(event):
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event))


@on("reaction_added")
def reacted(event):
    pass


def signature_matches(headers, body):
    timestamp = headers["x-slack-request-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"]
    mac = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return hmac.compare_digest(f"v0={mac.hexdigest()}", headers["x-slack-signature"])


def lambda_handler(event, context):
    body = json.loads(event["body"])
    if body["type"] != "url_verification":
        try:
            genuine = signature_matches(event["headers"], event["body"])
        except (KeyError, ValueError):
            genuine = False
        if not genuine:
            return {"statusCode": 401}
    inner = body.get("event", {})
    if inner.get("type") in HANDLERS:
        HANDLERS[inner["type"]](inner)
    return {"statusCode": 200, "body": body.get("challenge", "")}
