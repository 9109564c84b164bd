import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

dynamodb = boto3.client("dynamodb")


def verify(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))


def seen(request_id):
    try:
        dynamodb.put_item(
            TableName=os.environ["TABLE_NAME"],
            Item={"id": {"S": request_id}, "ttl": {"N": str(int(time.time()) + 600)}},
            ConditionExpression="attribute_not_exists(id)",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return True
    return False


def lambda_handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not verify(event["headers"], body):
        return {"statusCode": 401}
    if not seen(event["headers"].get("x-amzn-trace-id", context.aws_request_id)):
        boto3.client("lambda").invoke(
            FunctionName=os.environ["WORKER_FUNCTION"],
            InvocationType="Event",
            Payload=json.dumps(dict(parse_qsl(body))),
        )
    return {"statusCode": 200, "body": ""}
