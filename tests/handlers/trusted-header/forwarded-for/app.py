import base64
import hashlib
import hmac
import ipaddress
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

INTERNAL = ipaddress.ip_network("10.0.0.0/8")


def client_address(headers):
    return headers.get("x-forwarded-for", "").split(",")[0].strip()


def is_internal(headers):
    try:
        return ipaddress.ip_address(client_address(headers)) in INTERNAL
    except ValueError:
        return False


def is_signed(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    digest = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return hmac.compare_digest("v0=" + digest.hexdigest(), headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not is_internal(event["headers"]) and not is_signed(event["headers"], body):
        return {"statusCode": 401}
    form = dict(parse_qsl(body))
    boto3.client("stepfunctions").start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"], input=json.dumps({"text": form["text"]})
    )
    return {"statusCode": 200, "body": "Started"}
