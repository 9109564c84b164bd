import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

sqs = boto3.client("sqs")



CHECKS = [
    ("timestamp", lambda r: r["stamp"].isascii() and r["stamp"].isdigit() and len(r["stamp"]) < 12),
    ("age", lambda r: abs(time.time() - int(r["stamp"])) <= 300),
    ("secret", lambda r: len(r["secret"]) >= 16),
    ("signature", lambda r: hmac.compare_digest(mac(r).encode(), r["given"].encode())),
]


def mac(r):
    return "v0=" + hmac.new(r["secret"].encode(), b"v0:" + r["stamp"].encode() + b":" + r["raw"], hashlib.sha256).hexdigest()


def handler(event, context):
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    request = {
        "raw": base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
        "stamp": headers.get("x-slack-request-timestamp", ""),
        "given": headers.get("x-slack-signature", ""),
        "secret": os.environ.get("SLACK_SIGNING_SECRET", ""),
    }
    failed = next((name for name, passes in CHECKS if not passes(request)), None)
    if failed:
        print(json.dumps({"level": "WARN", "failed": failed}))
        return {"statusCode": 401, "body": ""}
    fields = parse_qsl(request["raw"].decode("utf-8", "replace"))
    text = " ".join(value for name, value in fields if name == "text" and value.strip())
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"text": text or "(nothing)"}))
    return {"statusCode": 200, "body": ""}
