import hashlib
import hmac
import time
from urllib.parse import parse_qsl


class Router:
    def __init__(self, secret):
        if not secret:
            raise ValueError("an empty signing secret")
        self._secret = secret.encode()
        self._routes = {}

    def post(self, path):
        def register(function):
            self._routes[path] = function
            return function

        return register

    def handle(self, event, context):
        body = event["body"] or ""
        if not self._is_signed(event["headers"], body):
            return {"statusCode": 401, "body": ""}
        route = self._routes.get(event["path"]) if event["httpMethod"] == "POST" else None
        if route is None:
            return {"statusCode": 404, "body": ""}
        return {"statusCode": 200, "body": route(dict(parse_qsl(body)))}

    def _is_signed(self, headers, body):
        lower = {name.lower(): value for name, value in headers.items()}
        timestamp = lower.get("x-slack-request-timestamp", "")
        if not timestamp.isdigit() or not -300 <= time.time() - int(timestamp) <= 300:
            return False
        own = "v0=" + hmac.new(self._secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(own.encode(), lower.get("x-slack-signature", "").encode())
