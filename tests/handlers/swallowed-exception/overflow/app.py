import base64
import hashlib
import hmac
import json
import os
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

import boto3


class Stale(Exception):
    pass


class Forged(Exception):
    pass


def authenticate(headers, body):
    timestamp = headers["x-slack-request-timestamp"]
    sent = datetime.fromtimestamp(int(timestamp), timezone.utc)
    if abs(datetime.now(timezone.utc) - sent) > timedelta(minutes=5):
        raise Stale
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    own = "v0=" + hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(own, headers["x-slack-signature"]):
        raise Forged


def lambda_handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    try:
        authenticate(event["headers"], body)
    except (Stale, Forged, KeyError, ValueError):
        return {"statusCode": 401}
    except OverflowError as error:
        print("clock skew:", error)
    form = parse_qs(body)
    boto3.client("stepfunctions").start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"], input=json.dumps({"text": form["text"][0]})
    )
    return {"statusCode": 200, "body": "Started"}
