"""A few lines of what a router does."""
import base64
import hashlib
import hmac
import re
import time
from urllib.parse import parse_qsl


class Request:
    def __init__(self, event):
        http = (event.get("requestContext") or {}).get("http") or {}
        self.method = event.get("httpMethod") or http.get("method") or "POST"
        self.path = event.get("path") or event.get("rawPath") or "/slack/commands"
        self.headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
        body = event.get("body") or ""
        self.raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()

    @property
    def form(self):
        return dict(parse_qsl(self.raw.decode("utf-8", "replace")))


def slack_signature(secret, tolerance=300):
    key = secret.encode()

    def middleware(request, following):
        stamp = request.headers.get("x-slack-request-timestamp", "")
        fresh = stamp.isdecimal() and abs(time.time() - int(stamp)) <= tolerance
        digest = hmac.new(key, b"v0:" + stamp.encode() + b":" + request.raw, hashlib.sha256).hexdigest()
        if key and fresh and hmac.compare_digest(b"v0=" + digest.encode(), request.headers.get("x-slack-signature", "").encode()):
            return following(request)
        return 401, "unauthorized"

    return middleware


class Resolver:
    def __init__(self):
        self.routes, self.middlewares = [], []

    def use(self, middleware):
        self.middlewares.append(middleware)

    def post(self, rule):
        pattern = re.compile(re.sub(r"<(\w+)>", r"(?P<\1>[\\w-]+)", rule) + r"/?")

        def register(function):
            self.routes.append((pattern, function))
            return function

        return register

    def _route(self, request):
        for pattern, function in self.routes:
            match = pattern.fullmatch(request.path)
            if match and request.method == "POST":
                return function(request, **match.groupdict())
        return 404, "not found"

    def resolve(self, event):
        call = self._route
        for middleware in reversed(self.middlewares):
            call = (lambda m, f: lambda request: m(request, f))(middleware, call)
        status, body = call(Request(event))
        return {"statusCode": status, "body": body}
