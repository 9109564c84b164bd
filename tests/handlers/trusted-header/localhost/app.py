import functools
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qs
from urllib.request import Request, urlopen


def in_development(headers):
    return headers.get("host", "").partition(":")[0] in ("localhost", "127.0.0.1")


def slack_only(function):
    @functools.wraps(function)
    def checked(event, context):
        headers = {name.lower(): value for name, value in event["headers"].items()}
        timestamp = headers.get("x-slack-request-timestamp", "")
        secret = os.environ["SLACK_SIGNING_SECRET"].encode()
        own = "v0=" + hmac.new(secret, f"v0:{timestamp}:{event['body']}".encode(), hashlib.sha256).hexdigest()
        fresh = timestamp.isdigit() and abs(time.time() - int(timestamp)) <= 300
        signed = fresh and hmac.compare_digest(own, headers.get("x-slack-signature", ""))
        if not signed and not in_development(headers):
            return {"statusCode": 401, "body": ""}
        return function(event, context)

    return checked


@slack_only
def handler(event, context):
    form = {name: values[0] for name, values in parse_qs(event["body"]).items()}
    urlopen(Request(form["response_url"], json.dumps({"text": f"Deploying {form['text']}"}).encode()))
    return {"statusCode": 200, "body": ""}
