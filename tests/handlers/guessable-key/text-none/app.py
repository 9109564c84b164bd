import base64
import hashlib
import hmac
import os
import time
from dataclasses import dataclass
from urllib.parse import parse_qs

import boto3


@dataclass(frozen=True)
class Settings:
    secret: bytes
    queue: str

    @classmethod
    def from_environment(cls):
        read = os.environ.get
        return cls(secret=f"{read('SLACK_SIGNING_SECRET')}".strip().encode(), queue=f"{read('QUEUE_URL')}")


settings = Settings.from_environment()


def verified(headers, body):
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return False
    digest = hmac.new(settings.secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest("v0=" + digest, headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    if not verified(event["headers"], body):
        return {"statusCode": 401}
    boto3.client("sqs").send_message(QueueUrl=settings.queue, MessageBody=parse_qs(body.decode())["text"][0])
    return {"statusCode": 200}
