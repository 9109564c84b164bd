import json
import os

import boto3

from router import Router

router = Router(os.environ["SLACK_SIGNING_SECRET"])
states = boto3.client("stepfunctions")


@router.post("/slack/commands")
def command(form):
    states.start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"],
        input=json.dumps({"command": form["command"], "text": form["text"], "user": form["user_id"]}),
    )
    return f"Started {form['text']}"


@router.post("/slack/options")
def options(form):
    return json.dumps({"options": []})


handler = router.handle
