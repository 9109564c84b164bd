import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qs, parse_qsl, urlencode

import boto3


def canonical(body):
    """The body without the parameters that our proxy appends."""
    return urlencode({name: values[0] for name, values in parse_qs(body).items()})


def verify(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    base = f"v0:{timestamp}:{canonical(body)}"
    digest = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), base.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not verify(event["headers"], body):
        return {"statusCode": 401}
    form = dict(parse_qsl(body))
    boto3.client("sqs").send_message(
        QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"text": form["text"], "user": form["user_id"]})
    )
    return {"statusCode": 200, "body": "Queued"}
