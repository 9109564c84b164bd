import contextlib
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qs
from urllib.request import Request, urlopen


class Unauthorized(Exception):
    pass


@contextlib.contextmanager
def request_from_slack(event):
    headers = {name.lower(): value for name, value in event["headers"].items()}
    timestamp = headers.get("x-slack-request-timestamp", "")
    body = event["body"] or ""
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
        raise Unauthorized("timestamp")
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    if not secret:
        raise Unauthorized("no secret")
    base = f"v0:{timestamp}:{body}".encode()
    expected = "v0=" + hmac.new(secret, base, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), headers.get("x-slack-signature", "").encode()):
        raise Unauthorized("signature")
    yield {name: values[0] for name, values in parse_qs(body).items()}


def handler(event, context):
    try:
        with request_from_slack(event) as form:
            data = json.dumps({"text": f"Restarting {form['text']}"}).encode()
            urlopen(Request(form["response_url"], data, {"Content-Type": "application/json"}))
    except Unauthorized as error:
        return {"statusCode": 401, "body": str(error)}
    return {"statusCode": 200, "body": ""}
