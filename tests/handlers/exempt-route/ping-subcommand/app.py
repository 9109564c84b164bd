from slack_request import SlackRequest
from work import start

PUBLIC = {"/ping", "/about"}


def handler(event, context):
    request = SlackRequest.parse(event)
    if request.command not in PUBLIC and not request.verified():
        return {"statusCode": 401, "body": "signature"}
    match request.form.get("text", "").split():
        case [service, stage]:
            start(service, stage, request.form["user_id"])
            return {"statusCode": 200, "body": f"{service} goes to {stage}"}
        case _:
            return {"statusCode": 200, "body": "pong"}
