import base64
import hashlib
import hmac
import json
import os
from urllib.parse import parse_qs

import boto3

stepfunctions = boto3.client("stepfunctions")


def signature_of(timestamp, body):
    key = os.environ["SLACK_SIGNING_SECRET"].encode("utf-8")
    return "v0=" + hmac.new(key, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()


def lambda_handler(event, context):
    headers = event["headers"]
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    try:
        expected = signature_of(headers["x-slack-request-timestamp"], body)
        valid = hmac.compare_digest(expected, headers["x-slack-signature"])
    except KeyError:
        valid = False
    if not valid:
        return {"statusCode": 401, "body": "invalid request"}
    command = parse_qs(body)
    stepfunctions.start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"],
        input=json.dumps({"text": command["text"][0], "user": command["user_id"][0]}),
    )
    return {"statusCode": 200, "body": "Started"}
