import hashlib
import hmac
import json
import os
import time
from http.client import HTTPSConnection


def call_slack(method, **arguments):
    connection = HTTPSConnection("slack.com", timeout=2)
    try:
        connection.request(
            "POST",
            f"/api/{method}",
            body=json.dumps(arguments).encode(),
            headers={
                "Authorization": f"Bearer {os.environ['SLACK_BOT_TOKEN']}",
                "Content-Type": "application/json; charset=utf-8",
            },
        )
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def genuine(event):
    stamp = event["headers"].get("x-slack-request-timestamp", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return False
    key = os.environ["SLACK_SIGNING_SECRET"].encode()
    own = hmac.new(key, f"v0:{stamp}:{event['body']}".encode(), hashlib.sha256).hexdigest() if key else ""
    return bool(own) and hmac.compare_digest(
        f"v0={own}".encode(), event["headers"].get("x-slack-signature", "").encode()
    )


def handler(event, context):
    if not genuine(event):
        return {"statusCode": 401}
    message = json.loads(event["body"])
    if message["type"] == "url_verification":
        return {"statusCode": 200, "body": message["challenge"]}
    if message["event"]["type"] == "app_mention":
        call_slack("chat.postMessage", channel=message["event"]["channel"], text="Deploying")
    return {"statusCode": 200}
