import json
import os

import boto3


def publish(**message):
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(message))
