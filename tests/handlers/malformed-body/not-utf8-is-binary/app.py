import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qs

import boto3

sqs = boto3.client("sqs")


def text_of(body):
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None  # a file


def is_signed(headers, text):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{timestamp}:{text}".encode(), hashlib.sha256)
    return hmac.compare_digest(f"v0={mac.hexdigest()}", headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    text = text_of(body)
    if text is not None and not is_signed(event["headers"], text):
        return {"statusCode": 401}
    form = parse_qs(body.decode("latin-1"))
    sqs.send_message(
        QueueUrl=os.environ["QUEUE_URL"],
        MessageBody=json.dumps({"text": form["text"][0], "user": form["user_id"][0]}),
    )
    return {"statusCode": 200, "body": "Queued"}
