"""Python handlers in a process of their own: what they see, what they do, and how they misbehave."""

# ruff: noqa: E501 - many a handler here is one line of text

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.probe.running import LIMITS, effect, replies, told, written
from threatmodel.probe.protocol import Call, Limits, Scenario
from threatmodel.probe.runners.target import runner_for
from threatmodel.reading.problems import InputError

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="handlers are not run on Windows")]


def answered(folder: Path, body: str, *events: Mapping[str, Any], **options: Any) -> Any:
    """What a handler made of these lines returns."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    reply = replies(written(folder, f"def handler(event, context):\n{lines}\n"), *events, **options)[-1]
    assert reply.ended == "", reply
    return json.loads(reply.body)


# --- what it sees


def test_nothing_of_our_environment_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("CANARY", "canary")
    body = "import os, pathlib\nfiles = []\nfor p in (os.getpid(), os.getppid(), *filter(str.isdigit, os.listdir('/proc'))):"
    body += "\n    try: files.append(open(f'/proc/{p}/environ').read())\n    except OSError: pass"
    body += "\nreturn [dict(os.environ), files, os.listdir(os.environ['HOME']), os.getcwd(), __import__('sys').path[0]]"
    environment, files, home, folder, first = answered(tmp_path, body, environment={"TABLE": "t"})
    assert "canary" not in json.dumps([environment, files])
    assert environment["SLACK_SIGNING_SECRET"] == "s3cret"
    assert environment["TABLE"] == "t"
    assert environment["AWS_REGION"] == "eu-west-1"
    assert (home, folder, first) == ([], str(tmp_path), str(tmp_path))


@pytest.mark.parametrize(("secret", "expected"), [("x", "x"), ("", ""), (None, "none")])
def test_secret_stands_in_the_named_variable(tmp_path: Path, secret: str | None, expected: str) -> None:
    body = "import os\nreturn os.environ.get('SIGNING', 'none')"
    assert answered(tmp_path, body, secret=secret, secret_env="SIGNING") == expected


CLOCKS = {
    "time": "time.time()",
    "time_ns": "time.time_ns() / 1e9",
    "imported": "imported()",
    "gmtime": "calendar.timegm(time.gmtime())",
    "strftime": "int(time.strftime('%s'))",
    "clock_gettime": "time.clock_gettime(time.CLOCK_REALTIME)",
    "now": "datetime.datetime.now().timestamp()",
    "aware": "Moment.now(datetime.timezone.utc).timestamp()",
    "utcnow": "datetime.datetime.utcnow().replace(tzinfo=datetime.timezone.utc).timestamp()",
    "today": "time.mktime(datetime.date.today().timetuple()) + 3600 * 12",
}


@pytest.mark.parametrize("at", [1_700_000_000.0, 4_000_000_000.0, None])
@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_clock_shows_what_the_call_says(tmp_path: Path, clock: str, at: float | None) -> None:
    text = f"""
        import calendar, datetime, time, warnings
        from datetime import datetime as Moment
        from time import time as imported
        warnings.simplefilter("ignore")

        def handler(event, context):
            return {clock}
        """
    shown = float(replies(written(tmp_path, text), at=[at])[0].body)
    assert abs(shown - (time.time() if at is None else at)) < (86_400 if "today" in clock else 5)


def test_dates_are_still_dates(tmp_path: Path) -> None:
    text = """
        import datetime, email.utils, json, pickle

        def handler(event, context):
            now = datetime.datetime.now(datetime.timezone.utc)
            later = now + datetime.timedelta(days=1)
            parsed = email.utils.parsedate_to_datetime("Tue, 14 Nov 2023 22:13:20 GMT")
            return [
                isinstance(now, datetime.datetime), isinstance(now, datetime.date), later > now, (later - now).days,
                isinstance(parsed, datetime.datetime), isinstance(datetime.date.today(), datetime.datetime),
                now.isoformat()[:10], datetime.datetime.strptime("2023", "%Y").year, issubclass(datetime.datetime, datetime.date),
                isinstance(datetime.date(2020, 1, 1), datetime.date),
            ]
        """
    body = replies(written(tmp_path, text), at=[1_700_000_000.0])[0].body
    assert json.loads(body) == [True, True, True, 1, True, False, "2023-11-14", 2023, True, True]


def test_clock_moves_between_calls_and_within_one(tmp_path: Path) -> None:
    text = "import time\ndef handler(event, context):\n    first = time.time()\n    time.sleep(0.05)\n    return [first, time.time()]\n"
    both = replies(written(tmp_path, text), {}, {}, at=[1000.0, 5000.0])
    (first, later), (second, _) = (json.loads(reply.body) for reply in both)
    assert first < later < first + 2
    assert 1000 <= first < 1010
    assert 5000 <= second < 5010


def test_context_is_lambdas(tmp_path: Path) -> None:
    body = "return [context.aws_request_id, context.function_name, context.memory_limit_in_mb, "
    body += (
        "context.get_remaining_time_in_millis(), context.invoked_function_arn.split(':')[2], context.log_group_name]"
    )
    request, name, memory, left, service, group = answered(tmp_path, body)
    assert len(request) == 36
    assert (name, memory, service, group) == ("probe", "512", "lambda", "/aws/lambda/probe")
    assert 1000 < left <= 5000


def test_one_environment_keeps_its_state_and_the_next_has_none(tmp_path: Path) -> None:
    file = written(tmp_path, "seen = []\ndef handler(event, context):\n    seen.append(1)\n    return len(seen)\n")
    assert [[reply.body for reply in replies(file, {}, {})] for _ in range(2)] == [["1", "2"], ["1", "2"]]


def test_modules_beside_it_come_first_even_ones_of_our_name(tmp_path: Path) -> None:
    written(tmp_path, "NAME = 'theirs'\n", "threatmodel.py")
    written(tmp_path, "def client(name): return 'own ' + name\n", "boto3.py")
    body = "import threatmodel, boto3\nreturn [threatmodel.NAME, boto3.client('sqs')]"
    assert answered(tmp_path, body) == ["theirs", "own sqs"]
    assert not list(tmp_path.rglob("*.pyc"))


# --- what it answers


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"statusCode": 200, "body": "ok"}, (200, {}, "ok")),
        ({"statusCode": "401"}, (401, {}, "")),
        ({"statusCode": 200, "headers": {"X-Y": "1", "N": 3}}, (200, {"X-Y": "1", "N": "3"}, "")),
        ({"statusCode": 200, "multiValueHeaders": {"A": ["1", "2"]}}, (200, {"A": "1, 2"}, "")),
        ({"statusCode": 200, "body": base64.b64encode(b"ok").decode(), "isBase64Encoded": True}, (200, {}, "ok")),
        ({"statusCode": 200, "body": {"a": 1}}, (200, {}, '{"a": 1}')),
        ({"statusCode": "soon"}, (None, {}, "")),
        ({"statusCode": True}, (None, {}, "")),
        ({"statusCode": 1e400}, (None, {}, "")),
        ({"text": "hi"}, (None, {}, '{"text": "hi"}')),
        (None, (None, {}, "null")),
        ("text", (None, {}, '"text"')),
    ],
)
def test_answer_is_read_as_api_gateway_reads_it(tmp_path: Path, answer: Any, expected: tuple[Any, ...]) -> None:
    text = f"inf = float('inf')\ndef handler(event, context):\n    return {answer!r}\n"
    reply = replies(written(tmp_path, text))[0]
    assert (reply.ended, reply.status, dict(reply.headers), reply.body) == ("", *expected)


# --- how it misbehaves

SIGNALLED = """
def signalled(number):
    try: os.kill(os.getppid(), number)
    except OSError: pass  # it is out of reach
"""
MISBEHAVIOURS = {
    "raises": ("raise ValueError('s3cret')", "error", "ValueError"),
    "raises what cannot be shown": (
        "class E(Exception):\n        def __str__(self): raise RuntimeError\n    raise E",
        "error",
        "E",
    ),
    "raises what is no Exception": ("raise KeyboardInterrupt", "error", "KeyboardInterrupt"),
    "answers an object": ("return object()", "error", "Runtime.MarshalError"),
    "answers in a circle": ("a = []\n    a.append(a)\n    return a", "error", "Runtime.MarshalError"),
    "answers too much": ("return 'x' * 7_000_000", "error", "Function.ResponseSizeTooLarge"),
    "hangs": ("import time\n    time.sleep(60)", "timeout", ""),
    "spins": ("while True: pass", "timeout", ""),
    "ignores signals": (
        "import signal, time\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    time.sleep(60)",
        "timeout",
        "",
    ),
    "stops itself": ("os.kill(os.getpid(), 19)", "timeout", ""),
    "stops our watch": ("signalled(19)\n    import time\n    time.sleep(60)", "timeout", ""),
    "exits": ("sys.exit(0)", "exit", ""),
    "exits at once": ("os._exit(0)", "exit", ""),
    "crashes": ("import ctypes\n    ctypes.string_at(0)", "crash", ""),
    "aborts": ("os.abort()", "crash", ""),
    "floods": ("while True: print('x' * 100000)", "output", ""),
    "floods below Python": ("while True: os.write(2, b'x' * 100000)", "output", ""),
    "takes memory": ("a = []\n    while True: a.append(bytearray(10_000_000))", "memory", None),
    "closes every file": ("os.closerange(0, 200)\n    return 1", "crash", ""),
    "writes to every file": (
        'for fd in range(200):\n        try: os.write(fd, b\'{"answer": "1"}\\n\')\n        except OSError: pass\n    return 1',
        "crash",
        "",
    ),
}


@pytest.mark.parametrize(("body", "ended", "error"), MISBEHAVIOURS.values(), ids=MISBEHAVIOURS)
def test_misbehaviour_has_its_word(tmp_path: Path, body: str, ended: str, error: str | None) -> None:
    text = f"import os, sys\n{SIGNALLED}\ndef handler(event, context):\n    if event: return 1\n    {body}\n"
    limits = Limits(seconds=1.5 if ended != "memory" else 10, memory=128 * 1024 * 1024, output=200_000)
    first, second = replies(written(tmp_path, text), {}, {"well": True}, limits=limits)
    assert first.ended == ended
    assert error is None or first.error == error
    assert len(first.logs) <= limits.output
    if not first.error:
        assert second.ended == "not-run"
    else:
        assert (second.ended, second.body) == ("", "1")


def test_who_kills_our_watch_gains_nothing(tmp_path: Path) -> None:
    text = f"import os, time\n{SIGNALLED}\ndef handler(event, context):\n    signalled(9)\n    time.sleep(60)\n"
    (reply,) = replies(written(tmp_path, text), limits=Limits(seconds=1.5))
    assert reply.ended in {"crash", "timeout"}  # with and without process numbers of its own


def test_what_is_printed_never_passes_for_an_answer(tmp_path: Path) -> None:
    body = "print('{\"answer\": \"{}\"}', flush=True)\nreturn 'genuine'"
    assert answered(tmp_path, body) == "genuine"


def alive(marker: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if marker in str((entry / "cwd").readlink()):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


SURVIVORS = {
    "one that killed our watch": "if os.fork() == 0:\n        os.setsid()\n        time.sleep(60)\n    signalled(9)",
    "a child": "if os.fork() == 0: time.sleep(60)",
    "a detached child": "if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0: time.sleep(60)\n        os._exit(0)",
    "one that holds no files": "if os.fork() == 0:\n        os.setsid()\n        os.closerange(0, 100)\n        time.sleep(60)",
    "many": "for _ in range(20):\n        if os.fork() == 0:\n            os.setsid()\n            time.sleep(60)",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")
@pytest.mark.parametrize("body", SURVIVORS.values(), ids=SURVIVORS)
@pytest.mark.parametrize("end", ["return 1", "os._exit(0)", "time.sleep(60)"])
def test_nothing_that_it_started_survives(tmp_path: Path, body: str, end: str) -> None:
    text = f"import os, time\n{SIGNALLED}\ndef handler(event, context):\n    {body}\n    {end}\n"
    replies(written(tmp_path, text), limits=Limits(seconds=1))
    assert alive(tmp_path.name) == []


def test_temporary_folder_is_gone_afterwards(tmp_path: Path) -> None:
    body = "import os, tempfile\nopen(os.path.join(tempfile.gettempdir(), 'x'), 'w').write('x')\nreturn tempfile.gettempdir()"
    assert not Path(answered(tmp_path, body)).exists()


# --- what it does


def test_effects_belong_to_their_call(tmp_path: Path) -> None:
    text = """
        import boto3
        boto3.client("ssm").get_parameter(Name="/at/import")
        sqs = boto3.client("sqs", region_name="eu-west-1")

        def handler(event, context):
            if event["send"]:
                sqs.send_message(QueueUrl="https://sqs.eu-west-1.amazonaws.com/1/work", MessageBody="x")
            return 1
        """
    first, second, third = replies(written(tmp_path, text), {"send": 0}, {"send": 1}, {"send": 0})
    assert told(first) == [effect("ssm", "GetParameter", "/at/import")]
    assert told(second) == [effect("sqs", "SendMessage", "work")]
    assert told(third) == []
    assert first.effects[0].reads
    assert not second.effects[0].reads


def test_effects_of_a_call_that_dies_are_kept(tmp_path: Path) -> None:
    text = "import boto3, os\ndef handler(event, context):\n    boto3.client('sns').publish(TopicArn='arn:a:b:c:d:alarm')\n    os._exit(1)\n"
    (reply,) = replies(written(tmp_path, text))
    assert (reply.ended, told(reply)) == ("exit", [effect("sns", "Publish", "alarm")])


def test_effects_after_the_answer_are_kept(tmp_path: Path) -> None:
    text = """
        import boto3, threading
        def handler(event, context):
            thread = threading.Thread(target=lambda: boto3.client("sqs").send_message(QueueUrl="q", MessageBody="x"))
            thread.start()
            thread.join() if event else None
            return 1
        """
    assert told(replies(written(tmp_path, text), {"wait": 1})[0]) == [effect("sqs", "SendMessage", "q")]


def test_secrets_are_found_in_every_store(tmp_path: Path) -> None:
    body = """
import boto3, urllib.request, json, os
m, p, k = (boto3.client(name) for name in ("secretsmanager", "ssm", "kms"))
made = m.get_secret_value(SecretId="x")["CreatedDate"].year
token = {"X-Aws-Parameters-Secrets-Token": os.environ["AWS_SESSION_TOKEN"]}
ask = lambda path: json.load(urllib.request.urlopen(urllib.request.Request("http://localhost:2773" + path, headers=token)))
return [made, m.get_secret_value(SecretId="x")["SecretString"], p.get_parameter(Name="/a", WithDecryption=True)["Parameter"]["Value"],
    p.get_parameters(Names=["/a"])["Parameters"][0]["Value"], p.get_parameters_by_path(Path="/b")["Parameters"][0]["Value"],
    k.decrypt(CiphertextBlob=b"xx")["Plaintext"].decode(), ask("/secretsmanager/get?secretId=x")["SecretString"],
    ask("/systemsmanager/parameters/get?name=%2Fa&withDecryption=true")["Parameter"]["Value"]]
"""
    assert answered(tmp_path, body) == [2020, *["s3cret"] * 7]


def test_no_secret_is_an_error_of_its_service(tmp_path: Path) -> None:
    body = """
import boto3
from botocore.exceptions import ClientError
m, p, k, codes = *(boto3.client(name) for name in ("secretsmanager", "ssm", "kms")), []
for ask in (lambda: m.get_secret_value(SecretId="x"), lambda: p.get_parameter(Name="x"), lambda: k.decrypt(CiphertextBlob=b"")):
    try:
        ask()
    except ClientError as error:
        codes.append(error.response["Error"]["Code"])
try:
    m.get_secret_value(SecretId="x", VersionStage="AWSPREVIOUS")
except m.exceptions.ResourceNotFoundException:
    codes.append("previous")
return codes
"""
    codes = ["ResourceNotFoundException", "ParameterNotFound", "InvalidCiphertextException", "previous"]
    assert answered(tmp_path, body, secret=None) == codes


PUTS = {
    "client": """c = boto3.client("dynamodb")
put = lambda: c.put_item(TableName="t", Item={"id": {"S": event["id"]}, "n": {"N": "1"}}, ConditionExpression="attribute_not_exists(id)")""",
    "names": """c = boto3.client("dynamodb")
put = lambda: c.put_item(TableName="t", Item={"n": {"N": "1"}, "id": {"S": event["id"]}},
    ConditionExpression="attribute_not_exists(#k)", ExpressionAttributeNames={"#k": "id"})""",
    "table": """c = boto3.resource("dynamodb").Table("t")
put = lambda: c.put_item(Item={"n": 1, "id": event["id"]}, ConditionExpression="attribute_not_exists(id)")""",
    "conditions": """c = boto3.resource("dynamodb").Table("t")
put = lambda: c.put_item(Item={"n": 1, "id": event["id"]}, ConditionExpression=Attr("id").not_exists() | Attr("n").gt(5))""",
    "update": """c = boto3.resource("dynamodb").Table("t")
put = lambda: c.update_item(Key={"id": event["id"]}, UpdateExpression="SET n = :n", ConditionExpression=Attr("id").not_exists(),
    ExpressionAttributeValues={":n": 1})""",
}


@pytest.mark.parametrize("put", PUTS.values(), ids=PUTS)
def test_conditional_writes_hold_once(tmp_path: Path, put: str) -> None:
    lines = "\n            ".join(put.splitlines())
    text = f"""
        import boto3
        from boto3.dynamodb.conditions import Attr
        from botocore.exceptions import ClientError

        def handler(event, context):
            {lines}
            try:
                put()
            except ClientError as error:
                return error.response["Error"]["Code"]
            return "stored"
        """
    got = replies(written(tmp_path, text), {"id": "a"}, {"id": "a"}, {"id": "b"})
    failed = '"ConditionalCheckFailedException"'
    assert [reply.body for reply in got] == ['"stored"', failed, '"stored"']
    assert [entry.refused for reply in got for entry in reply.effects] == [False, True, False]


def test_a_condition_that_cannot_be_read_refuses_and_says_so(tmp_path: Path) -> None:
    text = """
        import boto3
        def handler(event, context):
            boto3.client("dynamodb").put_item(TableName="t", Item={"id": {"S": "a"}}, ConditionExpression="id ~ :x")
        """
    (reply,) = replies(written(tmp_path, text))
    assert (reply.ended, reply.error) == ("error", "ValidationException")
    assert told(reply) == [effect("dynamodb", "PutItem", "t (not understood)", refused=True)]


def test_items_come_back_as_they_were(tmp_path: Path) -> None:
    body = """
import boto3
from decimal import Decimal
t = boto3.resource("dynamodb").Table("t")
item = {"id": "a", "n": Decimal("1.5"), "b": True, "l": [1, None], "m": {"x": {"y"}}, "raw": b"\\x00"}
t.put_item(Item=item)
t.update_item(Key={"id": "a"}, UpdateExpression="SET k = if_not_exists(k, :z) + :o ADD n :o REMOVE b", ExpressionAttributeValues={":z": 0, ":o": 1})
got = t.get_item(Key={"id": "a"})["Item"]
return [got["k"], got["n"], "b" in got, got["l"], sorted(got["m"]["x"]), got["raw"].hex(), "Item" in t.get_item(Key={"id": "c"})]
"""
    assert answered(tmp_path, body) == [1, 2.5, False, [1, None], ["y"], "00", False]


NETWORK = {
    "urllib": (
        "import urllib.request as u\n    u.urlopen('https://hooks.slack.com/commands/x', b'x=1').read()",
        "POST",
    ),
    "http.client": (
        "import http.client as h\n    c = h.HTTPSConnection('hooks.slack.com')\n    c.request('GET', '/')\n    c.getresponse().read()",
        "GET",
    ),
    "urllib3": (
        "import urllib3\n    urllib3.PoolManager().request('POST', 'https://hooks.slack.com/x', json={})",
        "POST",
    ),
    "webhook": (
        "from slack_sdk.webhook import WebhookClient\n    assert WebhookClient('https://hooks.slack.com/x').send(text='x').body == 'ok'",
        "POST",
    ),
}
SITE = [Path(path) for path in sys.path if path.endswith("site-packages")]


@pytest.mark.parametrize(("body", "method"), NETWORK.values(), ids=NETWORK)
def test_slack_answers_and_is_recorded(tmp_path: Path, body: str, method: str) -> None:
    text = f"def handler(event, context):\n    {body}\n    return 1\n"
    (reply,) = replies(written(tmp_path, text), packages=SITE)
    assert (reply.ended, reply.body, told(reply)) == ("", "1", [effect("network", method, "hooks.slack.com")])


def test_slacks_own_client_is_answered(tmp_path: Path) -> None:
    text = "from slack_sdk import WebClient\ndef handler(event, context):\n    return WebClient(token='x').chat_postMessage(channel='C', text='x')['ok']\n"
    (reply,) = replies(written(tmp_path, text), packages=SITE)
    assert (reply.body, [entry.service for entry in reply.effects]) == ("true", ["network"])


def test_vendored_boto3_is_used_and_its_requests_are_answered(tmp_path: Path) -> None:
    body = """
import boto3
from botocore.exceptions import ClientError
assert "site-packages" in boto3.__file__
s = boto3.client("secretsmanager").get_secret_value(SecretId="x")["SecretString"]
d, done = boto3.client("dynamodb"), []
for _ in range(2):
    try:
        d.put_item(TableName="t", Item={"id": {"S": "a"}}, ConditionExpression="attribute_not_exists(id)")
        done.append("stored")
    except d.exceptions.ConditionalCheckFailedException:
        done.append("refused")
boto3.client("sqs").send_message(QueueUrl="https://sqs.eu-west-1.amazonaws.com/1/work", MessageBody="x")
boto3.client("lambda").invoke(FunctionName="worker", InvocationType="Event")
return [s, done]
"""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    file = written(tmp_path, f"def handler(event, context):\n{lines}\n")
    (reply,) = replies(file, packages=SITE, limits=Limits(seconds=20))
    assert json.loads(reply.body) == ["s3cret", ["stored", "refused"]]
    assert told(reply) == [
        effect("secretsmanager", "GetSecretValue", "x"),
        effect("dynamodb", "PutItem", "t"),
        effect("dynamodb", "PutItem", "t", refused=True),
        effect("sqs", "SendMessage", "work"),
        effect("lambda", "Invoke", "worker"),
    ]


REFUSED = {
    "another host": ("import urllib.request as u\n    u.urlopen('https://evil.example/x')", "network", "evil.example"),
    "an address": (
        "import socket\n    socket.create_connection(('169.254.169.254', 80))",
        "network",
        "169.254.169.254",
    ),
    "a port": ("import socket\n    socket.create_connection(('slack.com', 22))", "network", "slack.com:22"),
    "below Python": (
        "import _socket\n    _socket.socket(2, 1).connect(('1.1.1.1', 80))",
        "network",
        "('1.1.1.1', 80)",
    ),
    "a datagram": (
        "import socket\n    socket.socket(2, 2).sendto(b'x', ('8.8.8.8', 53))",
        "network",
        "('8.8.8.8', 53)",
    ),
    "a socket of the system": (
        "import socket\n    socket.socket(1, 1).connect('/run/docker.sock')",
        "network",
        "/run/docker.sock",
    ),
    "a program": ("import subprocess\n    subprocess.run(['curl', 'x'])", "process", "curl"),
    "a shell": ("import os\n    os.system('curl evil.example')", "process", "curl"),
    "another program": ("import os\n    os.execv('/bin/true', ['true'])", "process", "true"),
}


@pytest.mark.parametrize(("body", "service", "detail"), REFUSED.values(), ids=REFUSED)
def test_what_would_reach_out_is_refused_and_recorded(tmp_path: Path, body: str, service: str, detail: str) -> None:
    text = f"def handler(event, context):\n    try:\n        {body.replace(chr(10), chr(10) + '    ')}\n    except OSError:\n        return 1\n"
    (reply,) = replies(written(tmp_path, text))
    assert (reply.ended, reply.body) == ("", "1")
    operation = "CONNECT" if service == "network" else "spawn"
    assert told(reply) == [effect(service, operation, detail, refused=True)]


def test_writing_outside_tmp_is_refused_as_on_lambda(tmp_path: Path) -> None:
    target = Path("/var/written-by-a-handler")  # the clone itself may lie below /tmp
    body = f"import os\ntry: open({str(target)!r}, 'w')\nexcept OSError as error: return error.errno == 30"
    file = written(tmp_path, "def handler(event, context):\n    " + body.replace("\n", "\n    ") + "\n")
    (reply,) = replies(file)
    assert not target.exists()
    assert (reply.body, told(reply)) == ("true", [effect("file", "write", str(target), refused=True)])


def test_logs_show_what_was_added_to_a_record(tmp_path: Path) -> None:
    text = """
        import logging
        print("at import")
        log = logging.getLogger("x")
        def handler(event, context):
            print("call", event["n"])
            log.warning("refused %s", "x", extra={"body": {"token": 1}})
        """
    first, second = replies(written(tmp_path, text), {"n": 1}, {"n": 2})
    assert first.logs.splitlines()[:2] == ["at import", "call 1"]
    assert second.logs.splitlines()[0] == "call 2"
    assert json.loads(second.logs.splitlines()[1]) == {
        "level": "WARNING", "logger": "x", "message": "refused x", "body": {"token": 1},
    }  # fmt: skip


# --- what cannot be run


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = 1\ndef handler(:\n", 2, "syntax error: SyntaxError"),
        ("import os\n\nraise ValueError('s3cret')\n", 3, "error while it was loaded: ValueError"),
        ("import os\nx = os.environ['NOPE s3cret']\n", 2, "error while it was loaded: KeyError"),
        ("def run(e, c): pass\n", 0, "there is no function 'handler' and no 'lambda_handler'; functions found: run"),
        ("def handler(e, c): pass\ndef lambda_handler(e, c): pass\n", 0, "has both 'handler' and 'lambda_handler'"),
    ],
)
def test_what_cannot_be_loaded_is_a_problem(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(InputError) as raised:
        replies(written(tmp_path, text))
    (problem,) = raised.value.problems
    assert (problem.code, problem.place.line, problem.message) == ("cannot-probe", line, message)
    assert "s3cret" not in str(raised.value) + problem.hint


LACKING = {
    "module": (
        "import no_such_package.part\n",
        "the module 'no_such_package' is missing",
        "--target FOLDER no-such-package",
    ),
    "deeper": ("import helper\n", "the module 'no_such_package' is missing", "--packages FOLDER"),
    "variable": (
        "import os\nT = os.environ['TABLE']\n",
        "it needs the variable TABLE, which is not set",
        "--env TABLE=VALUE",
    ),
    "all variables": (
        "import os\nos.getenv('A'), os.environ.get('B'), 'C' in os.environ\nT = os.environ['T']\n",
        "it needs the variable T, which is not set",
        "it also asked for these variables and did not get them: A, B, C",
    ),
    "file": ("open('rules.json')\n", "it needs the file 'rules.json', which is not there", "put it into the handler's"),
    "listed": ("import listed_one\n", "the module 'listed_one' is missing", "requirements.txt"),
    "near": ("import shared_code\n", "the module 'shared_code' is missing", "it lies near: give --packages"),
}


@pytest.mark.parametrize(("text", "message", "hint"), LACKING.values(), ids=LACKING)
def test_what_is_lacking_is_named_with_how_to_get_it(tmp_path: Path, text: str, message: str, hint: str) -> None:
    written(tmp_path, "import no_such_package\n", "bot/helper.py")
    written(tmp_path, "listed-one==1.0\n", "bot/requirements.txt")
    written(tmp_path, "", "common/shared_code.py")
    with pytest.raises(InputError) as raised:
        replies(written(tmp_path, text, "bot/app.py"))
    (problem,) = raised.value.problems
    assert (problem.code, problem.message) == ("cannot-probe", message)
    assert hint in problem.hint


def test_packages_of_the_template_s_layer_are_found(tmp_path: Path) -> None:
    written(tmp_path, "WORD = 'from the layer'\n", "layer/python/shared_code.py")
    template = """
        Resources:
          Shared:
            Type: AWS::Serverless::LayerVersion
            Properties: {ContentUri: layer/}
        """
    written(tmp_path, template, "template.yaml")
    text = "import shared_code\ndef handler(e, c): return shared_code.WORD\n"
    assert replies(written(tmp_path, text, "src/app.py"))[0].body == '"from the layer"'


def test_variables_that_it_did_not_get_are_told_and_only_its_own(tmp_path: Path) -> None:
    text = """
        import os, urllib.request
        LEVEL = os.environ.get("LOG_LEVEL", "INFO")
        def handler(event, context):
            urllib.request.getproxies()  # asks for HTTP_PROXY and others, and is not the author's
            return [os.getenv("TABLE"), os.environ["SLACK_SIGNING_SECRET"]]
        """
    runner = runner_for(str(written(tmp_path, text)), limits=LIMITS)
    runner.run(Scenario(name="x", calls=(Call(event={}),), secret="x"))
    assert vars(type(runner))["missing_variables"].fget(runner) == ("LOG_LEVEL", "TABLE")


def test_a_module_that_wants_the_secret_fails_closed_without_one(tmp_path: Path) -> None:
    file = written(tmp_path, "import os\nS = os.environ['SLACK_SIGNING_SECRET']\ndef handler(e, c): return 1\n")
    assert [(reply.ended, reply.error) for reply in replies(file, secret=None)] == [("error", "KeyError")]
    assert replies(file)[0].body == "1"


@pytest.mark.parametrize("name", ["handler", "lambda_handler"])
def test_usual_names_need_not_be_said(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, f"def {name}(e, c): return 1\ndef other(e, c): return 2\n")
    assert replies(file)[0].body == "1"
    assert runner_for(f"{file}:other").run(Scenario(name="x", calls=(Call(event={}),)))[0].body == "2"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("none.py", "missing-file"),
        ("none.py:handler", "missing-file"),
        ("none.txt", "wrong-target"),
        ("app.py:", "wrong-target"),
        ("app.py:a b", "wrong-target"),
        ("", "wrong-target"),
        ("ftp://127.0.0.1/", "wrong-target"),
        ("http://example.com/", "wrong-target"),
        ("http://user:pass@127.0.0.1/", "wrong-target"),
        ("http://127.0.0.1:99999999/", "wrong-target"),
        ("http:///x", "wrong-target"),
        ("http://127.0.0.1.evil.example/", "wrong-target"),
    ],
)
def test_other_targets_are_problems(target: str, code: str) -> None:
    with pytest.raises(InputError) as raised:
        runner_for(target)
    assert [problem.code for problem in raised.value.problems] == [code]
    assert "pass" not in str(raised.value)


def test_scenarios_run_in_threads(tmp_path: Path) -> None:
    file = written(
        tmp_path, "import os\ndef handler(event, context): return [event['n'], os.environ['SLACK_SIGNING_SECRET']]\n"
    )
    runner, found = runner_for(str(file), limits=LIMITS), {}

    def run(number: int) -> None:
        scenario = Scenario(name="x", secret=str(number), calls=(Call(event={"n": number}),))
        found[number] = runner.run(scenario)[0].body

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: f'[{number}, "{number}"]' for number in range(6)}


@pytest.mark.parametrize("way", ["threading.Thread(target=work).start()", "os.fork() or (work(), os._exit(0))"])
def test_what_is_left_behind_an_answer_is_still_seen(tmp_path: Path, way: str) -> None:
    text = f"""
        import boto3, os, threading, time
        def work():
            time.sleep(0.1)
            boto3.client("sqs").send_message(QueueUrl="q", MessageBody="")
        def handler(event, context):
            {way}
            return {{"statusCode": 401}}
        """
    (reply,) = replies(written(tmp_path, text))
    assert (reply.status, told(reply)) == (401, [effect("sqs", "SendMessage", "q")])


def test_another_environment_shares_what_aws_keeps_and_nothing_else(tmp_path: Path) -> None:
    text = """
        import boto3
        seen = []
        def handler(event, context):
            seen.append(1)
            table = boto3.resource("dynamodb").Table("t")
            before = len(table.scan()["Items"])
            table.put_item(Item={"id": context.aws_request_id})
            return [len(seen), before]
        """
    calls = tuple(Call(event={}, fresh=fresh) for fresh in (False, False, True))
    found = runner_for(str(written(tmp_path, text)), limits=LIMITS).run(Scenario(name="test", calls=calls, secret="x"))
    assert [reply.body for reply in found] == ["[1, 0]", "[2, 1]", "[1, 2]"]


def test_a_program_that_no_audit_hook_hears_of_is_refused(tmp_path: Path) -> None:
    text = """
        import multiprocessing
        def handler(event, context):
            multiprocessing.get_context("spawn").Process(target=print).start()
        """
    (reply,) = replies(written(tmp_path, text))
    assert (reply.error, reply.effects[0].service) == ("PermissionError", "process")
