import json
from urllib.parse import parse_qs

from bot.security import is_from_slack
from bot.settings import Settings
from bot.work import approve

settings = Settings.load()


def handler(event, context):
    if not is_from_slack(event["headers"], event["body"] or "", settings.secret):
        return {"statusCode": 401, "body": ""}
    payload = json.loads(parse_qs(event["body"])["payload"][0])
    for action in payload["actions"]:
        if action["action_id"] == "approve":
            approve(settings, action["value"], payload["user"]["id"])
    return {"statusCode": 200, "body": ""}
