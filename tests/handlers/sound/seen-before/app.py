import hashlib
import hmac
import json
import os
import time
from urllib.request import Request, urlopen

import boto3

dynamodb = boto3.client("dynamodb")


def verified(event):
    timestamp = event["headers"].get("x-slack-request-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
        return None
    secret = os.environ["SLACK_SIGNING_SECRET"]
    if not secret:
        return None
    base = f"v0:{timestamp}:{event['body']}".encode()
    own = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return own if hmac.compare_digest(own.encode(), event["headers"].get("x-slack-signature", "").encode()) else None


def is_first(signature):
    try:
        dynamodb.put_item(
            TableName=os.environ["TABLE_NAME"],
            Item={"id": {"S": signature}, "expires": {"N": str(int(time.time()) + 900)}},
            ConditionExpression="attribute_not_exists(id)",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def handler(event, context):
    signature = verified(event)
    if signature is None:
        return {"statusCode": 401}
    message = json.loads(event["body"])
    if message["type"] == "url_verification":
        return {"statusCode": 200, "body": message["challenge"]}
    if is_first(signature):
        data = json.dumps({"channel": message["event"]["channel"], "text": "Done"}).encode()
        headers = {"Authorization": f"Bearer {os.environ['SLACK_BOT_TOKEN']}", "Content-Type": "application/json"}
        urlopen(Request("https://slack.com/api/chat.postMessage", data, headers))
    return {"statusCode": 200}
