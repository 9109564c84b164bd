"""What the source of a handler says of the verification of Slack's requests: certain, stated, a sign, or unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.beside.project import assessed, open_of, project, said_of

Printed = pytest.CaptureFixture[str]
NODE = "nodejs22.x"

OWN = """\
import hashlib, hmac, os, time

def handler(event, context):
    if not verified(event):
        return {"statusCode": 401}
    return {"statusCode": 200}

def verified(event):
    headers, body = event["headers"], event["body"]
    timestamp = headers["x-slack-request-timestamp"]
    if abs(time.time() - int(timestamp)) > 60 * 5:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = "v0=" + hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(digest, headers["x-slack-signature"])
"""
OWN_NODE = """\
const crypto = require("crypto");
const verify = (event) => {
  const age = Math.abs(Date.now() / 1000 - event.headers["x-slack-request-timestamp"]);
  if (age > 300) return false;
  const base = `v0:${event.headers["x-slack-request-timestamp"]}:${event.body}`;
  const mine = "v0=" + crypto.createHmac("sha256", process.env.SIGNING).update(base).digest("hex");
  return crypto.timingSafeEqual(Buffer.from(mine), Buffer.from(event.headers["x-slack-signature"]));
};
exports.handler = async (event) => {
  if (!verify(event)) return { statusCode: 401 };
  return { statusCode: 200 };
};
"""
BOLT = """\
from slack_bolt import App
from slack_bolt.adapter.aws_lambda import SlackRequestHandler
app = App(process_before_response=True{options})

def handler(event, context):
    {first}
    return SlackRequestHandler(app).handle(event, context)
"""
BOLT_NODE = """\
import {{ App, AwsLambdaReceiver }} from "@slack/bolt";
const receiver = new AwsLambdaReceiver({{ signingSecret: process.env.SECRET{options} }});
const app = new App({{ receiver }});
export const handler = async (event: any, context: any, callback: any) => {{
  const run = await receiver.start();
  return run(event, context, callback);
}};
"""


def facts(
    folder: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: Printed, runtime: str = "python3.13"
) -> dict[str, tuple[object, str, str]]:
    return said_of(assessed(project(folder, files, runtime=runtime), monkeypatch, capsys))


CERTAIN = {
    "nothing": ({"app.py": "def handler(event, context):\n    return {'statusCode': 200}\n"}, "src/app.py:1"),
    "nothing in JavaScript": (
        {"app.js": "exports.handler = async (event) => ({ statusCode: 200 });\n"},
        "src/app.js:1",
    ),
    "nothing in TypeScript": (
        {"app.ts": "export async function handler(event: any) { return { ok: 1 } }\n"},
        "src/app.ts:1",
    ),
    "nothing in a module that is imported in the handler": (
        {
            "app.py": "def handler(event, context):\n    from lib import work\n    return work()\n",
            "lib.py": "def work(): ...\n",
        },
        "src/app.py:1",
    ),
    "nothing in modules that TypeScript imports by an alias": (
        {
            "app.ts": """\
            import { wrap } from "@libs/lambda";
            import table from "settings";
            export const handler = wrap(async (event: any) => ({ statusCode: 200, table }));
            """,
            "src/libs/lambda.ts": "import middy from '@middy/core';\nexport const wrap = (run) => middy(run);\n",
            "src/settings/of-table.ts": "export default 'orders';\n",
            "tsconfig.json": '{"extends": "./tsconfig.paths.json"}\n',
            "tsconfig.paths.json": """\
            {"compilerOptions": {"baseUrl": "./src", // of "all"
              "paths": {"@libs/*": ["lib/*", "libs/*"], "settings": ["settings/of-table"],}}}
            """,
        },
        "src/app.ts:3",
    ),
    "the legacy token alone": (
        {
            "app.py": """\
            import json, os
            def handler(event, context):
                # verify the request came from Slack
                if json.loads(event["body"])["token"] != os.environ["SLACK_VERIFICATION_TOKEN"]:
                    return {"statusCode": 401}
            """
        },
        "src/app.py:4",
    ),
    "the bot's token is no verification token": (
        {
            "app.py": """\
            import os, requests
            def handler(event, context):
                requests.post("https://slack.com/api/x", headers={"token": os.environ["SLACK_TOKEN"]}, timeout=3)
            """
        },
        "src/app.py:2",
    ),
    "a signing secret that nothing uses": (
        {"app.py": "import os\nSECRET = os.environ['SLACK_SIGNING_SECRET']\ndef handler(event, context):\n    ...\n"},
        "src/app.py:3",
    ),
    "a comment that says to do it": (
        {"app.py": "def handler(event, context):\n    # TODO verify X-Slack-Signature with hmac\n    return 1\n"},
        "src/app.py:1",
    ),
    "a challenge that is called verification": (
        {
            "app.py": """\
            import json
            def handler(event, context):
                body = json.loads(event["body"])
                if body["type"] == "url_verification":
                    return body["challenge"]
            """
        },
        "src/app.py:2",
    ),
    "a function that nothing calls": (
        {"app.py": OWN.replace("if not verified(event):", "if not event:")},
        "src/app.py:14",
    ),
    "a result that nothing uses": (
        {
            "app.py": OWN.replace(
                '    if not verified(event):\n        return {"statusCode": 401}\n', "    verified(event)\n"
            )
        },
        "src/app.py:4",
    ),
    "an answer that nothing returns": (
        {
            "app.py": OWN.replace(
                '    if not verified(event):\n        return {"statusCode": 401}\n', "    verified(event)\n"
            ).replace("return False", 'return {"statusCode": 403}')
        },
        "src/app.py:4",
    ),
    "Bolt that is told not to": (
        {"app.py": BOLT.format(options=", request_verification_enabled=False", first="pass")},
        "src/app.py:3",
    ),
    "Bolt with an empty secret": (
        {"app.py": BOLT.format(options=", signing_secret=''", first="pass")},
        "src/app.py:3",
    ),
    "Bolt for JavaScript that is told not to": (
        {"app.ts": BOLT_NODE.format(options=", signatureVerification: false")},
        "src/app.ts:2",
    ),
    "a write before Bolt": (
        {
            "app.py": BOLT.format(
                options="", first="__import__('boto3').client('dynamodb').put_item(TableName='t', Item={})"
            )
        },
        "src/app.py:6",
    ),
    "a write in a function that is called before Bolt": (
        {
            "app.py": "import boto3\ntable = boto3.resource('dynamodb').Table('t')\n"
            "def keep(key):\n    if key is None:\n        table.put_item(Item={})\n    else:\n"
            "        table.put_item(Item={'a': key})\n" + BOLT.format(options="", first="keep(event['body'])")
        },
        "src/app.py:5",
    ),
    "a write before the own check": (
        {
            "app.py": "import boto3\ntable = boto3.resource('dynamodb').Table('t')\n"
            + OWN.replace("    if not verified", "    table.put_item(Item={'a': 1})\n    if not verified")
        },
        "src/app.py:6",
    ),
}
"""Handlers that verify no signature before their work, and the line that shows it."""


@pytest.mark.parametrize("case", CERTAIN)
def test_what_verifies_nothing_is_shown_to(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    files, line = CERTAIN[case]
    runtime = "python3.13" if "app.py" in files else NODE
    found = facts(tmp_path, files, monkeypatch, capsys, runtime)
    assert found["verifies_signature"] == (False, "evidence", line)


STATED = {
    "an own HMAC": {"app.py": OWN},
    "an own HMAC in a module beside": {
        "app.py": "from slackauth import verified\n\n" + OWN[OWN.index("def handler") : OWN.index("def verified")],
        "slackauth.py": OWN[: OWN.index("def handler")] + OWN[OWN.index("def verified") :],
    },
    "an own HMAC that is imported in the handler": {
        "app.py": OWN[OWN.index("def handler") : OWN.index("def verified")].replace(
            "    if not", "    from auth.slack import verified\n    if not"
        ),
        "auth/__init__.py": "",
        "auth/slack.py": OWN[: OWN.index("def handler")] + OWN[OWN.index("def verified") :],
    },
    "an own HMAC in a decorator": {
        "app.py": """\
        import functools, hashlib, hmac, os
        def signed(handle):
            @functools.wraps(handle)
            def wrap(event, context):
                signed = f"v0:{event['headers']['X-Slack-Request-Timestamp']}:{event['body']}"
                digest = hmac.new(os.environ["SIGNING"].encode(), signed.encode(), hashlib.sha256).hexdigest()
                if hmac.compare_digest("v0=" + digest, event["headers"]["X-Slack-Signature"]):
                    return handle(event, context)
                return {"statusCode": 403}
            return wrap
        @signed
        def handler(event, context):
            return {"statusCode": 200}
        """
    },
    "Bolt behind Express": {
        "app.js": """\
        const { App, ExpressReceiver } = require("@slack/bolt");
        const receiver = new ExpressReceiver({ signingSecret: process.env.SECRET });
        const app = new App({ receiver });
        const express = require("aws-serverless-express");
        const server = express.createServer(receiver.app);
        exports.handler = (event, context) => express.proxy(server, event, context);
        """
    },
    "an own HMAC that raises": {
        "app.py": OWN.replace(
            '    if not verified(event):\n        return {"statusCode": 401}\n', "    verified(event)\n"
        )
        .replace(
            '    return hmac.compare_digest(digest, headers["x-slack-signature"])',
            '    if not hmac.compare_digest(digest, headers["x-slack-signature"]):\n        raise PermissionError',
        )
        .replace("return False", "raise PermissionError")
    },
    "an own HMAC in JavaScript": {"app.js": OWN_NODE},
    "Bolt, which reads the secret itself": {"app.py": BOLT.format(options="", first="pass")},
    "Bolt for JavaScript": {"app.ts": BOLT_NODE.format(options="")},
    "the verifier of slack_sdk": {
        "app.py": """\
        import os
        from slack_sdk.signature import SignatureVerifier
        verifier = SignatureVerifier(os.environ["SLACK_SIGNING_SECRET"])
        def handler(event, context):
            if not verifier.is_valid_request(event["body"], event["headers"]):
                return {"statusCode": 401}
            return {"statusCode": 200}
        """
    },
}
"""Handlers that verify each request: it is stated, and never proven."""


@pytest.mark.parametrize("case", STATED)
def test_what_verifies_is_a_statement(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    files = STATED[case]
    found = facts(tmp_path, files, monkeypatch, capsys, "python3.13" if "app.py" in files else NODE)
    assert found["verifies_signature"][:2] == (True, "statement")


UNKNOWN = {
    "an unknown package gets the request": "import acme\ndef handler(event, context):\n    acme.check(event)\n",
    "an unknown package decorates the handler": "from acme import ok\n@ok\ndef handler(event, context):\n    ...\n",
    "a module whose name is computed": (
        "import importlib, os\ndef handler(event, context):\n    importlib.import_module(os.environ['M']).run()\n"
    ),
    "a module that is not in the folder": "from .auth import ok\ndef handler(event, context):\n    ok(event)\n",
    "another function gets the whole request": (
        "import boto3, json\ndef handler(event, context):\n"
        "    boto3.client('lambda').invoke(FunctionName='x', Payload=json.dumps(event))\n"
    ),
    "a package makes the handler": "from acme import app\nhandler = app.handler\n",
    "text that is run as code": "def handler(event, context):\n    exec(open('x').read())\n",
    "another version of Python": "def handler(event, context):\n    print 'hello'\n",
    "an HMAC for something else": (
        "import hmac\ndef handler(event, context):\n    return hmac.new(b'k', event['body'], 'sha256').hexdigest()\n"
    ),
    "a check of some requests only": OWN.replace(
        '    if not verified(event):\n        return {"statusCode": 401}\n',
        "    if event['path'] == '/slack':\n        if not verified(event):\n            return {'statusCode': 401}\n",
    ),
}
"""Handlers of which it is unknown whether they verify."""


@pytest.mark.parametrize(
    "config", ["{", "[]", '{"compilerOptions": {"paths": {"@libs/*": [1], "@lib*/*": "x"}}}', "{}"]
)
def test_an_alias_that_leads_nowhere_leaves_it_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, config: str
) -> None:
    handler = 'import { wrap } from "@libs/lambda";\nexport const handler = wrap(async (event) => event);\n'
    files = {"app.ts": handler, "libs/lambda.ts": "export const wrap = (run) => run;\n", "tsconfig.json": config}
    whole = assessed(project(tmp_path, files, runtime=NODE), monkeypatch, capsys)
    assert "verifies_signature" not in said_of(whole)
    assert "'@libs/lambda' gets the request" in open_of(whole)["verifies_signature"][0]


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_cannot_be_seen_is_unknown_with_a_reason(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    whole = assessed(project(tmp_path, {"app.py": UNKNOWN[case]}), monkeypatch, capsys)
    assert "verifies_signature" not in said_of(whole)
    why, line = open_of(whole)["verifies_signature"]
    assert why
    assert line.startswith("src/app.py:")


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ("Layers: ['arn:aws:lambda:eu-west-1:111122223333:layer:auth:3']\n", "it has layers"),
        ("FileSystemConfigs: [{Arn: a, LocalMountPath: /mnt/a}]\n", "a mounted file system"),
    ],
)
def test_code_elsewhere_leaves_it_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, properties: str, why: str
) -> None:
    model = project(tmp_path, CERTAIN["nothing"][0], properties=properties)
    whole = assessed(model, monkeypatch, capsys)
    assert "verifies_signature" not in said_of(whole)
    assert why in open_of(whole)["verifies_signature"][0]


WINDOWS = {
    "a clock that is a default": (
        OWN.replace("def verified(event):", "def verified(event, now=time.time()):").replace(
            "abs(time.time() -", "abs(now -"
        ),
        (None, "evidence"),
    ),
    "both directions": (OWN, (300, "statement")),
    "one direction": (
        OWN.replace("abs(time.time() - int(timestamp))", "time.time() - int(timestamp)"),
        (None, "evidence"),
    ),
    "none": (
        OWN.replace("    if abs(time.time() - int(timestamp)) > 60 * 5:\n        return False\n", ""),
        (None, "evidence"),
    ),
}


@pytest.mark.parametrize("case", WINDOWS)
def test_the_window_is_that_of_the_code(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    text, expected = WINDOWS[case]
    assert facts(tmp_path, {"app.py": text}, monkeypatch, capsys)["timestamp_tolerance_seconds"][:2] == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"app.py": OWN}, (True, "statement", "src/app.py:15")),
        ({"app.js": OWN_NODE}, (True, "statement", "src/app.js:7")),
        (
            {
                "app.py": OWN.replace(
                    'hmac.compare_digest(digest, headers["x-slack-signature"])',
                    'digest == headers["x-slack-signature"]',
                )
            },
            (False, "evidence", "src/app.py:15"),
        ),
        (
            {
                "app.js": OWN_NODE.replace(
                    'crypto.timingSafeEqual(Buffer.from(mine), Buffer.from(event.headers["x-slack-signature"]))',
                    "mine === event.headers['x-slack-signature']",
                )
            },
            (False, "evidence", "src/app.js:7"),
        ),
    ],
)
def test_how_digests_are_compared(
    files: dict[str, str],
    expected: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Printed,
) -> None:
    runtime = "python3.13" if "app.py" in files else NODE
    assert facts(tmp_path, files, monkeypatch, capsys, runtime)["compares_in_constant_time"] == expected


def test_nothing_of_a_file_that_is_read_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    trap = "import pathlib\npathlib.Path('trap').touch()\nraise SystemExit(9)\ndef handler(event, context): ...\n"
    facts(tmp_path, {"app.py": trap}, monkeypatch, capsys)
    assert not (tmp_path / "trap").exists()
