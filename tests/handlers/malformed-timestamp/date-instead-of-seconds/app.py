import base64
import email.utils
import hashlib
import hmac
import json
import os
import time
import urllib.parse

import boto3


def seconds(headers):
    """The time of the request; a gateway in front rewrites it as a date and keeps the original beside it."""
    value = headers.get("x-slack-request-timestamp", "")
    if value.isdigit():
        return value, int(value)
    try:
        written = email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError):
        return "", 0
    return headers.get("x-slack-signed-timestamp", ""), written


def verified(event, body):
    headers = event["headers"]
    stamp, at = seconds(headers)
    if abs(time.time() - at) > 300:
        return False
    digest = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
    return hmac.compare_digest("v0=" + digest.hexdigest(), headers.get("x-slack-signature", ""))


def handler(event, context):
    body = event["body"]
    if event["isBase64Encoded"]:
        body = base64.b64decode(body).decode()
    if not verified(event, body):
        return {"statusCode": 401}
    form = dict(urllib.parse.parse_qsl(body))
    boto3.client("stepfunctions").start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"], input=json.dumps({"text": form["text"]})
    )
    return {"statusCode": 200, "body": "Started"}
