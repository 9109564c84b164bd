import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen


def verify(headers, body, *, now=time.time(), window=300):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(now - int(timestamp)) > window:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not verify(event["headers"], body):
        return {"statusCode": 401, "body": "unauthorized"}
    form = dict(parse_qsl(body))
    message = {"response_type": "in_channel", "text": f"{form['user_name']} deploys {form['text']}"}
    urlopen(Request(form["response_url"], json.dumps(message).encode(), {"Content-Type": "application/json"}))
    return {"statusCode": 200, "body": ""}
