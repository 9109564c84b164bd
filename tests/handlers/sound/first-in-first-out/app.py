import base64, hashlib, hmac, json, os, time
from urllib.parse import parse_qs
import boto3
from botocore.exceptions import ClientError

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
queue = boto3.client("sqs")


def handler(event, context):
    headers = {k.lower(): v for k, v in event["headers"].items()}
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isdecimal() or not stamp.isascii() or abs(time.time() - int(stamp)) > 300:
        return {"statusCode": 401}
    secret = os.environ.get("SLACK_SIGNING_SECRET")
    if not secret:
        return {"statusCode": 500}
    mine = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(b"v0=" + mine.encode(), headers.get("x-slack-signature", "").encode()):
        return {"statusCode": 401}
    try:
        table.put_item(
            Item={"id": mine, "expires": int(time.time()) + 900}, ConditionExpression="attribute_not_exists(id)"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return {"statusCode": 200, "body": ""}
    fields = {key: values[-1] for key, values in parse_qs(body.decode()).items()}
    queue.send_message(
        QueueUrl=os.environ["QUEUE_URL"],
        MessageBody=json.dumps({"user": fields["user_id"], "text": fields.get("text", "")}),
        MessageGroupId=fields["channel_id"],
        MessageDeduplicationId=mine,
    )
    return {"statusCode": 200, "body": ""}
