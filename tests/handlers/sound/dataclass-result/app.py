import base64
import json
import os
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

from verification import Refused, verify


def handler(event, context):
    content = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    result = verify(event["headers"], content, os.environ["SLACK_SIGNING_SECRET"])
    if isinstance(result, Refused):
        print("refused:", result.reason)
        return {"statusCode": 401, "body": ""}
    payload = json.loads(parse_qs(result.body.decode())["payload"][0])
    answer = {"replace_original": True, "text": f"<@{payload['user']['id']}> approved"}
    urlopen(Request(payload["response_url"], json.dumps(answer).encode(), {"Content-Type": "application/json"}))
    return {"statusCode": 200, "body": ""}
