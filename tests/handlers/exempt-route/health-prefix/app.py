import base64
import hashlib
import hmac
import json
import os
import time
import urllib.parse

import boto3

sqs = boto3.client("sqs")


def commands(form):
    sqs.send_message(
        QueueUrl=os.environ["QUEUE_URL"],
        MessageBody=json.dumps({"command": form["command"], "text": form["text"], "user": form["user_id"]}),
    )
    return "Queued."


def health(form):
    return "ok"


ROUTES = {"commands": commands, "health": health}


def is_signed(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isascii() or not timestamp.isdigit():
        return False
    if abs(int(time.time()) - int(timestamp)) > 300:
        return False
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), digestmod=hashlib.sha256)
    mac.update(f"v0:{timestamp}:".encode())
    mac.update(body)
    return hmac.compare_digest("v0=" + mac.hexdigest(), headers.get("x-slack-signature", ""))


def handler(event, context):
    path = event["rawPath"]
    body = base64.b64decode(event["body"]) if event.get("isBase64Encoded") else event.get("body", "").encode()
    if not path.startswith("/health") and not is_signed(event["headers"], body):
        return {"statusCode": 401}
    route = ROUTES.get(path.rstrip("/").rsplit("/", 1)[-1])
    if route is None:
        return {"statusCode": 404}
    form = dict(urllib.parse.parse_qsl(body.decode()))
    return {"statusCode": 200, "body": route(form)}
