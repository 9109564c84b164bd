import base64
import hashlib
import hmac
import io
import os
import time

import boto3

sqs = boto3.client("sqs")


def read(event):
    """What a server reads of the body: as many bytes as Content-Length states."""
    text = event.get("body") or ""
    raw = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    stated = event["headers"].get("content-length", "")
    return io.BytesIO(raw).read(int(stated) if stated.isascii() and stated.isdigit() else len(raw))


def genuine(headers, raw):
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isascii() or not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return False
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256)
    return hmac.compare_digest(f"v0={mac.hexdigest()}".encode(), headers.get("x-slack-signature", "").encode())


def handler(event, context):
    raw = read(event)
    if not genuine(event["headers"], raw):
        return {"statusCode": 401, "body": ""}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=raw.decode())
    return {"statusCode": 200, "body": ""}
