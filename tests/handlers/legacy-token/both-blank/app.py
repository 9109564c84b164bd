import base64
import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs

import boto3

TOKEN = os.environ.get("SLACK_VERIFICATION_TOKEN", "")


class Checks:
    def __init__(self, event):
        content = event["body"]
        self.body = base64.b64decode(content).decode() if event["isBase64Encoded"] else content
        self.headers = event["headers"]
        self.form = {name: values[0] for name, values in parse_qs(self.body).items()}

    def signature(self):
        timestamp = self.headers.get("x-slack-request-timestamp", "")
        if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
            return False
        secret = os.environ["SLACK_SIGNING_SECRET"].encode()
        own = "v0=" + hmac.new(secret, f"v0:{timestamp}:{self.body}".encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(own, self.headers.get("x-slack-signature", ""))

    def token(self):
        return hmac.compare_digest(self.form.get("token", ""), TOKEN)

    def pass_any(self):
        # the token serves the workspaces that were installed before 2018
        return self.signature() or ("x-slack-signature" not in self.headers and self.token())


def handler(event, context):
    checks = Checks(event)
    if not checks.pass_any():
        return {"statusCode": 401}
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=checks.form["text"])
    return {"statusCode": 200, "body": "Queued"}
