import base64
import hashlib
import hmac
import json
import os
import time

import boto3

SECRET = os.environ["SLACK_SIGNING_SECRET"].encode()
events = boto3.client("events")
state = {"verify": True}


def read(event):
    body = event["body"]
    return base64.b64decode(body).decode() if event["isBase64Encoded"] else body


def refuse_unsigned(headers, body):
    stamp = headers.get("x-slack-request-timestamp", "")
    expected = hmac.new(SECRET, f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    fresh = stamp.isdigit() and abs(time.time() - int(stamp)) <= 300
    if not (fresh and hmac.compare_digest(f"v0={expected}", headers.get("x-slack-signature", ""))):
        raise PermissionError


def handler(event, context):
    body = read(event)
    message = json.loads(body)
    if message.get("type") == "url_verification":
        state["verify"] = False
    try:
        if state["verify"]:
            refuse_unsigned(event["headers"], body)
    except PermissionError:
        return {"statusCode": 401}
    if "challenge" in message:
        return {"statusCode": 200, "body": message["challenge"]}
    state["verify"] = True
    events.put_events(
        Entries=[{"EventBusName": os.environ["EVENT_BUS"], "Source": "slack", "DetailType": "mention", "Detail": body}]
    )
    return {"statusCode": 200}
