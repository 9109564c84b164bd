import json
import os
from urllib.request import Request, urlopen

from slack import signed_only


@signed_only
def handler(event, context):
    message = json.loads(event["body"])
    if message["type"] == "url_verification":
        return {"statusCode": 200, "body": message["challenge"]}
    data = json.dumps({"channel": message["event"]["channel"], "text": "Hello!"}).encode()
    headers = {"Authorization": f"Bearer {os.environ['SLACK_BOT_TOKEN']}", "Content-Type": "application/json"}
    urlopen(Request("https://slack.com/api/chat.postMessage", data, headers))
    return {"statusCode": 200, "body": ""}
