"""Two phases: acknowledge within three seconds, then work."""

import base64
import hashlib
import hmac
import json
import os
import time
from urllib import parse, request

import boto3


def acknowledge(event, context):
    boto3.client("lambda").invoke(
        FunctionName=context.function_name,
        InvocationType="Event",
        Payload=json.dumps({**event, "queryStringParameters": {"phase": "2"}}),
    )
    return {"statusCode": 200, "body": "Working on it ..."}


def finish(event, context):
    form = parse.parse_qs(text_of(event))
    answer = json.dumps({"text": "Done: " + form["text"][0]}).encode()
    request.urlopen(request.Request(form["response_url"][0], answer, {"Content-Type": "application/json"}))
    return {"statusCode": 200}


def text_of(event):
    body = event.get("body", "")
    return base64.b64decode(body).decode() if event.get("isBase64Encoded") else body


def authentic(event):
    timestamp = event["headers"].get("x-slack-request-timestamp", "")
    signature = event["headers"].get("x-slack-signature", "")
    try:
        age = abs(time.time() - int(timestamp))
    except ValueError:
        return False
    message = f"v0:{timestamp}:{text_of(event)}".encode()
    wanted = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), message, hashlib.sha256).hexdigest()
    return age < 300 and hmac.compare_digest("v0=" + wanted, signature)


PHASES = {"1": acknowledge, "2": finish}


def handler(event, context):
    phase = (event.get("queryStringParameters") or {}).get("phase", "1")
    if phase == "1" and not authentic(event):
        return {"statusCode": 401}
    return PHASES.get(phase, acknowledge)(event, context)
