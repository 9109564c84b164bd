import hashlib
import hmac
import json
import os
import time
from functools import lru_cache
from urllib.request import Request, urlopen

import boto3


@lru_cache
def parameter(name):
    ssm = boto3.client("ssm")
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


def is_authentic(headers, body):
    secret = parameter(os.environ["SECRET_ID"]).encode()
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    base = ":".join(["v0", timestamp, body])
    own = "v0=" + hmac.new(secret, base.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(own, headers.get("x-slack-signature", ""))


def handler(event, context):
    if not is_authentic(event["headers"], event["body"]):
        return {"statusCode": 401, "body": ""}
    message = json.loads(event["body"])
    if "challenge" in message:
        return {"statusCode": 200, "body": message["challenge"]}
    answer = json.dumps({"channel": message["event"]["channel"], "text": "Noted."}).encode()
    request = Request("https://slack.com/api/chat.postMessage", answer)
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", "Bearer " + os.environ["SLACK_BOT_TOKEN"])
    urlopen(request)
    return {"statusCode": 200, "body": ""}
