import base64
import hashlib
import hmac
import json
import os
import time
from urllib.parse import parse_qsl

import boto3

SECRET = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["SECRET_ID"])["SecretString"].encode()
states = boto3.client("stepfunctions")


def verified(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    digest = hmac.new(SECRET, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))


def handler(event, context):
    body = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    if not verified(event["headers"], body):
        return {"statusCode": 401}
    states.start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"], input=json.dumps(dict(parse_qsl(body)))
    )
    return {"statusCode": 200, "body": "Started"}
