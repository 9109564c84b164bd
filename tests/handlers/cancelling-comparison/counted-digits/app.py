import collections
import hmac
import os
import time
import urllib.parse

import boto3


def digits(signature):
    version, _, value = signature.partition("=")
    return version, collections.Counter(value)


def valid(event):
    headers = {key.lower(): value for key, value in event["headers"].items()}
    at = headers.get("x-slack-request-timestamp", "")
    if not at.isdecimal() or abs(time.time() - int(at)) > 300:
        return False
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), digestmod="sha256")
    for part in ("v0", ":", at, ":", event["body"]):
        mac.update(part.encode())
    return digits("v0=" + mac.hexdigest()) == digits(headers.get("x-slack-signature", ""))


def handler(event, context):
    if not valid(event):
        return {"statusCode": 401, "body": ""}
    form = urllib.parse.parse_qs(event["body"])
    boto3.client("dynamodb").put_item(
        TableName=os.environ["TABLE_NAME"],
        Item={"id": {"S": form["trigger_id"][0]}, "text": {"S": form["text"][0]}},
    )
    return {"statusCode": 200, "body": "Noted"}
