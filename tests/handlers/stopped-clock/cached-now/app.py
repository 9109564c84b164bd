import json
import os

import boto3

from signing import verify


def handler(event, context):
    if not verify(event["headers"], event["body"]):
        return {"statusCode": 401}
    message = json.loads(event["body"])
    if message["type"] == "url_verification":
        return {"statusCode": 200, "body": message["challenge"]}
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(message["event"]))
    return {"statusCode": 200}
