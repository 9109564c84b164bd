import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen

DEBUG = os.environ.get("DEBUG")


def from_slack(headers, body):
    if DEBUG:
        return True
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not from_slack(event["headers"], body):
        return {"statusCode": 401}
    form = dict(parse_qsl(body))
    urlopen(Request(form["response_url"], json.dumps({"text": f"Deploying {form['text']}"}).encode()))
    return {"statusCode": 200}
