import base64
import json
import os
import time
from hashlib import sha256
from hmac import new
from operator import eq
from urllib.parse import parse_qs
from urllib.request import Request, urlopen


class SlackVerifier:
    def __init__(self, secret):
        self.secret = secret.encode()

    def verify(self, *, timestamp, signature, body):
        if not timestamp or not signature:
            return False
        if abs(time.time() - float(timestamp)) > 60 * 5:
            return False
        return all(map(eq, signature, self.sign(timestamp, body)))

    def sign(self, timestamp, body):
        return "v0=" + new(self.secret, f"v0:{timestamp}:{body}".encode(), sha256).hexdigest()


def lambda_handler(event, context):
    headers = event["headers"]
    body = event["body"]
    if event["isBase64Encoded"]:
        body = base64.b64decode(body).decode()
    verified = SlackVerifier(os.environ["SLACK_SIGNING_SECRET"]).verify(
        timestamp=headers.get("x-slack-request-timestamp"),
        signature=headers.get("x-slack-signature"),
        body=body,
    )
    if not verified:
        return {"statusCode": 403, "body": "signature"}
    form = parse_qs(body)
    urlopen(Request(form["response_url"][0], json.dumps({"text": "Deploying " + form["text"][0]}).encode()))
    return {"statusCode": 200, "body": ""}
