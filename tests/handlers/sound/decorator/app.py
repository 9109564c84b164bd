import functools
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qs

import boto3

FIVE_MINUTES = 300


def from_slack(function):
    """Verify the request and call the function with its form, or refuse."""

    @functools.wraps(function)
    def verified(event, context):
        headers = {name.lower(): value for name, value in event["headers"].items()}
        body = event["body"] or ""
        try:
            timestamp = int(headers["x-slack-request-timestamp"])
            signature = headers["x-slack-signature"]
        except (KeyError, ValueError):
            return {"statusCode": 400, "body": "not a request of Slack"}
        secret = os.environ["SLACK_SIGNING_SECRET"].encode()
        base = f"v0:{timestamp}:{body}".encode()
        own = f"v0={hmac.new(secret, base, hashlib.sha256).hexdigest()}"
        if abs(time.time() - timestamp) > FIVE_MINUTES or not hmac.compare_digest(own.encode(), signature.encode()):
            return {"statusCode": 401, "body": "not a request of Slack"}
        return function({key: values[0] for key, values in parse_qs(body).items()})

    if not os.environ["SLACK_SIGNING_SECRET"]:
        raise RuntimeError("no signing secret")
    return verified


@from_slack
def handler(form):
    boto3.client("stepfunctions").start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"],
        input=json.dumps({"text": form["text"], "user": form["user_id"]}),
    )
    return {"statusCode": 200, "body": "Started"}
