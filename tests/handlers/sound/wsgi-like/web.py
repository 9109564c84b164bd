import base64
from urllib.parse import parse_qsl


class HTTPError(Exception):
    def __init__(self, status):
        super().__init__(status)
        self.status = status


def abort(status):
    raise HTTPError(status)


class Request:
    def __init__(self, event):
        raw = event.get("body") or ""
        self.method = event["requestContext"]["http"]["method"]
        self.path = event["rawPath"]
        self.headers = event["headers"]
        self.data = base64.b64decode(raw) if event.get("isBase64Encoded") else raw.encode()

    @property
    def form(self):
        return dict(parse_qsl(self.data.decode()))


class App:
    def __init__(self):
        self.hooks = []
        self.routes = {}

    def before_request(self, hook):
        self.hooks.append(hook)
        return hook

    def route(self, method, path):
        return lambda view: self.routes.setdefault((method, path), view)

    def __call__(self, event):
        request = Request(event)
        try:
            for hook in self.hooks:
                hook(request)
            view = self.routes.get((request.method, request.path)) or abort(404)
            return {"statusCode": 200, "body": view(request)}
        except HTTPError as error:
            return {"statusCode": error.status, "body": ""}
