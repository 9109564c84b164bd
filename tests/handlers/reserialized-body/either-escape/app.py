import hashlib
import hmac
import os
import time
from base64 import b64decode
from urllib.parse import parse_qsl, urlencode

import boto3
from botocore.exceptions import ClientError

SECRET = os.environ["SLACK_SIGNING_SECRET"].encode()
dynamodb = boto3.client("dynamodb")
sns = boto3.client("sns")


def mac(timestamp, body):
    return "v0=" + hmac.new(SECRET, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()


def forms_of(body):
    """The body as it came, and as it was before the proxy wrote its escapes in lower case."""
    yield body
    yield urlencode(parse_qsl(body, keep_blank_values=True))


def genuine(headers, body):
    stamp = headers.get("x-slack-request-timestamp", "")
    if not SECRET or not stamp.isdecimal() or abs(int(stamp) - time.time()) > 300:
        return False
    given = headers.get("x-slack-signature", "")
    return any([hmac.compare_digest(mac(stamp, form).encode(), given.encode()) for form in forms_of(body)])


def first_time(body):
    try:
        dynamodb.put_item(
            TableName=os.environ["TABLE_NAME"],
            Item={"id": {"S": hashlib.sha256(body.encode()).hexdigest()}, "expires": {"N": str(int(time.time()) + 900)}},
            ConditionExpression="attribute_not_exists(id)",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def handler(event, context):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = b64decode(body).decode(errors="replace")
    if not genuine(headers, body):
        return {"statusCode": 403, "body": ""}
    if not first_time(body):
        return {"statusCode": 200, "body": ""}
    fields = dict(parse_qsl(body))
    sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=fields.get("command", "") + " " + fields.get("user_id", ""))
    return {"statusCode": 200, "body": "Done."}
