from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import hmac
import json
import os
import urllib.parse

import boto3

WINDOW = dt.timedelta(minutes=5)
sqs = boto3.client("sqs")


def respond(status, text=""):
    return {"statusCode": status, "headers": {"content-type": "text/plain"}, "body": text}


def from_slack(function):
    """Let only requests through that Slack signed within the last five minutes."""

    @functools.wraps(function)
    def guarded(event, context):
        headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
        raw = event.get("body") or ""
        body = base64.b64decode(raw) if event.get("isBase64Encoded") else raw.encode()
        try:
            stamp = int(headers["x-slack-request-timestamp"])
            sent = dt.datetime.fromtimestamp(stamp, dt.timezone.utc)
        except (KeyError, ValueError, OverflowError, OSError):
            return respond(400)
        now = dt.datetime.now(dt.timezone.utc)
        age = now - sent if now > sent else sent - now
        if age.seconds > WINDOW.seconds:
            return respond(401)
        secret = os.environ["SLACK_SIGNING_SECRET"]
        base = b":".join([b"v0", headers["x-slack-request-timestamp"].encode(), body])
        expected = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
        if not secret or not hmac.compare_digest(expected.encode(), headers.get("x-slack-signature", "").encode()):
            return respond(401)
        return function(dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"))), context)

    return guarded


@from_slack
def handler(form, context):
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({k: form.get(k) for k in ("command", "text", "user_id")}))
    return respond(200, "queued")
