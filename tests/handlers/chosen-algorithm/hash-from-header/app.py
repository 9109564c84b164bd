import base64
import functools
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

key = os.environ["SLACK_SIGNING_SECRET"].encode()
DIGESTS = {"hmac-sha256": functools.partial(hmac.new, key, digestmod="sha256")}


def digest(name, message):
    make = DIGESTS.get(name) or getattr(hashlib, name)
    return make(message).hexdigest()


def trusted(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    algorithm = headers.get("x-slack-signature-algorithm", "hmac-sha256")
    try:
        expected = digest(algorithm, f"v0:{timestamp}:{body}".encode())
    except (AttributeError, TypeError):
        return False
    return hmac.compare_digest(f"v0={expected}", headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not trusted(event["headers"], body):
        return {"statusCode": 401}
    form = dict(parse_qsl(body))
    boto3.client("events").put_events(
        Entries=[
            {
                "EventBusName": os.environ["EVENT_BUS"],
                "Source": "slack",
                "DetailType": form["command"],
                "Detail": json.dumps(form),
            }
        ]
    )
    return {"statusCode": 200, "body": ""}
