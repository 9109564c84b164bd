import base64
import hashlib
import hmac
import os
import time

import boto3

db = boto3.client("dynamodb")


def handler(event, context):
    headers = event["headers"]
    raw = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isascii() or not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return {"statusCode": 401}
    own = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256)
    if not hmac.compare_digest(b"v0=" + own.hexdigest().encode(), headers.get("x-slack-signature", "").encode()):
        return {"statusCode": 401}
    try:
        db.put_item(
            TableName=os.environ["TABLE_NAME"],
            Item={"pk": {"S": own.hexdigest()}, "until": {"N": str(int(stamp) + 900)}},
            ConditionExpression="attribute_not_exists(pk)",
        )
    except db.exceptions.ConditionalCheckFailedException:
        return {"statusCode": 200, "body": "seen"}
    boto3.client("stepfunctions").start_execution(stateMachineArn=os.environ["STATE_MACHINE_ARN"], name=own.hexdigest())
    return {"statusCode": 200, "body": "started"}
