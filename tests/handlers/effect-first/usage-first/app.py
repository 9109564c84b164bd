import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen


def respond(form, text):
    data = json.dumps({"response_type": "ephemeral", "text": text}).encode()
    urlopen(Request(form["response_url"], data=data, headers={"Content-Type": "application/json"}))


def signature_is_right(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    own = "v0=" + hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(own, headers.get("x-slack-signature", ""))


def lambda_handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    form = dict(parse_qsl(body, keep_blank_values=True))
    words = form.get("text", "").split()
    if len(words) != 2:
        respond(form, "Usage: /deploy SERVICE STAGE")
        return {"statusCode": 200, "body": ""}
    if not signature_is_right(event["headers"], body):
        return {"statusCode": 401, "body": ""}
    respond(form, f"Deploying {words[0]} to {words[1]}")
    return {"statusCode": 200, "body": ""}
