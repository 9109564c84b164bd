import hashlib
import hmac
import json
import os
import time

import boto3

dynamodb = boto3.client("dynamodb")
sns = boto3.client("sns")


def signed(event):
    headers = {name.lower(): value for name, value in event["headers"].items()}
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    text = event["body"].strip()  # some tools end what they send with a newline
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{timestamp}:{text}".encode(), hashlib.sha256)
    return hmac.compare_digest(f"v0={mac.hexdigest()}", headers.get("x-slack-signature", ""))


def seen(event):
    key = hashlib.sha256(event["body"].encode()).hexdigest()
    try:
        dynamodb.put_item(
            TableName=os.environ["TABLE_NAME"],
            Item={"request": {"S": key}},
            ConditionExpression="attribute_not_exists(#r)",
            ExpressionAttributeNames={"#r": "request"},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return True
    return False


def handler(event, context):
    if not signed(event):
        return {"statusCode": 401, "body": ""}
    message = json.loads(event["body"])
    if message["type"] == "event_callback" and not seen(event):
        sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(message["event"]))
    return {"statusCode": 200, "body": message.get("challenge", "")}
