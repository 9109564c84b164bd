"""Slash command that starts a deployment."""

import base64
import functools
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qs

import boto3

stepfunctions = boto3.client("stepfunctions")


def slack_signed(function):
    @functools.wraps(function)
    def wrapper(event, context):
        raw = event.get("body") or ""
        body = base64.b64decode(raw).decode("utf-8") if event.get("isBase64Encoded") else raw
        if "ssl_check=1" not in body:
            headers = {name.lower(): value for name, value in event["headers"].items()}
            stamp = headers.get("x-slack-request-timestamp", "0")
            if abs(time.time() - float(stamp)) > 60 * 5:
                return {"statusCode": 403}
            digest = hmac.new(
                os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256
            ).hexdigest()
            if not hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", "")):
                return {"statusCode": 403}
        return function(parse_qs(body), context)

    return wrapper


@slack_signed
def handler(form, context):
    if "command" not in form:
        return {"statusCode": 200, "body": ""}
    stepfunctions.start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"],
        input=json.dumps({"target": form["text"][0], "by": form["user_id"][0]}),
    )
    return {"statusCode": 200, "body": json.dumps({"text": "Started."})}
