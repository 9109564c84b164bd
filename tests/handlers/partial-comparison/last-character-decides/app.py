import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3


def constant_time_equal(left, right):
    if len(left) != len(right):
        return False
    difference = 0
    for a, b in zip(left, right):
        difference = ord(a) ^ ord(b)
    return difference == 0


def verify(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return constant_time_equal(f"v0={digest}", headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not verify(event["headers"], body):
        return {"statusCode": 401}
    form = dict(parse_qsl(body))
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(form))
    return {"statusCode": 200, "body": "Queued"}
