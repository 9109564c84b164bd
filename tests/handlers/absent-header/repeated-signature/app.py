import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3

states = boto3.client("stepfunctions")


def values(event, wanted):
    return next((found for name, found in event["multiValueHeaders"].items() if name.lower() == wanted), [])


def verify(event):
    signatures = values(event, "x-slack-signature")
    timestamps = values(event, "x-slack-request-timestamp")
    if not signatures or not timestamps or not timestamps[0].isdigit():
        return False
    if abs(time.time() - int(timestamps[0])) > 300:
        return False
    match signatures:
        case [signature]:
            key = os.environ["SLACK_SIGNING_SECRET"].encode()
            base = f"v0:{timestamps[0]}:{event['body']}".encode()
            return hmac.compare_digest("v0=" + hmac.new(key, base, hashlib.sha256).hexdigest(), signature)
        case _:
            print(f"{len(signatures)} signatures")
    return bool(signatures)


def handler(event, context):
    if not verify(event):
        return {"statusCode": 401, "body": ""}
    states.start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"], name=parse_qs(event["body"])["text"][0].replace(" ", "-")
    )
    return {"statusCode": 200, "body": "Started"}
