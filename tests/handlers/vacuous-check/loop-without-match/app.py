import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen

SCHEMES = {"v0": hashlib.sha256}


def header(event, name):
    values = {key.lower(): value for key, value in event["multiValueHeaders"].items()}
    return values.get(name, [])


def check(event):
    signatures = header(event, "x-slack-signature")
    timestamps = header(event, "x-slack-request-timestamp")
    if len(signatures) != 1 or len(timestamps) != 1:
        return False
    if abs(time.time() - int(timestamps[0])) > 300:
        return False
    base = f"v0:{timestamps[0]}:{event['body']}".encode()
    for version, algorithm in SCHEMES.items():
        if signatures[0].startswith(f"{version}="):
            digest = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), base, algorithm).hexdigest()
            if not hmac.compare_digest(f"{version}={digest}", signatures[0]):
                return False
    return True


def handler(event, context):
    if not check(event):
        return {"statusCode": 401, "body": ""}
    form = dict(parse_qsl(event["body"]))
    reply = json.dumps({"response_type": "in_channel", "text": f"Deploying {form['text']}"})
    urlopen(Request(form["response_url"], reply.encode(), {"Content-Type": "application/json"}))
    return {"statusCode": 200, "body": ""}
