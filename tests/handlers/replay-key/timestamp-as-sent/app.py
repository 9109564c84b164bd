import hashlib
import hmac
import json
import os
import time
from urllib.request import Request, urlopen

import boto3
from botocore.exceptions import ClientError

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


class Inbox:
    """Hands each signed request over once."""

    def __init__(self, secret):
        self.secret = secret.encode()

    def accept(self, headers, body):
        sent = int(headers["x-slack-request-timestamp"])
        digest = hmac.new(self.secret, f"v0:{sent}:{body}".encode(), hashlib.sha256).hexdigest()
        if abs(time.time() - sent) > 300 or not hmac.compare_digest(f"v0={digest}", headers["x-slack-signature"]):
            raise ValueError("not a request of Slack")
        return self.first(headers["x-slack-request-timestamp"] + headers["x-slack-signature"])

    def first(self, key):
        try:
            table.put_item(Item={"id": key}, ConditionExpression="attribute_not_exists(id)")
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


def handler(event, context):
    try:
        is_first = Inbox(os.environ["SLACK_SIGNING_SECRET"]).accept(event["headers"], event["body"])
    except (KeyError, ValueError):
        return {"statusCode": 401}
    message = json.loads(event["body"])
    if is_first and message["type"] == "event_callback":
        data = json.dumps({"channel": message["event"]["channel"], "text": "Once and only once"}).encode()
        headers = {"Authorization": f"Bearer {os.environ['SLACK_BOT_TOKEN']}", "Content-Type": "application/json"}
        urlopen(Request("https://slack.com/api/chat.postMessage", data, headers))
    return {"statusCode": 200, "body": message.get("challenge", "")}
