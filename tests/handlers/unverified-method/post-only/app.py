import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3


def verify(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))


def lambda_handler(event, context):
    method = event["requestContext"]["http"]["method"]
    body = base64.b64decode(event["body"]).decode() if event.get("isBase64Encoded") else event.get("body", "")
    if method == "GET":
        return {"statusCode": 200, "body": "Use this URL as the Request URL of your command."}
    if method == "POST" and not verify(event["headers"], body):
        return {"statusCode": 401}
    form = dict(parse_qsl(body))
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(form))
    return {"statusCode": 200, "body": "Published"}
