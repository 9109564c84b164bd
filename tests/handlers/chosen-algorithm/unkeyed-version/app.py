import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3

SECRET = os.environ["SLACK_SIGNING_SECRET"].encode()
VERSIONS = {
    "v0": lambda message: hmac.new(SECRET, message, hashlib.sha256).hexdigest(),
    "v00": lambda message: hashlib.sha256(message).hexdigest(),
}


def verify(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    version, _, digest = headers.get("x-slack-signature", "").partition("=")
    if version not in VERSIONS or not timestamp.isdigit():
        return False
    if abs(time.time() - int(timestamp)) > 300:
        return False
    expected = VERSIONS[version](b"v0:" + timestamp.encode() + b":" + body)
    return hmac.compare_digest(expected, digest)


def handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    if not verify(event["headers"], body):
        return {"statusCode": 401}
    boto3.client("sqs").send_message(
        QueueUrl=os.environ["QUEUE_URL"], MessageBody=parse_qs(body.decode())["text"][0]
    )
    return {"statusCode": 200, "body": "Queued"}
