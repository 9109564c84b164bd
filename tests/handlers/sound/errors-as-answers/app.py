import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

sqs = boto3.client("sqs")



class HttpError(Exception):
    status = 500


class Unauthorized(HttpError):
    status = 401


class BadRequest(HttpError):
    status = 400


def check(request):
    headers, raw = request["headers"], request["raw"]
    try:
        stamp, given = headers["x-slack-request-timestamp"], headers["x-slack-signature"]
    except KeyError as missing:
        raise Unauthorized(f"{missing} is missing") from None
    if not stamp.isdecimal() or not stamp.isascii():
        raise BadRequest("timestamp")
    if abs(time.time() - int(stamp[:12])) > 300:
        raise Unauthorized("age")
    own = hmac.new(request["secret"].encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v0={own}".encode(), given.encode()):
        raise Unauthorized("signature")


def handler(event, context):
    secret = os.environ.get("SLACK_SIGNING_SECRET")
    if not secret:
        raise RuntimeError("SLACK_SIGNING_SECRET is not set")
    try:
        body = event.get("body") or ""
        raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        check({"headers": headers, "raw": raw, "secret": secret})
        form = dict(parse_qsl(raw.decode("utf-8", "strict")))
        sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"text": form.get("text")}))
    except HttpError as error:
        return {"statusCode": error.status, "body": str(error)}
    except UnicodeDecodeError:
        return {"statusCode": 400, "body": "not UTF-8"}
    return {"statusCode": 200, "body": ""}
