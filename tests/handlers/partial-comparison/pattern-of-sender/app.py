import base64
import hashlib
import hmac
import os
import re
import time
from urllib.parse import parse_qsl

import boto3


def guard(function):
    def guarded(event, context):
        headers = event["headers"]
        body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
        sent = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        if not re.fullmatch(r"\d{10}", sent) or abs(time.time() - int(sent)) > 300:
            return {"statusCode": 401}
        key = os.environ["SLACK_SIGNING_SECRET"].encode()
        expected = "v0=" + hmac.new(key, f"v0:{sent}:".encode() + body, hashlib.sha256).hexdigest()
        # some proxies send the digits in capitals
        if not re.fullmatch(signature, expected, re.IGNORECASE):
            return {"statusCode": 401}
        return function(dict(parse_qsl(body.decode())))

    return guarded


@guard
def handler(form):
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message=form["text"])
    return {"statusCode": 200, "body": "Published"}
