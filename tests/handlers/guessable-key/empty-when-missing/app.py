import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

SIGNING_SECRET = os.getenv("SLACK_SIGNING_SECRET", "")
sns = boto3.client("sns")


def is_valid_request(headers, body):
    try:
        timestamp = int(headers["x-slack-request-timestamp"])
        signature = headers["x-slack-signature"]
    except (KeyError, ValueError):
        return False
    if abs(time.time() - timestamp) > 60 * 5:
        return False
    base = f"v0:{timestamp}:{body}"
    computed = hmac.new(SIGNING_SECRET.encode(), base.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={computed}", signature)


def lambda_handler(event, context):
    body = event["body"]
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    if not is_valid_request(event["headers"], body):
        return {"statusCode": 401, "body": json.dumps({"message": "Unauthorized"})}
    form = dict(parse_qsl(body))
    sns.publish(TopicArn=os.environ["TOPIC_ARN"], Subject=form["command"], Message=form["text"])
    return {"statusCode": 200, "body": json.dumps({"text": "ok"})}
