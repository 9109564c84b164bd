import base64
import json
import os
from urllib.parse import parse_qsl

import boto3

from security import authentic

events = boto3.client("events")


def command(event, body):
    if not authentic(event["headers"], body):
        return 401, "unauthorized"
    form = dict(parse_qsl(body.decode()))
    events.put_events(
        Entries=[
            {
                "EventBusName": os.environ["EVENT_BUS"],
                "Source": "slack",
                "DetailType": form["command"],
                "Detail": json.dumps({"text": form["text"], "user": form["user_id"]}),
            }
        ]
    )
    return 200, "Thanks"


def health(event, body):
    return 200, "ok"


ROUTES = {("POST", "/slack/commands"): command, ("GET", "/health"): health}


def handler(event, context):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    route = ROUTES.get((method, path))
    if route is None:
        return {"statusCode": 404, "body": "not found"}
    body = base64.b64decode(event["body"]) if event.get("isBase64Encoded") else event.get("body", "").encode()
    status, text = route(event, body)
    return {"statusCode": status, "body": text}
