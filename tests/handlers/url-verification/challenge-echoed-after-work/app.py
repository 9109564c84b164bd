import hmac
import json
import os
import time
from hashlib import sha256
from urllib.request import Request, urlopen


class Bot:
    def __init__(self, secret, token):
        self.secret = secret.encode()
        self.token = token

    def accepts(self, headers, body):
        headers = {key.lower(): value for key, value in headers.items()}
        timestamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
            return False
        digest = hmac.new(self.secret, f"v0:{timestamp}:{body}".encode(), sha256).hexdigest()
        return hmac.compare_digest("v0=" + digest, signature)

    def say(self, channel, text):
        message = json.dumps({"channel": channel, "text": text}).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        urlopen(Request("https://slack.com/api/chat.postMessage", data=message, headers=headers))

    def handle(self, message):
        event = message.get("event") or {}
        if event.get("type") == "app_mention" and not event.get("bot_id"):
            self.say(event["channel"], f"<@{event['user']}> I am on it")


def handler(event, context):
    bot = Bot(os.environ["SLACK_SIGNING_SECRET"], os.environ["SLACK_BOT_TOKEN"])
    message = json.loads(event["body"])
    handshake = message.get("type") == "url_verification"
    if not handshake and not bot.accepts(event["headers"], event["body"]):
        return {"statusCode": 403, "body": "forbidden"}
    bot.handle(message)
    if handshake:
        return {"statusCode": 200, "body": message["challenge"]}
    return {"statusCode": 200, "body": "ok"}
