import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3

sns = boto3.client("sns")


def normalized(headers, into={}):
    """The headers by name in small letters."""
    into.update((name.lower(), value) for name, value in headers.items())
    return into


def is_genuine(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    key = os.environ["SLACK_SIGNING_SECRET"].encode()
    own = hmac.new(key, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={own}", headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    if not is_genuine(normalized(event["headers"]), body):
        return {"statusCode": 401}
    sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=parse_qs(body.decode())["text"][0])
    return {"statusCode": 200, "body": "Published"}
