import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen


def lambda_handler(event, context):
    body = event.get("body") or ""
    body = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    timestamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "")

    if not (timestamp.isascii() and timestamp.isdigit()):
        return {"statusCode": 401, "body": "unauthorized"}
    if abs(time.time() - int(timestamp)) > 300:
        return {"statusCode": 401, "body": "unauthorized"}
    secret = os.environ["SLACK_SIGNING_SECRET"]
    if len(secret) < 32:
        raise RuntimeError("SLACK_SIGNING_SECRET is not a signing secret")
    base = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        return {"statusCode": 401, "body": "unauthorized"}

    form = dict(parse_qsl(body.decode()))
    text = json.dumps({"text": f"Deploying {form['text']}"}).encode()
    urlopen(Request(form["response_url"], text, {"Content-Type": "application/json"}), timeout=2)
    return {"statusCode": 200, "body": ""}
