"""One function for several workspaces: SIGNING_SECRETS is T123=secret,T456=secret."""

import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

lambda_ = boto3.client("lambda")


def secrets():
    return dict(entry.split("=", 1) for entry in os.environ["SIGNING_SECRETS"].split(","))


def tenant(form):
    # Events of an Enterprise Grid name the team inside
    return str(form.get("team_id") or form.get("enterprise_id"))


def handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    form = dict(parse_qsl(body.decode()))
    secret = secrets().get(tenant(form))
    timestamp = event["headers"].get("x-slack-request-timestamp", "")
    if secret is None or not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return {"statusCode": 401}
    mac = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256)
    if not hmac.compare_digest("v0=" + mac.hexdigest(), event["headers"].get("x-slack-signature", "")):
        return {"statusCode": 401}
    lambda_.invoke(
        FunctionName=os.environ["WORKER_FUNCTION"], InvocationType="Event", Payload=json.dumps(form).encode()
    )
    return {"statusCode": 200, "body": "Working on it"}
