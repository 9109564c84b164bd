import hashlib
import hmac
import json
import os
import time
import urllib.parse
from typing import NamedTuple

import boto3


class Signed(NamedTuple):
    timestamp: str
    signature: str
    body: str

    @classmethod
    def of(cls, event):
        lower = {name.lower(): value for name, value in event["headers"].items()}
        return cls(
            lower.get("x-slack-request-timestamp", ""), lower.get("x-slack-signature", ""), event["body"] or ""
        )

    def is_valid(self, secret, now):
        if not self.timestamp.isdigit() or abs(now - int(self.timestamp)) > 300 or not secret:
            return False
        base = ":".join(("v0", self.timestamp, self.body)).encode()
        expected = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), self.signature.encode())


def handler(event, context):
    request = Signed.of(event)
    if not request.is_valid(os.environ["SLACK_SIGNING_SECRET"], time.time()):
        return {"statusCode": 403, "body": ""}
    payload = json.loads(urllib.parse.parse_qs(request.body)["payload"][0])
    boto3.client("lambda").invoke(
        FunctionName=os.environ["WORKER_FUNCTION"],
        InvocationType="Event",
        Payload=json.dumps({"user": payload["user"]["id"], "actions": payload["actions"]}),
    )
    return {"statusCode": 200, "body": ""}
