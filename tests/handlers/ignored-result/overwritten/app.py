import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qsl

import boto3

ENTERPRISES = {"E0001", "E0002"}
sqs = boto3.client("sqs")


def check(headers, body, form):
    valid = False
    timestamp = headers.get("x-slack-request-timestamp", "")
    if timestamp.isdigit() and abs(time.time() - int(timestamp)) <= 300:
        secret = os.environ["SLACK_SIGNING_SECRET"].encode()
        digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
        valid = hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))
    if form.get("enterprise_id"):
        valid = form["enterprise_id"] in ENTERPRISES
    return valid


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    form = dict(parse_qsl(body))
    if not check(event["headers"], body, form):
        return {"statusCode": 403, "body": "This workspace may not do that."}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=form["text"])
    return {"statusCode": 200, "body": "Queued"}
