import json
import os

import boto3


def start(service, stage, user):
    boto3.client("sns").publish(
        TopicArn=os.environ["TOPIC_ARN"],
        Message=json.dumps({"service": service, "stage": stage, "user": user}),
    )
