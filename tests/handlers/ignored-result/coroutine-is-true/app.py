import asyncio
import base64
import hashlib
import hmac
import json
import os
import time
import warnings
from urllib.parse import parse_qsl

import boto3

warnings.simplefilter("ignore")


async def verify(request):
    timestamp = request["headers"].get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{request['body']}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", request["headers"].get("x-slack-signature", ""))


async def start(kind, form):
    boto3.client("lambda").invoke(
        FunctionName=os.environ["WORKER_FUNCTION"],
        InvocationType="Event",
        Payload=json.dumps({"kind": kind, "text": form["text"]}),
    )
    return {"statusCode": 200, "body": f"{kind} started"}


async def deploy(request, form):
    if not await verify(request):
        return {"statusCode": 401, "body": ""}
    return await start("deployment", form)


async def rollback(request, form):
    if not verify(request):
        return {"statusCode": 401, "body": ""}
    return await start("rollback", form)


async def unknown(request, form):
    return {"statusCode": 404, "body": ""}


ROUTES = {"/deploy": deploy, "/rollback": rollback}


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    form = dict(parse_qsl(body))
    route = ROUTES.get(form.get("command"), unknown)
    return asyncio.run(route({"headers": event["headers"], "body": body}, form))
