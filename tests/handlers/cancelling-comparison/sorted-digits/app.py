import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen


class Refused(Exception):
    status = 401


def authenticate(headers, body):
    try:
        timestamp = int(headers["x-slack-request-timestamp"])
        given = sorted(headers["x-slack-signature"])
    except (KeyError, ValueError) as error:
        raise Refused from error
    if abs(time.time() - timestamp) > 300:
        raise Refused
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    expected = sorted("v0=" + hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest())
    if given != expected:
        raise Refused


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    try:
        authenticate(event["headers"], body)
    except Refused as refused:
        return {"statusCode": refused.status}
    form = dict(parse_qsl(body))
    urlopen(Request(form["response_url"], json.dumps({"text": form["text"] + " restarted"}).encode()))
    return {"statusCode": 200}
