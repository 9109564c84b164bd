import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qsl

import boto3


class SignatureError(Exception):
    pass


class Slack:
    def __init__(self, secret):
        self.secret = secret

    def form(self, event):
        content = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
        self.verify(event["headers"], content.decode("utf-8", errors="ignore"))
        return dict(parse_qsl(content.decode("utf-8", errors="surrogateescape")))

    def verify(self, headers, text):
        stamp = headers.get("x-slack-request-timestamp", "")
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
            raise SignatureError("timestamp")
        digest = hmac.new(self.secret.encode(), f"v0:{stamp}:{text}".encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest("v0=" + digest, headers.get("x-slack-signature", "")):
            raise SignatureError("signature")


def handler(event, context):
    try:
        form = Slack(os.environ["SLACK_SIGNING_SECRET"]).form(event)
    except SignatureError as error:
        return {"statusCode": 401, "body": str(error)}
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Subject=form["command"], Message=form["text"])
    return {"statusCode": 200, "body": ""}
