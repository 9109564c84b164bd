import os

import boto3

from keys import keyring
from verification import verify

sqs = boto3.client("sqs")


def handler(event, context):
    body = verify(event, keyring(os.environ))
    if body is None:
        return {"statusCode": 401, "body": "invalid signature"}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=body)
    return {"statusCode": 200, "body": ""}
