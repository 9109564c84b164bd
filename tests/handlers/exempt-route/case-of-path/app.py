import hmac
import json
import os
import re
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen

PROTECTED = re.compile(r"^/slack/")


class Router:
    def __init__(self):
        self.routes = []

    def route(self, pattern):
        def register(function):
            self.routes.append((re.compile(pattern, re.IGNORECASE), function))
            return function

        return register

    def dispatch(self, event):
        for pattern, function in self.routes:
            if pattern.fullmatch(event["path"]):
                return function(event)
        return {"statusCode": 404, "body": "not found"}


router = Router()


@router.route(r"/slack/commands/?")
def command(event):
    form = dict(parse_qsl(event["body"]))
    message = {"response_type": "ephemeral", "text": f"{form['text']}: started by {form['user_name']}"}
    urlopen(Request(form["response_url"], json.dumps(message).encode()))
    return {"statusCode": 200, "body": ""}


@router.route(r"/status")
def status(event):
    return {"statusCode": 200, "body": "up"}


def signed(event):
    headers = {name.title(): value for name, value in event["headers"].items()}
    sent = headers.get("X-Slack-Request-Timestamp", "")
    if not re.fullmatch("[0-9]{1,12}", sent) or abs(time.time() - int(sent)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    own = "v0=" + hmac.new(secret, f"v0:{sent}:{event['body']}".encode(), "sha256").hexdigest()
    return hmac.compare_digest(own, headers.get("X-Slack-Signature", ""))


def handler(event, context):
    if PROTECTED.match(event["path"]) and not signed(event):
        return {"statusCode": 401, "body": ""}
    return router.dispatch(event)
