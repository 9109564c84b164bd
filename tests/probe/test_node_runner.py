"""Node.js handlers in a process of their own: what they see, what they do, and how they misbehave."""

# ruff: noqa: E501 - many a handler here is one line of text

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.probe.running import effect, replies, told, written
from threatmodel.probe.protocol import Call, Limits, Scenario
from threatmodel.probe.runners.target import runner_for
from threatmodel.reading.problems import InputError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("node") is None or sys.platform == "win32", reason="needs Node.js"),
]

LIMITS = Limits(seconds=10.0)


def answered(folder: Path, body: str, *events: Any, **options: Any) -> Any:
    """What an asynchronous handler made of these lines returns."""
    text = f"exports.handler = async (event, context) => {{ {body} }};"
    reply = replies(written(folder, text, "index.cjs"), *events, limits=LIMITS, **options)[-1]
    assert reply.ended == "", reply
    return json.loads(reply.body)


STYLES = {
    "async": ("exports.handler = async (e) => ({ statusCode: 200, body: e.b });", "200 x"),
    "callback": (
        "exports.handler = (e, c, done) => setTimeout(() => done(null, { statusCode: 200, body: e.b }), 5);",
        "200 x",
    ),
    "at once": (
        "exports.handler = (e, c, done) => { c.callbackWaitsForEmptyEventLoop = false; setInterval(() => 0, 9); done(null, { statusCode: 200, body: e.b }) };",
        "200 x",
    ),
    "no answer": ("exports.handler = (e, c, done) => {};", "None null"),
    "a variable that it sets itself": (
        "process.env.MADE = 'x'; exports.handler = async () => process.env.MADE;",
        'None "x"',
    ),
    "never settled": ("exports.handler = () => new Promise(() => 0);", "None null"),
    "undefined": ("exports.handler = async () => {};", "None null"),
    "succeed": ("exports.handler = (e, c) => c.succeed({ statusCode: 200, body: e.b });", "200 x"),
    "waits": (
        "exports.handler = (e, c, done) => { done(null, { statusCode: 200, body: e.b }); setTimeout(() => 0, 20) };",
        "200 x",
    ),
}


@pytest.mark.parametrize(("text", "expected"), STYLES.values(), ids=STYLES)
def test_every_style_of_handler_is_answered(tmp_path: Path, text: str, expected: str) -> None:
    got = replies(written(tmp_path, text, "index.js"), {"b": "x"}, {"b": "x"}, limits=LIMITS)
    assert [f"{reply.status} {reply.body}" for reply in got] == [expected] * 2


@pytest.mark.parametrize("name", ["index.mjs", "index.cjs", "index.js"])
def test_both_kinds_of_module(tmp_path: Path, name: str) -> None:
    text = "export const handler = async () => 1;" if name == "index.mjs" else "exports.handler = async () => 1;"
    assert replies(written(tmp_path, text, name), limits=LIMITS)[0].body == "1"


MISBEHAVIOURS = {
    "rejects": ("throw new RangeError('s3cret')", "error", "RangeError"),
    "rejects with a text": ("throw 'text'", "error", "string"),
    "rejects with nothing": ("throw undefined", "error", "undefined"),
    "throws later": ("await new Promise(() => setTimeout(() => { throw new TypeError() }, 5))", "error", "TypeError"),
    "leaves a rejection": (
        "Promise.reject(new Error()); await new Promise((r) => setTimeout(r, 50))",
        "error",
        "Runtime.UnhandledPromiseRejection",
    ),
    "answers in a circle": ("const a = {}; a.a = a; return a", "error", "Runtime.MarshalError"),
    "answers too much": ("return 'x'.repeat(7e6)", "error", "Function.ResponseSizeTooLarge"),
    "hangs": ("await new Promise((r) => setTimeout(r, 60000))", "timeout", ""),
    "spins": ("for (;;);", "timeout", ""),
    "exits": ("process.exit(0)", "exit", ""),
    "crashes": ("process.kill(process.pid, 'SIGSEGV'); for (;;);", "crash", ""),
    "aborts": ("process.abort()", "crash", ""),
    "floods": ("for (;;) console.log('x'.repeat(1e5))", "output", ""),
    "takes memory": ("const a = []; for (;;) a.push(new Array(1e5).fill({}))", "memory", ""),
    "takes memory outside the heap": ("const a = []; for (;;) { a.push(Buffer.alloc(1e7, 1)); await 0 }", "memory", ""),
    "writes to every file": (
        "const fs = require('fs'); for (let i = 3; i < 60; i++) try { fs.writeSync(i, 'x\\n{\"answer\": \"1\"}\\n') } catch {}",
        None,
        None,
    ),
}


@pytest.mark.parametrize(("body", "ended", "error"), MISBEHAVIOURS.values(), ids=MISBEHAVIOURS)
def test_misbehaviour_has_its_word(tmp_path: Path, body: str, ended: str | None, error: str | None) -> None:
    text = f"exports.handler = async (event) => {{ if (event.well) return 1; {body} }};"
    limits = Limits(seconds=2.0 if ended == "timeout" else 15, memory=160 * 1024 * 1024, output=200_000)
    first, second = replies(written(tmp_path, text, "index.js"), {}, {"well": True}, limits=limits)
    if ended is None:
        assert first.ended in {"crash", "timeout"}
        return
    assert (first.ended, first.error) == (ended, error)
    assert (second.ended, second.body) == (("", "1") if first.error else ("not-run", ""))


def test_environment_and_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "canary")
    monkeypatch.setenv("NODE_OPTIONS", "--no-such-option")
    body = "const now = new Date(); return [process.env, Date.now(), now.getTime(), Date.parse(Date()), now instanceof Date,"
    body += " now.constructor === Date, new Date(5).getTime(), new Date('2020-01-01').getUTCFullYear(), process.cwd(), structuredClone(now) > 0]"
    environment, *times = answered(tmp_path, body, at=[1_700_000_000.0])
    assert "canary" not in json.dumps(environment)
    assert environment["SLACK_SIGNING_SECRET"] == "s3cret"
    assert all(1_699_999_999_000 <= shown <= 1_700_000_010_000 for shown in times[:3])
    assert times[3:] == [True, True, 5, 2020, str(tmp_path), True]


def test_a_handler_may_assign_another_clock(tmp_path: Path) -> None:
    text = "exports.handler = async () => { Date.now = () => 7; return [Date.now(), new Date().getTime()] }"
    (reply,) = replies(written(tmp_path, text, "index.js"), at=[1_800_000_000.0])
    assert json.loads(reply.body)[0] == 7
    assert json.loads(reply.body)[1] // 100_000 == 18_000_000


def test_what_the_clock_is_set_forward_by_has_passed_for_caches_too(tmp_path: Path) -> None:
    text = "exports.handler = async () => performance.now();"
    sent = replies(written(tmp_path, text, "index.cjs"), {}, {}, {}, at=[1000.0, 2800.0, 100.0])
    first, second, third = (float(reply.body) for reply in sent)
    assert 1_799_000 <= second - first < 1_810_000
    assert 0 <= third - second < 10_000


IMPORTS = {
    "in a function": "exports.handler = async () => Object.keys(await import('@aws-sdk/client-lambda')).length > 0;",
    "in braces": "const f = () => {return import('@aws-sdk/client-sqs')}; exports.handler = async () => (await f()) !== undefined;",
    "behind a comment": "/* import('.') */ const f = () => import('./more.mjs'); exports.handler = async () => (await f()).ok;",
    "by a name": "const name = '@aws-sdk/client-sqs'; exports.handler = async () => (await import(name)) !== undefined;",
}


@pytest.mark.parametrize("text", IMPORTS.values(), ids=IMPORTS)
def test_what_is_required_may_import_the_sdk(tmp_path: Path, text: str) -> None:
    written(
        tmp_path,
        "import { SQSClient } from '@aws-sdk/client-sqs';\nexport const ok = SQSClient !== undefined;",
        "more.mjs",
    )
    (reply,) = replies(written(tmp_path, text, "index.cjs"))
    assert (reply.ended, reply.body) == ("", "true")


def test_what_is_required_knows_that_something_requires_it_as_on_lambda(tmp_path: Path) -> None:
    text = "exports.handler = async () => [require.main === module, Boolean(module.parent)];"
    (reply,) = replies(written(tmp_path, text, "index.js"))
    assert json.loads(reply.body) == [False, True]


SDKS = {
    "index.mjs": """
        import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
        import { DynamoDBClient, ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
        import { DynamoDBDocumentClient, PutCommand as Put, GetCommand } from "@aws-sdk/lib-dynamodb";
        import * as sqs from "@aws-sdk/client-sqs";
        const lambda = await import("@aws-sdk/client-lambda");
        export const handler = main;
        """,
    "index.cjs": """
        const { GetSecretValueCommand, SecretsManagerClient } = require("@aws-sdk/client-secrets-manager");
        const { DynamoDBClient, ConditionalCheckFailedException } = require("@aws-sdk/client-dynamodb");
        const { DynamoDBDocumentClient, PutCommand: Put, GetCommand } = require("@aws-sdk/lib-dynamodb");
        const sqs = require("@aws-sdk/client-sqs");
        const lambda = require("@aws-sdk/client-lambda");
        exports.handler = main;
        """,
}
USES_SDK = """
        async function main() {
            const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));
            const secret = await new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId: "x" }));
            const done = [secret.SecretString, secret.CreatedDate.getUTCFullYear()];
            for (const n of [1, 2]) {
                try {
                    await table.send(new Put({ TableName: "t", Item: { id: "a", n }, ConditionExpression: "attribute_not_exists(id)" }));
                    done.push("stored");
                } catch (error) {
                    done.push(error instanceof ConditionalCheckFailedException, error.name, error.$metadata.httpStatusCode);
                }
            }
            done.push((await table.send(new GetCommand({ TableName: "t", Key: { id: "a" } }))).Item.n);
            await new sqs.SQSClient({}).send(new sqs.SendMessageCommand({ QueueUrl: "https://q/1/work", MessageBody: "x" }));
            await new lambda.Lambda({}).invoke({ FunctionName: "worker", InvocationType: "Event" });
            return done;
        }
        """


@pytest.mark.parametrize("name", SDKS)
def test_sdk_is_answered_and_recorded(tmp_path: Path, name: str) -> None:
    (reply,) = replies(written(tmp_path, SDKS[name] + USES_SDK, name), limits=LIMITS)
    assert reply.ended == "", reply
    failed = [True, "ConditionalCheckFailedException", 400]
    assert json.loads(reply.body) == ["s3cret", 2020, "stored", *failed, 1]
    assert told(reply) == [
        effect("secretsmanager", "GetSecretValue", "x"),
        effect("dynamodb", "PutItem", "t"),
        effect("dynamodb", "PutItem", "t", refused=True),
        effect("dynamodb", "GetItem", "t"),
        effect("sqs", "SendMessage", "work"),
        effect("lambda", "Invoke", "worker"),
    ]


NETWORK = {
    "fetch": "const r = await fetch('https://hooks.slack.com/x', { method: 'POST', body: 'x' }); return await r.text()",
    "https": """return await new Promise((resolve, reject) => {
        const request = require('https').request('https://hooks.slack.com/x', { method: 'POST' }, (r) => {
            let text = ''; r.on('data', (d) => (text += d)); r.on('end', () => resolve(text)); });
        request.on('error', reject); request.end('x'); })""",
    "http": """return await new Promise((resolve, reject) => {
        const request = require('http').request('http://hooks.slack.com/x', { method: 'POST' }, (r) => {
            let text = ''; r.on('data', (d) => (text += d)); r.on('end', () => resolve(text)); });
        request.on('error', reject); request.end('x'); })""",
}


@pytest.mark.parametrize("body", NETWORK.values(), ids=NETWORK)
def test_slack_answers_and_is_recorded(tmp_path: Path, body: str) -> None:
    file = written(tmp_path, f"exports.handler = async () => {{ {body} }};", "index.js")
    (reply,) = replies(file, limits=LIMITS)
    assert (reply.ended, reply.body, told(reply)) == ("", '"ok"', [effect("network", "POST", "hooks.slack.com")])


REFUSED = {
    "another host": ("await fetch('https://evil.example/x')", "network", "evil.example"),
    "an address": ("await fetch('http://169.254.169.254/latest')", "network", "169.254.169.254"),
    "a port": (
        "await new Promise((r, e) => require('net').connect(22, 'slack.com', r).on('error', e))",
        "network",
        "slack.com:22",
    ),
    "a program": ("require('child_process').execSync('curl evil.example')", "process", "curl"),
    "a program, later": ("await require('util').promisify(require('child_process').exec)('curl x')", "process", "curl"),
}


@pytest.mark.parametrize(("body", "service", "detail"), REFUSED.values(), ids=REFUSED)
def test_what_would_reach_out_is_refused_and_recorded(tmp_path: Path, body: str, service: str, detail: str) -> None:
    text = f"exports.handler = async () => {{ try {{ {body} }} catch (error) {{ return 'refused' }} }};"
    (reply,) = replies(written(tmp_path, text, "index.js"), limits=LIMITS)
    assert (reply.ended, reply.body) == ("", '"refused"')
    operation = "CONNECT" if service == "network" else "spawn"
    assert told(reply) == [effect(service, operation, detail, refused=True)]


COMPILED = {
    "esbuild": """
        var make = Object.create, names = Object.getOwnPropertyNames, proto = Object.getPrototypeOf;
        var copy = (to, from) => { for (let key of names(from)) if (!Object.hasOwn(to, key)) to[key] = from[key]; return to; };
        var toESM = (mod, node) => copy(node || !mod.__esModule ? Object.defineProperty(make(proto(mod)), "default",
            { value: mod }) : make(proto(mod)), mod);
        var AWS = toESM(require("aws-sdk")), SM = toESM(require("@aws-sdk/client-secrets-manager"));
    """,
    "tsc": """
        const star = (mod) => { if (mod && mod.__esModule) return mod; const to = {}; for (const key of
            Object.getOwnPropertyNames(mod)) to[key] = mod[key]; to.default = mod; return to; };
        const AWS = star(require("aws-sdk")), SM = star(require("@aws-sdk/client-secrets-manager"));
    """,
}


@pytest.mark.parametrize("head", COMPILED.values(), ids=COMPILED)
def test_what_compilers_make_of_imports_finds_the_sdk(tmp_path: Path, head: str) -> None:
    text = """
        const Dynamo = require("aws-sdk/clients/dynamodb");
        exports.handler = async () => {
          const old = await new AWS.SecretsManager().getSecretValue({ SecretId: "x" }).promise();
          const now = await new SM.SecretsManagerClient({}).send(new SM.GetSecretValueCommand({ SecretId: "x" }));
          await new Dynamo.DocumentClient().put({ TableName: "t", Item: { a: 1 } }).promise();
          return { statusCode: 200, body: old.SecretString + now.SecretString };
        };
    """
    (reply,) = replies(written(tmp_path, head + text, "app.js"), limits=LIMITS, provide=["aws-sdk"])
    assert (reply.body, told(reply)[-1]) == ("s3crets3cret", effect("dynamodb", "PutItem", "t"))


ENDING = {
    "succeed": "context.succeed({ statusCode: 200, body: 'ok' })",
    "done": "context.done(null, { statusCode: 200, body: 'ok' })",
    "fail": "context.fail(new TypeError('no'))",
}


@pytest.mark.parametrize("way", ENDING)
def test_the_context_ends_an_invocation_at_once_whatever_is_still_open(tmp_path: Path, way: str) -> None:
    text = f"""
        exports.handler = (event, context) => {{
          require("http").createServer(() => undefined).listen("/tmp/probe-test.sock", () => {ENDING[way]});
        }};
    """
    (reply,) = replies(written(tmp_path, text, "app.js"), limits=LIMITS)
    assert (reply.ended, reply.error, reply.body) == (("error", "TypeError", "") if way == "fail" else ("", "", "ok"))


def test_a_streamed_answer_is_read_whole(tmp_path: Path) -> None:
    text = """
        export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
          stream = awslambda.HttpResponseStream.from(stream, { statusCode: 202, headers: { "x-a": "b" } });
          stream.write("hello ");
          stream.end(context.functionName);
        });
    """
    (reply,) = replies(written(tmp_path, text, "app.mjs"), limits=LIMITS)
    assert (reply.status, reply.headers["x-a"], reply.body) == (202, "b", "hello probe")


def test_old_sdk_is_missing_unless_provided(tmp_path: Path) -> None:
    text = """
        const AWS = require("aws-sdk");
        exports.handler = async () => {
            await new AWS.SQS().sendMessage({ QueueUrl: "q", MessageBody: "x" }).promise();
            return (await new AWS.SecretsManager().getSecretValue({ SecretId: "x" }).promise()).SecretString;
        };
        """
    file = written(tmp_path, text, "index.js")
    with pytest.raises(InputError, match="the module 'aws-sdk' is missing") as raised:
        replies(file, limits=LIMITS)
    assert "--provide aws-sdk" in raised.value.problems[0].hint
    (reply,) = replies(file, limits=LIMITS, provide=["aws-sdk"])
    assert (reply.body, [entry.operation for entry in reply.effects]) == ('"s3cret"', ["SendMessage", "GetSecretValue"])


MODULES = {
    "require": ("index.js", "const { WORD } = require('kept');\nexports.handler = async () => WORD;\n"),
    "import": ("index.mjs", "import kept from 'kept';\nexport const handler = async () => kept.WORD;\n"),
}


@pytest.mark.parametrize("named", ["elsewhere", "elsewhere/node_modules"])
@pytest.mark.parametrize(("name", "text"), MODULES.values(), ids=MODULES)
def test_packages_may_lie_elsewhere(tmp_path: Path, name: str, text: str, named: str) -> None:
    written(tmp_path, "exports.WORD = 'kept';\n", "elsewhere/node_modules/kept/index.js")
    file = written(tmp_path, text, f"bot/{name}")
    with pytest.raises(InputError, match="the module 'kept' is missing") as raised:
        replies(file, limits=LIMITS)
    assert "`npm install --prefix FOLDER kept`" in raised.value.problems[0].hint
    assert replies(file, limits=LIMITS, packages=[tmp_path / named])[0].body == '"kept"'
    (tmp_path / "bot/node_modules").symlink_to(tmp_path / "elsewhere/node_modules")
    assert replies(file, limits=LIMITS)[0].body == '"kept"'


def test_variables_that_it_did_not_get_are_told(tmp_path: Path) -> None:
    text = "const { TABLE } = process.env;\nexports.handler = async () => process.env.QUEUE_URL ?? 'none';\n"
    runner = runner_for(str(written(tmp_path, text, "index.js")), limits=LIMITS)
    assert runner.run(Scenario(name="x", calls=(Call(event={}),), secret="x"))[0].body == '"none"'
    assert vars(type(runner))["missing_variables"].fget(runner) == ("QUEUE_URL", "TABLE")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("const x = 1;\nconst y = ;\n", 2, "syntax error: SyntaxError"),
        ("\nthrow new RangeError('s3cret');\n", 2, "error while it was loaded: RangeError"),
        ("exports.run = () => 1;\n", 0, "there is no function 'handler'; functions found: run"),
    ],
)
def test_what_cannot_be_loaded_is_a_problem(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(InputError) as raised:
        replies(written(tmp_path, text, "index.js"), limits=LIMITS)
    (problem,) = raised.value.problems
    assert (problem.code, problem.place.line, problem.message) == ("cannot-probe", line, message)
    assert "s3cret" not in str(raised.value)


def test_node_missing_or_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, "", "index.js")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"Node\.js is not on the PATH"):
        runner_for(str(file))
    old = written(tmp_path, "#!/bin/sh\necho v18.20.0\n", "node")
    old.chmod(0o755)
    with pytest.raises(InputError, match=r"Node\.js v18\.20\.0 is too old"):
        runner_for(str(file))
