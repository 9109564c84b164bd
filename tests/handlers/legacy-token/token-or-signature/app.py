import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen


def has_token(form):
    return hmac.compare_digest(form.get("token", ""), os.environ["SLACK_VERIFICATION_TOKEN"])


def has_signature(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    digest = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return hmac.compare_digest("v0=" + digest.hexdigest(), headers.get("x-slack-signature", ""))


def lambda_handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    form = dict(parse_qsl(body))
    signed = "x-slack-signature" in event["headers"]
    if not (has_signature(event["headers"], body) if signed else has_token(form)):
        return {"statusCode": 401, "body": ""}
    urlopen(Request(form["response_url"], json.dumps({"text": f"Deploying {form['text']}"}).encode()))
    return {"statusCode": 200, "body": ""}
