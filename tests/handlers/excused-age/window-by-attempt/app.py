import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

WINDOW = 300
sns = boto3.client("sns")


def window(headers):
    """A later attempt may be older: Slack keeps the timestamp of the first."""
    try:
        attempt = int(headers.get("x-slack-retry-num", "0"))
    except ValueError:
        attempt = 0
    return WINDOW * (1 + max(attempt, 0))


def handler(event, context):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    stamp, key = headers.get("x-slack-request-timestamp", ""), os.environ["SLACK_SIGNING_SECRET"].encode()
    if not key or not stamp.isdecimal() or not -WINDOW <= time.time() - int(stamp) <= window(headers):
        return {"statusCode": 401, "body": ""}
    mine = "v0=" + hmac.new(key, b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(mine.encode(), headers.get("x-slack-signature", "").encode()):
        return {"statusCode": 401, "body": ""}
    form = dict(parse_qsl(raw.decode("utf-8", "replace")))
    sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps({"command": form.get("command")}))
    return {"statusCode": 200, "body": ""}
