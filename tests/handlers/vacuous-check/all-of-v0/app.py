import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3


def v0_signatures(header):
    return [value.strip() for value in header.split(",") if value.strip().startswith("v0=")]


def is_signed(headers, body):
    header = headers.get("x-slack-signature")
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not header or not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    expected = "v0=" + hmac.new(secret, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return all(hmac.compare_digest(expected, signature) for signature in v0_signatures(header))


def handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    if not is_signed(event["headers"], body):
        return {"statusCode": 401}
    form = parse_qs(body.decode())
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=form["text"][0])
    return {"statusCode": 200, "body": "Queued"}
