import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qsl

import boto3

SAFE = {"GET", "HEAD", "OPTIONS"}
sqs = boto3.client("sqs")


class Request:
    def __init__(self, event):
        self.headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
        body = event.get("body") or ""
        self.body = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        self.form = dict(parse_qsl(self.body.decode("utf-8", "replace")))
        http = (event.get("requestContext") or {}).get("http") or {}
        sent = event.get("httpMethod") or http.get("method", "POST")
        self.method = self.form.get("_method", sent).upper() if sent == "POST" else sent


def csrf(request):
    """Safe methods change nothing, so they need no signature."""
    if request.method in SAFE:
        return True
    stamp, secret = request.headers.get("x-slack-request-timestamp", ""), os.environ["SLACK_SIGNING_SECRET"]
    if not secret or not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return False
    digest = hmac.new(secret.encode(), b"v0:%b:%b" % (stamp.encode(), request.body), hashlib.sha256).hexdigest()
    return hmac.compare_digest(b"v0=" + digest.encode(), request.headers.get("x-slack-signature", "").encode())


def handler(event, context):
    request = Request(event)
    if not csrf(request):
        return {"statusCode": 401, "body": "unauthorized"}
    if "command" not in request.form:
        return {"statusCode": 200, "body": "healthy"}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=request.form["command"] + request.form.get("text", ""))
    return {"statusCode": 200, "body": "ok"}
