import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen

ACCEPT = 300
REMEMBER = 60
remembered = {}


def verify(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > ACCEPT:
        return None
    key = os.environ["SLACK_SIGNING_SECRET"].encode()
    own = "v0=" + hmac.new(key, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return own if hmac.compare_digest(own, headers.get("x-slack-signature", "")) else None


def is_repeated(signature):
    now = time.time()
    for known in [known for known, at in remembered.items() if now - at > REMEMBER]:
        del remembered[known]
    return remembered.setdefault(signature, now) != now or len(remembered) > 10_000


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    signature = verify(event["headers"], body)
    if signature is None:
        return {"statusCode": 401}
    if not is_repeated(signature):
        form = dict(parse_qsl(body))
        urlopen(Request(form["response_url"], json.dumps({"text": f"Paying {form['text']}"}).encode()))
    return {"statusCode": 200, "body": ""}
