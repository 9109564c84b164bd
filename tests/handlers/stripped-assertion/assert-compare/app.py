import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3


def verify(headers, body):
    timestamp = headers["x-slack-request-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        raise ValueError("request is too old")
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), digestmod=hashlib.sha256)
    mac.update(f"v0:{timestamp}:{body}".encode())
    assert hmac.compare_digest(f"v0={mac.hexdigest()}", headers["x-slack-signature"]), "signature differs"


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    try:
        verify(event["headers"], body)
    except (AssertionError, KeyError, ValueError) as error:
        return {"statusCode": 401, "body": str(error)}
    text = parse_qs(body)["text"][0]
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message=text)
    return {"statusCode": 200, "body": f"Published {text}"}
