"""What a Python handler sees, and how its answer is read."""

# ruff: noqa: E501 - many a handler here is one line of text

from __future__ import annotations

import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.probe.runners.answering import answered
from tests.probe.running import replies, written

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="handlers are not run on Windows")]


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
    before = time.time()
    shown = float(replies(written(tmp_path, text), at=[at])[0].body)
    passed, start = time.time() - before, before if at is None else at
    spare = 86_400 if "today" in clock else 1  # clocks of whole days and seconds
    assert start - spare <= shown <= start + passed + spare


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
    assert 1000 <= first < later < 5000 <= second < 9000


def test_what_the_clock_is_set_forward_by_has_passed_for_caches_too(tmp_path: Path) -> None:
    text = """
        import time
        from time import monotonic
        def handler(event, context): return [time.monotonic(), monotonic(), time.monotonic_ns() / 1e9]
        """
    each = [
        json.loads(reply.body) for reply in replies(written(tmp_path, text), {}, {}, {}, at=[1000.0, 2800.0, 100.0])
    ]
    for first, second, third in zip(*each, strict=True):
        assert 1799 <= second - first < 3600
        assert 0 <= third - second < 1800  # back in time it never goes


def test_context_is_lambdas(tmp_path: Path) -> None:
    body = "return [context.aws_request_id, context.function_name, context.memory_limit_in_mb, "
    body += (
        "context.get_remaining_time_in_millis(), context.invoked_function_arn.split(':')[2], context.log_group_name]"
    )
    request, name, memory, left, service, group = answered(tmp_path, body)
    assert len(request) == 36
    assert (name, memory, service, group) == ("probe", "512", "lambda", "/aws/lambda/probe")
    assert 0 < left <= 5000


def test_one_environment_keeps_its_state_and_the_next_has_none(tmp_path: Path) -> None:
    file = written(tmp_path, "seen = []\ndef handler(event, context):\n    seen.append(1)\n    return len(seen)\n")
    assert [[reply.body for reply in replies(file, {}, {})] for _ in range(2)] == [["1", "2"], ["1", "2"]]


def test_modules_beside_it_come_first_even_ones_of_our_name(tmp_path: Path) -> None:
    written(tmp_path, "NAME = 'theirs'\n", "threatmodel.py")
    written(tmp_path, "def client(name): return 'own ' + name\n", "boto3.py")
    body = "import threatmodel, boto3\nreturn [threatmodel.NAME, boto3.client('sqs')]"
    assert answered(tmp_path, body) == ["theirs", "own sqs"]
    assert not list(tmp_path.rglob("*.pyc"))


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
