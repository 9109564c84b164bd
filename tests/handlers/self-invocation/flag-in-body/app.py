import hashlib
import hmac
import json
import os
import time
import urllib.request

import boto3

lambda_client = boto3.client("lambda")


def verify(event):
    headers, body = event["headers"], event["body"]
    timestamp = headers.get("x-slack-request-timestamp")
    if timestamp is None or abs(time.time() - int(timestamp)) > 300:
        return False
    key = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(key, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))


def work(message):
    data = {"channel": message["event"]["channel"], "text": "Deployed."}
    urllib.request.urlopen(
        urllib.request.Request(
            "https://slack.com/api/chat.postMessage",
            data=json.dumps(data).encode(),
            headers={
                "Authorization": "Bearer " + os.environ["SLACK_BOT_TOKEN"],
                "Content-Type": "application/json",
            },
        )
    )


def handler(event, context):
    message = json.loads(event["body"])
    if message.pop("async", False):
        work(message)
        return {"statusCode": 200}
    if not verify(event):
        return {"statusCode": 401}
    lambda_client.invoke(
        FunctionName=context.function_name,
        InvocationType="Event",
        Payload=json.dumps({"body": json.dumps({**message, "async": True})}),
    )
    return {"statusCode": 200}
