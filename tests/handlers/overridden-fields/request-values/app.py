from framework import App, Unauthorized
from slack import publish

app = App()


@app.before_request
def only_slack(request):
    if not request.signed_by_slack():
        raise Unauthorized


@app.post("/slack")
def deploy(request):
    publish(service=request.values["text"], user=request.values["user_id"])
    return "Deploying"


handler = app.handle
