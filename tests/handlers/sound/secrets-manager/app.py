import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

secretsmanager = boto3.client("secretsmanager")
sqs = boto3.client("sqs")
KEEP = 600
_cached = {}


def signing_secret():
    if _cached.get("until", 0) < time.time():
        value = secretsmanager.get_secret_value(SecretId="slack/app")["SecretString"]
        _cached.update(secret=json.loads(value)["signing_secret"], until=time.time() + KEEP)
    return _cached["secret"].encode()


def verified(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "")
    try:
        age = abs(time.time() - int(timestamp))
    except ValueError:
        return False
    if age > 300:
        return False
    digest = hmac.new(signing_secret(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}".encode(), signature.encode())


def lambda_handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    if not verified(event["headers"], body):
        return {"statusCode": 401}
    form = dict(parse_qsl(body.decode()))
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"text": form["text"]}))
    return {"statusCode": 200, "body": "Queued"}
