import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen


def verify_slack_signature(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit():
        return False
    if time.time() - int(timestamp) > 60 * 5:
        return False
    sig_basestring = f"v0:{timestamp}:{body}"
    my_signature = "v0=" + hmac.new(
        os.environ["SLACK_SIGNING_SECRET"].encode(), sig_basestring.encode(), hashlib.sha256
    ).hexdigest()
    return hmac.compare_digest(my_signature, headers.get("x-slack-signature", ""))


def lambda_handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not verify_slack_signature(event["headers"], body):
        return {"statusCode": 401, "body": "Verification failed"}
    form = dict(parse_qsl(body))
    text = f"Starting {form['text']}, as <@{form['user_id']}> asked"
    urlopen(Request(form["response_url"], json.dumps({"text": text}).encode()))
    return {"statusCode": 200, "body": ""}
