import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

sqs = boto3.client("sqs")



def verified(headers, raw):
    stamp, secret = headers.get("x-slack-request-timestamp") or "0", os.environ.get("SLACK_SIGNING_SECRET") or ""
    if len(secret) < 8 or not stamp.isascii() or not stamp.isdigit():
        return False
    if not -300 <= int(stamp[:12]) - int(time.time()) <= 300:
        return False
    own = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={own}".encode(), (headers.get("x-slack-signature") or "").encode())


def handler(event, context):
    """API Gateway in both formats, a load balancer, and the schedule that keeps the function warm."""
    if event.get("source") == "aws.events" and "headers" not in event:
        return {"warm": True}
    context_of = event.get("requestContext") or {}
    if "http" in context_of:
        method = context_of["http"].get("method")
    elif "elb" in context_of:
        method = event.get("httpMethod")
    else:
        method = event.get("httpMethod") or context_of.get("httpMethod")
    if method != "POST":
        return {"statusCode": 405, "body": "POST only"}
    headers = {}
    for name, value in (event.get("headers") or {}).items():
        headers[name.lower()] = value if isinstance(value, str) else str(value)
    for name, values in (event.get("multiValueHeaders") or {}).items():
        headers.setdefault(name.lower(), values[-1] if values else "")
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    if not verified(headers, raw):
        return {"statusCode": 401, "body": ""}
    form = dict(parse_qsl(raw.decode("utf-8", "replace")))
    if form.get("text", "").strip() == "help":
        return {"statusCode": 200, "body": "Usage: /deploy STAGE"}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"text": form.get("text")}))
    return {"statusCode": 200, "body": ""}
