"""Serves several apps: the secret of app A123 is in the variable A123."""

import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3


def secret_of(app):
    secret = os.environ.get(app)
    if not secret:
        raise LookupError(f"unknown app {app}")
    return secret.encode()


def verify(headers, body, app):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    digest = hmac.new(secret_of(app), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    form = dict(parse_qsl(body))
    try:
        verified = verify(event["headers"], body, form.get("api_app_id", ""))
    except LookupError as error:
        return {"statusCode": 404, "body": str(error)}
    if not verified:
        return {"statusCode": 401}
    boto3.client("lambda").invoke(
        FunctionName=os.environ["WORKER_FUNCTION"], InvocationType="Event", Payload=json.dumps(form)
    )
    return {"statusCode": 200, "body": ""}
