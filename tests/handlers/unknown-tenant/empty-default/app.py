import base64
import hashlib
import hmac
import json
import os
import time
import urllib.parse

import boto3

SECRETS = json.loads(os.environ["TEAM_SECRETS"])
sns = boto3.client("sns")


def parse(event):
    body = event["body"]
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode("utf-8")
    return body, {key: values[0] for key, values in urllib.parse.parse_qs(body).items()}


def signature_is_valid(headers, body, secret):
    try:
        timestamp = int(headers["x-slack-request-timestamp"])
        signature = headers["x-slack-signature"]
    except (KeyError, ValueError):
        return False
    if abs(time.time() - timestamp) > 300:
        return False
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", signature)


def handler(event, context):
    body, form = parse(event)
    secret = SECRETS.get(form.get("team_id"), "")
    if not signature_is_valid(event["headers"], body, secret):
        return {"statusCode": 401}
    sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(form))
    return {"statusCode": 200, "body": "Published."}
