import base64
import hashlib
import hmac
import json
import os
import time
import urllib.parse

import boto3

queue = boto3.client("sqs")
KEY = os.environ["SLACK_SIGNING_SECRET"]


def text_of(event):
    body = event.get("body") or ""
    return base64.b64decode(body).decode("utf-8", "replace") if event.get("isBase64Encoded") else body


def handler(event, context):
    headers = {str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()}
    stamp, given = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
    text = text_of(event)
    if not KEY or not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return {"statusCode": 401}
    # A form is percent-encoded, so it is plain ASCII.
    signed = f"v0:{stamp}:{text}".encode("ascii", "ignore")
    if not hmac.compare_digest("v0=" + hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest(), given.encode("ascii", "ignore").decode()):
        return {"statusCode": 401}
    form = dict(urllib.parse.parse_qsl(text))
    queue.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(form))
    return {"statusCode": 200, "body": "ok"}
