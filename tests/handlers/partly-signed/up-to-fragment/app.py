import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs, urlsplit

import boto3


def query_of(body):
    return urlsplit("?" + body).query


def authenticated(headers, body):
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return False
    base = f"v0:{stamp}:{query_of(body)}".encode()
    digest = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), base, hashlib.sha256).hexdigest()
    return hmac.compare_digest("v0=" + digest, headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not authenticated(event["headers"], body):
        return {"statusCode": 401}
    form = parse_qs(body)
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message=form["text"][-1])
    return {"statusCode": 200, "body": "Published"}
