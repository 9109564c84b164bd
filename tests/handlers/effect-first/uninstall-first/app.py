import hashlib
import hmac
import json
import os
import time

import boto3

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


def forget(team):
    """Slack revokes the secret with the app, so that what comes last may not verify."""
    dynamodb.delete_item(TableName=os.environ["TABLE_NAME"], Key={"team": {"S": team}})


def verify(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    digest = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return hmac.compare_digest("v0=" + digest.hexdigest(), headers.get("x-slack-signature", ""))


def handler(event, context):
    message = json.loads(event["body"])
    kind = message.get("event", {}).get("type")
    if kind in ("app_uninstalled", "tokens_revoked"):
        forget(message["team_id"])
        return {"statusCode": 200}
    if not verify(event["headers"], event["body"]):
        return {"statusCode": 401}
    if kind == "app_mention":
        sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(message["event"]))
    return {"statusCode": 200, "body": message.get("challenge", "")}
