import hashlib
import hmac
import json
import os
import time
from urllib.request import Request, urlopen


def verify(headers, body):
    """Whether the request is signed, and why not."""
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit():
        return False, "no timestamp"
    if abs(time.time() - int(timestamp)) > 300:
        return False, "too old"
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", "")), "signature"


def say(channel, text):
    data = json.dumps({"channel": channel, "text": text}).encode()
    headers = {"Authorization": f"Bearer {os.environ['SLACK_BOT_TOKEN']}", "Content-Type": "application/json"}
    urlopen(Request("https://slack.com/api/chat.postMessage", data=data, headers=headers))


def handler(event, context):
    message = json.loads(event["body"])
    inner = message.get("event", {})
    if inner.get("type") == "message":
        if not verify(event["headers"], event["body"]):
            return {"statusCode": 401, "body": ""}
        say(inner["channel"], f"<@{inner['user']}> wrote {len(inner['text'])} characters")
        return {"statusCode": 200, "body": ""}
    valid, reason = verify(event["headers"], event["body"])
    if not valid:
        return {"statusCode": 401, "body": reason}
    if inner.get("type") == "app_mention":
        say(inner["channel"], f"<@{inner['user']}> yes?")
    return {"statusCode": 200, "body": message.get("challenge", "")}
