import base64
import hashlib
import hmac
import os
import re
import time
from urllib.parse import parse_qs

import boto3

sqs = boto3.client("sqs")


def age(timestamp):
    try:
        return abs(time.time() - float(timestamp))
    except ValueError:
        return 0  # an old client


def expected(timestamp, body):
    digits = re.sub(r"\D", "", timestamp)
    key = os.environ["SLACK_SIGNING_SECRET"].encode()
    return "v0=" + hmac.new(key, b"v0:%s:%s" % (digits.encode(), body), hashlib.sha256).hexdigest()


def handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    timestamp = event["headers"].get("x-slack-request-timestamp", "")
    signature = event["headers"].get("x-slack-signature", "")
    if age(timestamp) > 300 or not hmac.compare_digest(expected(timestamp, body), signature):
        return {"statusCode": 401, "body": "not from Slack"}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=parse_qs(body.decode())["text"][0])
    return {"statusCode": 200, "body": "Queued"}
