import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

SECRET = os.environ["SLACK_SIGNING_SECRET"].encode()


def signature(timestamp, body):
    return "v0=" + hmac.new(SECRET, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()


def refuse(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "0")
    if __debug__:
        print("checking a request of", timestamp)
        if abs(time.time() - float(timestamp)) > 300:
            return "too old"
        if not hmac.compare_digest(signature(timestamp, body), headers.get("x-slack-signature", "")):
            return "not signed"
    return None


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if reason := refuse(event["headers"], body):
        return {"statusCode": 401, "body": reason}
    form = dict(parse_qsl(body))
    boto3.client("lambda").invoke(
        FunctionName=os.environ["WORKER_FUNCTION"], InvocationType="Event", Payload=json.dumps(form)
    )
    return {"statusCode": 200, "body": ""}
