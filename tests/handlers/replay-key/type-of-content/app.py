import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3
from botocore.exceptions import ClientError

sqs = boto3.client("sqs")


def raw_of(event):
    text = event.get("body") or ""
    return base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()


def fresh(stamp):
    return stamp.isascii() and stamp.isdigit() and abs(time.time() - int(stamp)) <= 300


def digest(key, stamp, raw):
    return "v0=" + hmac.new(key.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()


def genuine(headers, raw):
    stamp = headers.get("x-slack-request-timestamp", "")
    own = digest(os.environ["SLACK_SIGNING_SECRET"], stamp, raw)
    return fresh(stamp) and hmac.compare_digest(own.encode(), headers.get("x-slack-signature", "").encode())


def enqueue(what):
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(what))


def reply(status, text=""):
    return {"statusCode": status, "body": text}


table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def handler(event, context):
    raw, headers = raw_of(event), event["headers"]
    if not genuine(headers, raw):
        return reply(401)
    mark = hashlib.sha256(headers.get("content-type", "").encode() + raw).hexdigest()
    try:
        table.put_item(Item={"pk": mark}, ConditionExpression="attribute_not_exists(pk)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return reply(200)
    enqueue(dict(parse_qsl(raw.decode())))
    return reply(200)
