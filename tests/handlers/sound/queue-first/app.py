"""Verifies and enqueues; another function works."""

import hashlib
import hmac
import json
import os
import time

import boto3

sqs = boto3.client("sqs")


def lambda_handler(event, context):
    headers = {name.lower(): value for name, value in event["headers"].items()}
    body = event["body"]
    sent = headers.get("x-slack-request-timestamp", "0")
    try:
        age = abs(time.time() - int(sent))
    except ValueError:
        return {"statusCode": 400, "body": ""}
    secret = os.environ["SLACK_SIGNING_SECRET"]
    own = hmac.new(secret.encode(), f"v0:{sent}:{body}".encode(), hashlib.sha256).hexdigest()
    given = headers.get("x-slack-signature", "")
    if not secret or age > 300 or not hmac.compare_digest(f"v0={own}".encode(), given.encode()):
        return {"statusCode": 401, "body": ""}

    message = json.loads(body)
    if message.get("type") == "url_verification":
        return {"statusCode": 200, "body": message["challenge"]}
    if message.get("event", {}).get("bot_id") is None:
        sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=body)
    return {"statusCode": 200, "body": ""}
