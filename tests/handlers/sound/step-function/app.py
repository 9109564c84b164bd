import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

states = boto3.client("stepfunctions")


def signed(headers, body):
    """The signature of a genuine request, or nothing."""
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return None
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, b"v0:%b:%b" % (timestamp.encode(), body), hashlib.sha256).hexdigest()
    matches = hmac.compare_digest(f"v0={digest}".encode(), headers.get("x-slack-signature", "").encode())
    return digest if secret and matches else None


def handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    digest = signed(event["headers"], body)
    if digest is None:
        return {"statusCode": 401, "body": ""}
    form = dict(parse_qsl(body.decode()))
    states.start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"],
        name=digest,  # a second execution of this name is refused
        input=json.dumps({"text": form["text"], "user": form["user_id"]}),
    )
    return {"statusCode": 200, "body": "Started"}
