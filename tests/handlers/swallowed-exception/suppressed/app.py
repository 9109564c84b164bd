import contextlib
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3

sns = boto3.client("sns")


def digest_of(header):
    """The signature as bytes; with a version that is not v0, nothing."""
    version, _, digits = header.partition("=")
    return bytes.fromhex(digits) if version == "v0" else b""


def refuses(headers, body):
    headers = {name.lower(): value for name, value in headers.items()}
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return True
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    own = hmac.digest(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    refused = False
    with contextlib.suppress(ValueError):
        given = digest_of(headers.get("x-slack-signature", ""))
        refused = not hmac.compare_digest(own, given)
    return refused


def handler(event, context):
    if refuses(event["headers"], event["body"]):
        return {"statusCode": 401, "body": ""}
    sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=parse_qs(event["body"])["text"][0])
    return {"statusCode": 200, "body": "Published"}
