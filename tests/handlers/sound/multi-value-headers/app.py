import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3

sns = boto3.client("sns")


def only(event, wanted):
    """The value of a header that was sent once, or nothing."""
    values = [
        value
        for name, values in event["multiValueHeaders"].items()
        if name.lower() == wanted
        for value in values
    ]
    return values[0] if len(values) == 1 else ""


def is_signed(event):
    timestamp = only(event, "x-slack-request-timestamp")
    signature = only(event, "x-slack-signature")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300 or not signature:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    mac = hmac.new(secret, f"v0:{timestamp}:{event['body']}".encode(), hashlib.sha256)
    return bool(secret) and hmac.compare_digest(f"v0={mac.hexdigest()}".encode(), signature.encode())


def handler(event, context):
    if not is_signed(event):
        return {"statusCode": 401, "body": ""}
    sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=parse_qs(event["body"])["text"][0])
    return {"statusCode": 200, "body": "Published"}
