import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl, quote_plus

import boto3

stepfunctions = boto3.client("stepfunctions")


class Interaction:
    def __init__(self, event):
        content = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
        self.headers = event["headers"]
        self.form = dict(parse_qsl(content.decode()))
        self.payload = json.loads(self.form.get("payload", "{}"))

    def is_authentic(self):
        timestamp = self.headers.get("x-slack-request-timestamp", "")
        if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
            return False
        text = "payload=" + quote_plus(self.form.get("payload", ""))
        secret = os.environ["SLACK_SIGNING_SECRET"].encode()
        digest = hmac.new(secret, f"v0:{timestamp}:{text}".encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(f"v0={digest}", self.headers.get("x-slack-signature", ""))

    @property
    def target(self):
        return self.form.get("target") or self.payload["actions"][0]["value"]


def handler(event, context):
    interaction = Interaction(event)
    if not interaction.is_authentic():
        return {"statusCode": 401}
    stepfunctions.start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"],
        input=json.dumps({"target": interaction.target, "by": interaction.payload["user"]["id"]}),
    )
    return {"statusCode": 200}
