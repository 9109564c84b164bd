import datetime
import hashlib
import hmac
import json
import os

import boto3

UTC = datetime.timezone.utc
sns = boto3.client("sns")


def seconds_of_day(moment):
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def accepted(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit():
        return False
    sent = datetime.datetime.fromtimestamp(int(timestamp), UTC)
    now = datetime.datetime.now(UTC)
    if abs(seconds_of_day(now) - seconds_of_day(sent)) > 300:
        return False
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return hmac.compare_digest("v0=" + mac.hexdigest(), headers.get("x-slack-signature", ""))


def handler(event, context):
    if not accepted(event["headers"], event["body"]):
        return {"statusCode": 401}
    message = json.loads(event["body"])
    if message["type"] == "event_callback":
        sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(message["event"]))
    return {"statusCode": 200, "body": message.get("challenge", "")}
