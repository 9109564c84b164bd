import hashlib, hmac, os, time
import boto3
from botocore.exceptions import ClientError
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
sqs = boto3.client("sqs")

def handler(event, context):
    h = {k.lower(): v.strip() for k, v in event["headers"].items()}
    ts = h.get("x-slack-request-timestamp", "")
    given = h.get("x-slack-signature", "")
    try:
        age = abs(time.time() - int(ts))
        theirs = bytes.fromhex(given.removeprefix("v0="))
    except ValueError:
        return {"statusCode": 401, "body": ""}
    ours = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{ts}:{event['body']}".encode(), hashlib.sha256).digest()
    if age > 300 or not hmac.compare_digest(ours, theirs):
        return {"statusCode": 401, "body": ""}
    try:
        table.put_item(Item={"id": given.lower(), "ttl": int(time.time()) + 900}, ConditionExpression="attribute_not_exists(id)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return {"statusCode": 200, "body": ""}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=event["body"])
    return {"statusCode": 200, "body": ""}
