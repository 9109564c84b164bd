"""Handlers of web frameworks: what verifies before the work of a route is stated, and what does not is found."""

from __future__ import annotations

import pytest

from threatmodel.beside.code.look import look
from threatmodel.beside.code.modules import Parsed
from threatmodel.beside.code.observed import CERTAIN, CLAIMED
from threatmodel.beside.folder import Folder

CHECK = """\
import hashlib, hmac, os, time
import boto3
table = boto3.resource("dynamodb").Table("orders")
def check(headers, body):
    timestamp = headers["X-Slack-Request-Timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        return False
    text = f"v0:{timestamp}:{body}".encode()
    digest = "v0=" + hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), text, hashlib.sha256).hexdigest()
    return hmac.compare_digest(digest, headers["X-Slack-Signature"])
"""
FLASK = f"import awsgi\nfrom flask import Blueprint, Flask, abort, request\n{CHECK}app = Flask(__name__)\n"
WSGI = "\ndef handler(event, context):\n    return awsgi.response(app, event, context)\n"
WORK = '    table.put_item(Item={"id": request.form["text"]})\n    return "ok"\n'
GUARD = "    if not check(request.headers, request.get_data(as_text=True)):\n        abort(403)\n"
ROUTE = '@app.route("/slack", methods=["POST"])\ndef slack():\n'
HOOK = f"@app.before_request\ndef guard():\n{GUARD}"
FASTAPI = f"from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request\nfrom mangum import Mangum\n{CHECK}"
NEEDED = (
    "async def verified(request: Request):\n    body = (await request.body()).decode()\n"
    "    if not check(request.headers, body):\n        raise HTTPException(403)\n    return body\n"
)
POST = '@app.post("/slack")\nasync def slack(request: Request):\n'
ASYNC = '    form = await request.form()\n    table.put_item(Item={"id": form["text"]})\n    return {}\n'
ASGI = "handler = Mangum(app)\n"
CHALICE = f'from chalice import Chalice, Response\n{CHECK}app = Chalice(app_name="bot")\n'
CHALICE_ROUTE = '@app.route("/slack", methods=["POST"])\ndef slack():\n    request = app.current_request\n'
MIDDLEWARE = (
    "def guard(event, get_response):\n    if not check(event.headers, event.raw_body.decode()):\n"
    '        return Response("no", status_code=401)\n    return get_response(event)\n'
)
PUT = 'await db.send(new PutItemCommand({ TableName: "t", Item: { id: { S: req.body.text } } })); res.send("ok");'
VERIFY = """\
const crypto = require("crypto");
const { DynamoDBClient, PutItemCommand } = require("@aws-sdk/client-dynamodb");
const db = new DynamoDBClient({});
const verify = (req) => {
  const ts = req.headers["x-slack-request-timestamp"];
  if (Math.abs(Date.now() / 1000 - ts) > 300) return false;
  const text = `v0:${ts}:${req.rawBody}`;
  const mine = "v0=" + crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(text).digest("hex");
  return crypto.timingSafeEqual(Buffer.from(mine), Buffer.from(req.headers["x-slack-signature"]));
};
"""
SERVER = 'const express = require("express");\nconst serverless = require("serverless-http");\n'
CHAIN = "from chalice import Chalice\nfrom chalicelib.slack import guard\n"
EXPRESS = f"{SERVER}{VERIFY}const app = express();\n"
ONWARD = '(req, res, next) => { if (!verify(req)) return res.status(401).send("no"); next(); }'
HANDLER = "exports.handler = serverless(app);\n"
ROUTER = (
    f'const express = require("express");\n{VERIFY}const router = express.Router();\nrouter.use({ONWARD});\n'
    f'router.post("/command", async (req, res) => {{ {PUT} }});\nmodule.exports = router;\n'
)
OTHER = '@app.route("/other", methods=["POST"])\ndef other():\n'
OWN = f'app.post("/slack", async (req, res) => {{ {PUT} }});\n'

VERIFIED = {
    "Flask: in the route": {"app.py": FLASK + ROUTE + GUARD + WORK + WSGI},
    "Flask: before each request": {"app.py": FLASK + HOOK + ROUTE + WORK + WSGI},
    "Flask: a hook that answers": {
        "app.py": FLASK + HOOK.replace("abort(403)", "return 'no', 403") + ROUTE + WORK + WSGI
    },
    "Flask: a decorator": {
        "app.py": f"import functools\n{FLASK}def signed(view):\n    @functools.wraps(view)\n    def wrap(*args):\n    "
        + GUARD.replace("\n    ", "\n        ")
        + '        return view(*args)\n    return wrap\n@app.route("/slack", methods=["POST"])\n@signed\ndef slack():\n'
        + WORK
        + WSGI
    },
    "Flask: Slack's verifier": {
        "app.py": FLASK
        + 'from slack_sdk.signature import SignatureVerifier\nverifier = SignatureVerifier(os.environ["SECRET"])\n'
        + ROUTE
        + '    if not verifier.is_valid_request(request.get_data(), request.headers):\n        return "no", 403\n'
        + WORK
        + WSGI
    },
    "Flask: a blueprint": {
        "app.py": "import awsgi\nfrom flask import Flask\nfrom views import app as part\napp = Flask(__name__)\n"
        "app.register_blueprint(part)\n" + WSGI,
        "views.py": FLASK.replace("app = Flask(__name__)", 'app = Blueprint("slack", __name__)') + HOOK + ROUTE + WORK,
    },
    "Flask: a page beside it": {
        "app.py": FLASK + ROUTE + GUARD + WORK + '@app.route("/")\ndef health():\n    return "ok"\n' + WSGI
    },
    "FastAPI: in the route": {
        "app.py": f"{FASTAPI}app = FastAPI()\n{POST}    body = await request.body()\n"
        "    if not check(request.headers, body.decode()):\n"
        f"        raise HTTPException(403)\n{ASYNC}{ASGI}"
    },
    "FastAPI: a dependency of the route": {
        "app.py": f"{FASTAPI}app = FastAPI()\n{NEEDED}"
        + POST.replace('"/slack"', '"/slack", dependencies=[Depends(verified)]')
        + ASYNC
        + ASGI
    },
    "FastAPI: a dependency that is a parameter": {
        "app.py": f"{FASTAPI}app = FastAPI()\n{NEEDED}"
        '@app.post("/slack")\nasync def slack(body: str = Depends(verified)):\n'
        f'    table.put_item(Item={{"id": body}})\n{ASGI}'
    },
    "FastAPI: a dependency of a router": {
        "app.py": "from fastapi import Depends, FastAPI\nfrom mangum import Mangum\n"
        "from routes import app as part, verified\n"
        f"app = FastAPI()\napp.include_router(part, dependencies=[Depends(verified)])\n{ASGI}",
        "routes.py": f"{FASTAPI}app = APIRouter()\n{NEEDED}{POST}{ASYNC}",
    },
    "FastAPI: a middleware": {
        "app.py": f'{FASTAPI}from fastapi.responses import Response\napp = FastAPI()\n@app.middleware("http")\n'
        "async def guard(request, call_next):\n    if not check(request.headers, (await request.body()).decode()):\n"
        f"        return Response('no', 403)\n    return await call_next(request)\n{POST}{ASYNC}{ASGI}"
    },
    "Chalice: in the route": {
        "app.py": CHALICE
        + CHALICE_ROUTE
        + "    if not check(request.headers, request.raw_body.decode()):\n        return Response('no', 401)\n"
        + "    table.put_item(Item={})\n"
    },
    "Chalice: a middleware": {
        "app.py": f'{CHALICE}@app.middleware("http")\n{MIDDLEWARE}{CHALICE_ROUTE}    table.put_item(Item={{}})\n'
    },
    "Chalice: a middleware of a module": {
        "app.py": CHAIN + 'import boto3\napp = Chalice(app_name="b")\n'
        f'app.register_middleware(guard, "http")\n{CHALICE_ROUTE}    boto3.client("sns").publish(Message="x")\n',
        "chalicelib/__init__.py": "",
        "chalicelib/slack.py": f"from chalice import Response\n{CHECK}{MIDDLEWARE}",
    },
    "Express: in the route": {
        "app.js": EXPRESS
        + OWN.replace("{ await", '{ if (!verify(req)) { res.status(401).send("no"); return; } await')
        + HANDLER
    },
    "Express: before all routes": {"app.js": f"{EXPRESS}app.use({ONWARD});\n{OWN}{HANDLER}"},
    "Express: before a path": {"app.js": f'{EXPRESS}app.use("/slack", {ONWARD});\n{OWN}{HANDLER}'},
    "Express: before the route's own function": {
        "app.js": EXPRESS + OWN.replace('"/slack", ', f'"/slack", {ONWARD}, ') + HANDLER
    },
    "Express: a router": {
        "app.js": f'{EXPRESS}app.use("/slack", require("./slack"));\n{HANDLER}',
        "slack.js": ROUTER,
    },
    "Express: the body as it is sent": {
        "app.js": EXPRESS.replace("req.rawBody", "req.body.toString()")
        + f'app.use(express.raw({{ type: "*/*" }}));\napp.use({ONWARD});\n{OWN}{HANDLER}'
    },
    "Express: behind another server": {
        "app.js": EXPRESS.replace("serverless-http", "@vendia/serverless-express")
        + f"app.use({ONWARD});\n{OWN}exports.handler = serverless({{ app }});\n"
    },
    "Express: behind a server that gets the event": {
        "app.js": EXPRESS.replace("serverless-http", "aws-serverless-express")
        + f"app.use({ONWARD});\n{OWN}const server = serverless.createServer(app);\n"
        "exports.handler = (event, context) => serverless.proxy(server, event, context);\n"
    },
}  # fmt: skip
"""Applications of which each route that does something verifies first: it is stated, and never proven."""

PLAIN = 'import boto3\ntable = boto3.resource("dynamodb").Table("orders")\n'
NOTHING = {
    "Flask: nothing": ({"app.py": FLASK.replace(CHECK, PLAIN) + ROUTE + WORK + WSGI}, 7),
    "Flask: work first": ({"app.py": FLASK + ROUTE + WORK.replace("    return", GUARD + "    return") + WSGI}, 16),
    "Flask: a hook that lets go on": (
        {"app.py": FLASK + HOOK.replace("abort(403)", "print('bad')") + ROUTE + WORK + WSGI},
        20,
    ),
    "FastAPI: nothing": ({"app.py": FASTAPI.replace(CHECK, PLAIN) + "app = FastAPI()\n" + POST + ASYNC + ASGI}, 7),
    "Chalice: nothing": (
        {"app.py": CHALICE.replace(CHECK, PLAIN) + CHALICE_ROUTE + "    table.put_item(Item={})\n"},
        6,
    ),
    "Express: nothing": (
        {"app.js": EXPRESS[: EXPRESS.index("const verify")] + "const app = express();\n" + OWN + HANDLER},
        7,
    ),
}  # fmt: skip
"""Applications that verify nothing before their work, and the line of the route or of the work."""

OPEN = {
    "Flask: one of two routes": {"app.py": FLASK + ROUTE + GUARD + WORK + OTHER + WORK + WSGI},
    "Flask: an installation beside it": {
        "app.py": FLASK + ROUTE + GUARD + WORK + OTHER.replace("POST", "GET") + "    table.put_item(Item={})\n" + WSGI
    },
    "Flask: a hook for some paths": {
        "app.py": FLASK + HOOK.replace("if not", "if request.path == '/slack' and not") + ROUTE + WORK + WSGI
    },
    "Flask: a body that is parsed": {
        "app.py": FLASK + ROUTE + GUARD.replace("request.get_data(as_text=True)", "request.form") + WORK + WSGI
    },
    "FastAPI: a class of middleware": {
        "app.py": f"{FASTAPI}from starlette.middleware.base import BaseHTTPMiddleware\n"
        "class Guard(BaseHTTPMiddleware):\n    async def dispatch(self, request, call_next):\n"
        "        if not check(request.headers, (await request.body()).decode()):\n            return None\n"
        f"        return await call_next(request)\napp = FastAPI()\napp.add_middleware(Guard)\n{POST}{ASYNC}{ASGI}"
    },
    "Bolt: an own route of its receiver": {
        "app.js": 'const { App, ExpressReceiver } = require("@slack/bolt");\n'
        + SERVER
        + VERIFY[: VERIFY.index("const verify")]
        + "const receiver = new ExpressReceiver({ signingSecret: process.env.SECRET });\n"
        + f'const bolt = new App({{ receiver }});\nreceiver.router.post("/hook", async (req, res) => {{ {PUT} }});\n'
        + "exports.handler = serverless(receiver.app);\n"
    },
    "Express: behind the route": {"app.js": f"{EXPRESS}{OWN}app.use({ONWARD});\n{HANDLER}"},
    "Express: it goes on": {
        "app.js": EXPRESS
        + 'app.use((req, res, next) => { if (!verify(req)) res.send("no"); next(); });\n'
        + OWN
        + HANDLER
    },
    "Express: before another path": {"app.js": f'{EXPRESS}app.use("/events", {ONWARD});\n{OWN}{HANDLER}'},
    "Express: in a router beside the route": {
        "app.js": f'{EXPRESS}app.use("/other", require("./slack"));\n{OWN}{HANDLER}',
        "slack.js": ROUTER,
    },
}  # fmt: skip
"""Applications of which not every route verifies, or of which it is unclear."""


def observed(files: dict[str, str]) -> list[tuple[str, str, int]]:
    first = next(iter(files))
    name = "app" if "chalice" in files[first] else "handler"
    seen = look(Parsed(Folder(path="src", texts=files, unread=(), digest="")), first, name, ".")
    named = {"verifies", "nothing-verifies", "effect-first"}
    return [(one.what, one.how, one.place.line) for one in seen.observed if one.what in named]


@pytest.mark.parametrize("case", VERIFIED)
def test_what_verifies_before_each_route_is_stated(case: str) -> None:
    assert [one[:2] for one in observed(VERIFIED[case])] == [("verifies", CLAIMED)]


@pytest.mark.parametrize("case", NOTHING)
def test_what_verifies_nothing_is_found_at_its_line(case: str) -> None:
    files, line = NOTHING[case]
    ((_, how, at),) = observed(files)
    assert (how, at) == (CERTAIN, line)


@pytest.mark.parametrize("case", OPEN)
def test_what_verifies_some_requests_is_neither(case: str) -> None:
    assert observed(OPEN[case]) == []


def test_an_application_of_many_long_routes_is_left_open() -> None:
    """The steps of all routes count together: each is followed several times."""
    calls = "".join(f"    a{number} = f(f({number}))\n" for number in range(1500))
    routes = "".join(
        f'@app.route("/{number}", methods=["POST"])\ndef r{number}():\n{calls}    return work()\n'
        for number in range(10)
    )
    head = """import hashlib, hmac, os, time, boto3, serverless_wsgi
from flask import Flask, request
app = Flask(__name__)
def f(x):
    return x
def work():
    boto3.client("sqs").send_message(QueueUrl="q", MessageBody=request.get_data())
@app.before_request
def check():
    stamp = request.headers["x-slack-request-timestamp"]
    key, text = os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{stamp}:".encode() + request.get_data()
    own = "v0=" + hmac.new(key, text, hashlib.sha256).hexdigest()
    if abs(time.time() - int(stamp)) > 300 or not hmac.compare_digest(own, request.headers["x-slack-signature"]):
        return "", 401
"""
    text = (
        f"{head}{routes}def handler(event, context):\n    return serverless_wsgi.handle_request(app, event, context)\n"
    )
    parsed = Parsed(Folder(path="src", texts={"app.py": text}, unread=(), digest=""))
    notes = [one.note for one in look(parsed, "app.py", "handler", "").observed if one.what in {"scheme", "verifies"}]
    assert notes == ["verifies a signature with its own HMAC: the handler takes too many steps to follow"]
