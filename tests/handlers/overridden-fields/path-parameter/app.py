import base64
import hashlib
import hmac
import json
import os
import re
import time
import urllib.parse

import boto3

states = boto3.client("stepfunctions")
PATH = re.compile(r"/slack/actions(?:/(?P<action>[\w-]+))?")


def verify(headers, body):
    stamp = headers.get("x-slack-request-timestamp", "")
    if not re.fullmatch(r"[0-9]+", stamp):
        return False
    if not -300 <= time.time() - int(stamp) <= 300:
        return False
    key = os.environ["SLACK_SIGNING_SECRET"].encode("ascii")
    digest = hmac.digest(key, b"v0:" + stamp.encode("ascii") + b":" + body, "sha256")
    return hmac.compare_digest("v0=" + digest.hex(), headers.get("x-slack-signature", ""))


def handler(event, context):
    match = PATH.fullmatch(event["rawPath"])
    if match is None:
        return {"statusCode": 404}
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    if not verify(event["headers"], body):
        return {"statusCode": 401}
    payload = json.loads(urllib.parse.parse_qs(body.decode())["payload"][0])
    action = match["action"] or payload["actions"][0]["action_id"]
    states.start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"],
        input=json.dumps({"action": action, "value": payload["actions"][0]["value"], "by": payload["user"]["id"]}),
    )
    return {"statusCode": 200}
