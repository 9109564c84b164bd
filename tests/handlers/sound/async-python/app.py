import asyncio
import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

manager = boto3.client("secretsmanager")


async def secret():
    value = await asyncio.to_thread(manager.get_secret_value, SecretId="slack/signing-secret")
    return value["SecretString"].encode()


async def verified(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    digest = hmac.new(await secret(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}".encode(), headers.get("x-slack-signature", "").encode())


async def main(event):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    if not await verified(event["headers"], body):
        return {"statusCode": 401, "body": ""}
    form = dict(parse_qsl(body.decode()))
    boto3.client("events").put_events(
        Entries=[
            {
                "EventBusName": os.environ["EVENT_BUS"],
                "Source": "slack",
                "DetailType": form["command"],
                "Detail": json.dumps({"text": form["text"]}),
            }
        ]
    )
    return {"statusCode": 200, "body": ""}


def handler(event, context):
    return asyncio.run(main(event))
