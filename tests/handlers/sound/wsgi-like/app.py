import hashlib
import hmac
import json
import os
import time
from urllib.request import Request as Outgoing
from urllib.request import urlopen

from web import App, abort

app = App()


@app.before_request
def verify(request):
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    secret = os.environ.get("SLACK_SIGNING_SECRET", "")
    if not secret or not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        abort(401)
    base = b"v0:" + timestamp.encode() + b":" + request.data
    own = f"v0={hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()}"
    if not hmac.compare_digest(own.encode(), request.headers.get("x-slack-signature", "").encode()):
        abort(401)


@app.route("POST", "/slack")
def deploy(request):
    data = json.dumps({"text": f"Deploying {request.form['text']}"}).encode()
    urlopen(Outgoing(request.form["response_url"], data, {"Content-Type": "application/json"}))
    return ""


def handler(event, context):
    return app(event)
