import base64
import hashlib
import hmac
import json
import os
import time

import boto3

PREFIX = "SLACK_SIGNING_SECRET"
sqs = boto3.client("sqs")


class Keyring:
    """SLACK_SIGNING_SECRET, and others behind it during a rotation: SLACK_SIGNING_SECRET_2, _3."""

    def __init__(self, environment):
        self.keys = [value.encode() for name, value in environment.items() if name.startswith(PREFIX) and value]

    def fits(self, signed, given):
        return any(hmac.compare_digest(b"v0=" + hmac.new(key, signed, hashlib.sha256).hexdigest().encode(), given) for key in self.keys)


keyring = Keyring(os.environ)
print("rotated by", os.environ.get("SLACK_SIGNING_SECRET_ROTATION", "nobody"))


def handler(event, context):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return {"statusCode": 401}
    if not keyring.fits(b"v0:" + stamp.encode() + b":" + raw, headers.get("x-slack-signature", "").encode()):
        return {"statusCode": 401}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"form": raw.decode("utf-8", "replace")}))
    return {"statusCode": 200, "body": ""}
