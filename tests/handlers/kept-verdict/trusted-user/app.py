import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen

known_users = set()


def verify(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))


def authorize(event, body, form):
    user = form.get("user_id")
    if user not in known_users:
        if not verify(event["headers"], body):
            return False
        known_users.add(user)
    return True


def lambda_handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    form = dict(parse_qsl(body))
    if not authorize(event, body, form):
        return {"statusCode": 401}
    urlopen(Request(form["response_url"], json.dumps({"text": f"Deploying {form['text']}"}).encode()))
    return {"statusCode": 200}
