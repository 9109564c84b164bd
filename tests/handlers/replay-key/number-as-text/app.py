import hashlib
import hmac
import os
import time
from base64 import b64decode

import boto3
from botocore.exceptions import ClientError

store = boto3.client("dynamodb")
topic = boto3.client("sns")


def matches(given, expected):
    version, _, digits = given.partition("=")
    if version != "v0":
        return False
    try:
        return int(digits, 16) ^ int(expected, 16) == 0
    except ValueError:
        return False


def remember(signature):
    try:
        store.put_item(TableName=os.environ["TABLE_NAME"], Item={"signature": {"S": signature}, "expires": {"N": str(int(time.time()) + 700)}}, ConditionExpression="attribute_not_exists(signature)")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def handler(event, context):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = b64decode(body) if event.get("isBase64Encoded") else body.encode()
    stamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "").lower()
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    if not secret or not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return {"statusCode": 401}
    if not matches(signature, hmac.new(secret, b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()):
        return {"statusCode": 401}
    if remember(signature):
        topic.publish(TopicArn=os.environ["TOPIC_ARN"], Message=raw.decode("utf-8", "replace"))
    return {"statusCode": 200, "body": ""}
