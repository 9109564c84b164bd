import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qs

import boto3


def setting(name, default):
    value = os.environ.get(name)
    if value is None:
        print(f"{name} is not set, using the default")
    return value or os.environ.get(default, default)


SECRET = setting("SLACK_SIGNING_SECRET", default="AWS_LAMBDA_FUNCTION_NAME")


def handler(event, context):
    headers = {name.lower(): value for name, value in event["headers"].items()}
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return {"statusCode": 401, "body": ""}
    expected = hmac.new(SECRET.encode(), f"v0:{timestamp}:{event['body']}".encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v0={expected}", headers.get("x-slack-signature", "")):
        return {"statusCode": 401, "body": ""}
    form = {key: values[0] for key, values in parse_qs(event["body"]).items()}
    boto3.client("stepfunctions").start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"], input=json.dumps({"text": form["text"]})
    )
    return {"statusCode": 200, "body": "Started"}
