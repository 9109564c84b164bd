import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen


def sent_at(headers):
    if "x-slack-request-time-ms" in headers:
        return int(headers["x-slack-request-time-ms"]) / 1000
    return int(headers["x-slack-request-timestamp"])


def check(headers, body):
    if abs(time.time() - sent_at(headers)) > 300:
        raise ValueError("too old")
    base = f"v0:{headers['x-slack-request-timestamp']}:{body}"
    expected = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), base.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v0={expected}", headers["x-slack-signature"]):
        raise ValueError("signature")


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    try:
        check(event["headers"], body)
    except (KeyError, ValueError):
        return {"statusCode": 401, "body": ""}
    form = dict(parse_qsl(body))
    urlopen(Request(form["response_url"], json.dumps({"text": f"Deploying {form['text']}"}).encode()))
    return {"statusCode": 200, "body": ""}
