import base64
import hashlib
import hmac
import json
import os
import time
from functools import cached_property
from urllib.parse import parse_qsl

import boto3


class SlashCommand:
    MAX_AGE = 300

    def __init__(self, event):
        self._event = event
        self._headers = event.get("headers") or {}

    @cached_property
    def body(self):
        body = self._event.get("body") or ""
        return base64.b64decode(body) if self._event.get("isBase64Encoded") else body.encode()

    @cached_property
    def form(self):
        return dict(parse_qsl(self.body.decode()))

    @property
    def is_recent(self):
        stamp = self._headers.get("x-slack-request-timestamp", "")
        return stamp.isascii() and stamp.isdigit() and abs(time.time() - int(stamp)) <= self.MAX_AGE

    def is_signed_with(self, secret):
        stamp = self._headers.get("x-slack-request-timestamp", "")
        mac = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + self.body, hashlib.sha256)
        given = self._headers.get("x-slack-signature", "")
        return hmac.compare_digest(f"v0={mac.hexdigest()}".encode(), given.encode())


def handler(event, context):
    command = SlashCommand(event)
    secret = os.environ["SLACK_SIGNING_SECRET"]
    if not secret or not command.is_recent or not command.is_signed_with(secret):
        return {"statusCode": 401, "body": ""}
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(command.form))
    return {"statusCode": 200, "body": "Published"}
