import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

client = boto3.client("lambda")


def decoded(event):
    body = event.get("body") or ""
    return base64.b64decode(body).decode("utf-8") if event.get("isBase64Encoded") else body


def params(event):
    found = dict(parse_qsl(decoded(event)))
    found.update(event.get("queryStringParameters") or {})
    return found


def verify_slack_request(event):
    timestamp = event["headers"].get("x-slack-request-timestamp")
    if not timestamp or not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    base = f"v0:{timestamp}:{decoded(event)}"
    secret = os.environ["SLACK_SIGNING_SECRET"]
    signature = "v0=" + hmac.new(secret.encode(), base.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature, event["headers"].get("x-slack-signature", ""))


def lambda_handler(event, context):
    if not verify_slack_request(event):
        return {"statusCode": 401, "body": json.dumps({"error": "invalid signature"})}
    values = params(event)
    client.invoke(
        FunctionName=os.environ["WORKER_FUNCTION"],
        InvocationType="Event",
        Payload=json.dumps({"text": values["text"], "user": values["user_id"]}),
    )
    return {"statusCode": 200, "body": json.dumps({"text": "Started"})}
