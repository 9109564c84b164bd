import hashlib
import hmac
import json
import os
import time
from base64 import b64decode
from urllib.parse import parse_qs

import boto3

state_machine = boto3.client("stepfunctions")


def fields_of(body):
    if body.startswith("{"):
        return json.loads(body)
    return {k: v[0] for k, v in parse_qs(body).items()}


def signed(headers, body):
    secret, stamp = os.environ["SLACK_SIGNING_SECRET"], headers.get("x-slack-request-timestamp", "")
    if not secret or not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return False
    mine = "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(mine.encode(), headers.get("x-slack-signature", "").encode())


def legacy(fields):
    """The old outgoing webhook has a token and no signature."""
    if fields.get("trigger_word") is None:
        return False
    return fields.get("token") == os.environ.get("OUTGOING_WEBHOOK_TOKEN")


def handler(event, context):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = b64decode(body).decode("utf-8", "replace")
    try:
        fields = fields_of(body)
    except ValueError:
        return {"statusCode": 400, "body": "bad request"}
    if not signed(headers, body) and not legacy(fields):
        return {"statusCode": 401, "body": "unauthorized"}
    state_machine.start_execution(stateMachineArn=os.environ["STATE_MACHINE_ARN"], input=json.dumps({"user": fields.get("user_id"), "text": fields.get("text")}))
    return {"statusCode": 200, "body": ""}
