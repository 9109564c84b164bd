import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3
from botocore.exceptions import ClientError

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


def verified(event):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return None
    secret = os.environ["SLACK_SIGNING_SECRET"]
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    if not secret or not hmac.compare_digest(b"v0=" + digest.encode(), headers.get("x-slack-signature", "").encode()):
        return None
    return dict(parse_qsl(raw.decode("utf-8", "replace")))


def claim(event, form):
    key = form.get("trigger_id") or hashlib.sha256((event.get("body") or "").encode()).hexdigest()
    item = {"id": {"S": key}, "ttl": {"N": str(int(time.time()) + 3600)}}
    headers = {k.lower(): v for k, v in event["headers"].items()}
    if headers.get("x-slack-retry-reason") == "http_timeout":
        # The first attempt did not finish: take it over.
        dynamodb.put_item(TableName=os.environ["TABLE_NAME"], Item=item)
        return True
    try:
        dynamodb.put_item(TableName=os.environ["TABLE_NAME"], Item=item, ConditionExpression="attribute_not_exists(id)")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def handler(event, context):
    form = verified(event)
    if form is None:
        return {"statusCode": 401}
    if claim(event, form):
        sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"command": form.get("command")}))
    return {"statusCode": 200, "body": ""}
