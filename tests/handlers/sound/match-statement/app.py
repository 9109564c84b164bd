import hmac
import json
import os
import re
import time

import boto3

lambda_client = boto3.client("lambda")


def authentic(timestamp, signature, body):
    if not re.fullmatch(r"[0-9]{10}", timestamp) or not re.fullmatch(r"v0=[0-9a-f]{64}", signature):
        return False
    if abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    if not secret:
        return False
    own = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), "sha256").hexdigest()
    return hmac.compare_digest(own, signature.removeprefix("v0="))


def handler(event, context):
    match event:
        case {
            "headers": {"x-slack-request-timestamp": str(timestamp), "x-slack-signature": str(signature)},
            "body": str(body),
            "isBase64Encoded": False,
        } if authentic(timestamp, signature, body):
            return dispatch(json.loads(body), context)
        case _:
            return {"statusCode": 401}


def dispatch(message, context):
    match message:
        case {"type": "url_verification", "challenge": challenge}:
            return {"statusCode": 200, "body": challenge}
        case {"type": "event_callback", "event": {"type": "app_mention", "channel": channel, "text": text}}:
            lambda_client.invoke(
                FunctionName=os.environ["WORKER_FUNCTION"],
                InvocationType="Event",
                Payload=json.dumps({"channel": channel, "text": text}),
            )
    return {"statusCode": 200}
