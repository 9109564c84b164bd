import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen

REQUIRED = ("X-Slack-Request-Timestamp", "X-Slack-Signature")


def missing(headers):
    present = {name.lower() for name in headers}
    return [name for name in REQUIRED if name.lower() not in present]


def forged(headers, body):
    timestamp, signature = (headers.get(name) for name in REQUIRED)
    if timestamp and abs(time.time() - int(timestamp)) > 300:
        return True
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    own = "v0=" + hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return signature is not None and not hmac.compare_digest(own, signature)


def handler(event, context):
    if missing(event["headers"]) or forged(event["headers"], event["body"]):
        return {"statusCode": 401, "body": ""}
    form = dict(parse_qsl(event["body"]))
    urlopen(Request(form["response_url"], json.dumps({"text": f"Deploying {form['text']}"}).encode()))
    return {"statusCode": 200, "body": ""}
