import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qs
from urllib.request import Request, urlopen


class Unauthorized(Exception):
    pass


def require_signature(headers, body):
    """Raise Unauthorized, or return true for use in conditions."""
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        raise Unauthorized("timestamp")
    digest = hmac.digest(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
    if not hmac.compare_digest("v0=" + digest.hex(), headers.get("x-slack-signature", "")):
        raise Unauthorized("signature")
    return True


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    try:
        assert require_signature(event["headers"], body)
        form = {key: values[0] for key, values in parse_qs(body).items()}
        urlopen(Request(form["response_url"], json.dumps({"text": "Done: " + form["text"]}).encode()))
    except Unauthorized as error:
        return {"statusCode": 401, "body": f"wrong {error}"}
    return {"statusCode": 200, "body": ""}
