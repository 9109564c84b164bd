import hashlib
import hmac
import json
import logging
import os
import time
from urllib.request import Request, urlopen

logger = logging.getLogger()
logger.setLevel(logging.CRITICAL)


class App:
    tolerance = 300

    def __init__(self):
        self.secret = os.environ["SLACK_SIGNING_SECRET"].encode()

    def check_age(self, timestamp):
        age = abs(time.time() - int(timestamp))
        if age > self.tolerance:
            logger.warning("request is %d seconds old", age)
        return age <= self.tolerance

    def check_signature(self, timestamp, signature, body):
        digest = hmac.new(self.secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(f"v0={digest}", signature)

    def __call__(self, event, context):
        timestamp = event["headers"].get("x-slack-request-timestamp", "0")
        self.check_age(timestamp)
        if not self.check_signature(timestamp, event["headers"].get("x-slack-signature", ""), event["body"]):
            return {"statusCode": 401}
        message = json.loads(event["body"])
        if message["type"] == "event_callback":
            self.answer(message["event"])
        return {"statusCode": 200, "body": message.get("challenge", "")}

    def answer(self, mention):
        data = json.dumps({"channel": mention["channel"], "text": f"Hello <@{mention['user']}>"}).encode()
        headers = {"Authorization": f"Bearer {os.environ['SLACK_BOT_TOKEN']}", "Content-Type": "application/json"}
        urlopen(Request("https://slack.com/api/chat.postMessage", data=data, headers=headers))


handler = App()
