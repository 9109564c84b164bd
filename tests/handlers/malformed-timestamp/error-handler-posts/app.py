import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qs
from urllib.request import Request, urlopen


def say(url, text):
    urlopen(Request(url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}))


class App:
    def __init__(self):
        self.commands = {}

    def command(self, name):
        return lambda function: self.commands.setdefault(name, function)

    def handle(self, event):
        body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
        form = {name: values[0] for name, values in parse_qs(body).items()}
        try:
            if not self.verified(event["headers"], body):
                return {"statusCode": 401}
            self.commands[form["command"]](form)
        except Exception as error:
            say(form["response_url"], f"`{form['text']}` failed: {error}")
        return {"statusCode": 200}

    def verified(self, headers, body):
        if "x-slack-signature" not in headers and "x-slack-request-timestamp" not in headers:
            return False
        age = time.time() - int(headers["x-slack-request-timestamp"])
        base = f"v0:{headers['x-slack-request-timestamp']}:{body}".encode()
        digest = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), base, hashlib.sha256).hexdigest()
        return abs(age) < 300 and hmac.compare_digest(f"v0={digest}", headers["x-slack-signature"])


app = App()


@app.command("/deploy")
def deploy(form):
    say(form["response_url"], "deploying " + form["text"])


def handler(event, context):
    return app.handle(event)
