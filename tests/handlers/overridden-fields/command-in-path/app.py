import os

import boto3

from routing import Resolver, slack_signature

app = Resolver()
app.use(slack_signature(os.environ["SLACK_SIGNING_SECRET"]))
codebuild = boto3.client("codebuild")
sqs = boto3.client("sqs")


@app.post("/slack")
@app.post("/slack/commands")
def command(request):
    return run(request, request.form.get("command", "").lstrip("/"))


@app.post("/slack/commands/<name>")
def named(request, name):
    return run(request, name)


def run(request, name):
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=f"{name} for {request.form.get('user_id')}")
    return 200, f"{name} was started"


def handler(event, context):
    return app.resolve(event)
