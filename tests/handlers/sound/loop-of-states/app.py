import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

sqs = boto3.client("sqs")



def handler(event, context):
    state, raw, headers, stamp = "read", b"", {}, ""
    while True:
        match state:
            case "read":
                headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
                body = event.get("body") or ""
                raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
                stamp = headers.get("x-slack-request-timestamp", "")
                state = "age" if stamp.isascii() and stamp.isdigit() and len(stamp) == 10 else "refused"
            case "age":
                state = "signature" if abs(time.time() - int(stamp)) <= 300 else "refused"
            case "signature":
                secret = os.environ["SLACK_SIGNING_SECRET"]
                own = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
                given = headers.get("x-slack-signature", "")
                state = "work" if secret and hmac.compare_digest(f"v0={own}".encode(), given.encode()) else "refused"
            case "work":
                form = dict(parse_qsl(raw.decode("utf-8", "replace")))
                sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"text": form.get("text")}))
                return {"statusCode": 200, "body": ""}
            case _:
                return {"statusCode": 401, "body": ""}
