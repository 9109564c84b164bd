import hashlib
import hmac
import os
import time
from collections import ChainMap
from urllib.parse import parse_qsl


class Unauthorized(Exception):
    pass


class Request:
    def __init__(self, event):
        self.headers = {name.lower(): value for name, value in event["headers"].items()}
        self.data = event["body"] or ""
        self.args = event["queryStringParameters"] or {}
        self.form = dict(parse_qsl(self.data))
        self.values = ChainMap(self.args, self.form)

    def signed_by_slack(self):
        timestamp = self.headers.get("x-slack-request-timestamp", "")
        if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
            return False
        base = f"v0:{timestamp}:{self.data}".encode()
        digest = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), base, hashlib.sha256).hexdigest()
        return hmac.compare_digest("v0=" + digest, self.headers.get("x-slack-signature", ""))


class App:
    def __init__(self):
        self.hooks = []
        self.routes = {}

    def before_request(self, function):
        self.hooks.append(function)
        return function

    def post(self, path):
        return lambda function: self.routes.setdefault(("POST", path), function)

    def handle(self, event, context):
        request = Request(event)
        route = self.routes.get((event["httpMethod"], event["path"]))
        if route is None:
            return {"statusCode": 404, "body": ""}
        try:
            for hook in self.hooks:
                hook(request)
        except Unauthorized:
            return {"statusCode": 401, "body": ""}
        return {"statusCode": 200, "body": route(request)}
