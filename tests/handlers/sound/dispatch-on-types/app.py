import base64
import hmac
import json
import os
import time
from dataclasses import dataclass
from functools import singledispatch
from urllib.parse import parse_qsl

import boto3


@dataclass(frozen=True)
class Refused:
    why: str


@dataclass(frozen=True)
class Accepted:
    form: dict


def judge(event):
    headers = event["headers"]
    stamp, sent = headers.get("x-slack-request-timestamp"), headers.get("x-slack-signature")
    if not stamp or not sent or not (stamp.isascii() and stamp.isdigit()):
        return Refused("headers")
    if abs(time.time() - int(stamp)) > 60 * 5:
        return Refused("age")
    body = event.get("body", "")
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    mac = hmac.new(base64.b64decode(os.environ["SIGNING_KEY_B64"]), digestmod="sha256")
    for part in (b"v0", b":", stamp.encode(), b":", raw):
        mac.update(part)
    if not hmac.compare_digest(
        mac.digest(),
        bytes.fromhex(sent[3:])
        if sent.startswith("v0=")
        and len(sent) == 67
        and sent[3:].isalnum()
        and all(c in "0123456789abcdef" for c in sent[3:])
        else b"",
    ):
        return Refused("signature")
    return Accepted(dict(parse_qsl(raw.decode())))


@singledispatch
def answer(verdict):
    raise TypeError(verdict)


@answer.register
def _(verdict: Refused):
    return {"statusCode": 401, "body": "no"}


@answer.register
def _(verdict: Accepted):
    boto3.client("events").put_events(
        Entries=[
            {
                "Source": "slack",
                "DetailType": "command",
                "Detail": json.dumps(verdict.form),
                "EventBusName": os.environ["EVENT_BUS"],
            }
        ]
    )
    return {"statusCode": 200, "body": "ok"}


def handler(event, context):
    return answer(judge(event))
