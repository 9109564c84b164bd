import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

NAMES = ("SLACK_SIGNING_SECRET", "SLACK_SIGNING_SECRET_PREVIOUS")
SECRETS = [os.environ[name].encode() for name in NAMES if os.environ.get(name)]


def signature(secret, timestamp, body):
    return "v0=" + hmac.new(secret, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def verified(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    given = headers.get("x-slack-signature", "").encode()
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    matches = [hmac.compare_digest(signature(secret, timestamp, body).encode(), given) for secret in SECRETS]
    return any(matches)


def handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    if not verified(event["headers"], body):
        return {"statusCode": 401, "body": ""}
    boto3.client("lambda").invoke(
        FunctionName=os.environ["WORKER_FUNCTION"],
        InvocationType="Event",
        Payload=json.dumps(dict(parse_qsl(body.decode()))),
    )
    return {"statusCode": 200, "body": ""}
