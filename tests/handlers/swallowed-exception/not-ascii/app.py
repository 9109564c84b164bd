import base64
import hashlib
import hmac
import json
import logging
import os
import time
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen

logger = logging.getLogger(__name__)
logger.addHandler(logging.NullHandler())
logger.propagate = False


class BadSignature(Exception):
    pass


def verify(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        raise BadSignature("timestamp")
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", "")):
        raise BadSignature("signature")


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    try:
        verify(event["headers"], body)
    except BadSignature as error:
        return {"statusCode": 401, "body": str(error)}
    except Exception:
        logger.exception("unexpected")
    form = dict(parse_qsl(body))
    urlopen(Request(form["response_url"], json.dumps({"text": f"Deploying {form['text']}"}).encode()))
    return {"statusCode": 200, "body": ""}
