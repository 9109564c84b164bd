"""What cannot be run, and how scenarios run beside each other."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from tests.probe.running import LIMITS, effect, replies, told, written
from threatmodel.probe.protocol import SEARCH, Call, Scenario
from threatmodel.probe.runners.target import runner_for
from threatmodel.reading.problems import InputError

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="handlers are not run on Windows")]


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


ENDING = {
    "sys.exit()": "its process ends while it is loaded",
    "os._exit(0)": "its process ends while it is loaded",
    "os.kill(os.getpid(), 11)": "its process crashes while it is loaded",
    "bytearray(10**12)": "it takes more memory than the probe gives while it is loaded",
    "print('x' * 10**8)": "it prints more than is read while it is loaded",
    "time.sleep(60)": "it takes too long to be loaded",
}


@pytest.mark.parametrize("text", ENDING)
def test_what_ends_while_it_is_loaded_is_a_problem_at_once(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, f"import os, sys, time\n{text}\ndef handler(event, context): ...\n")
    runner = runner_for(str(file), limits=LIMITS)
    with pytest.raises(InputError) as raised:
        runner.run(Scenario(name=SEARCH, calls=(Call(event={}),), secret="s3cret"))
    assert [one.message for one in raised.value.problems] == [ENDING[text]]


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
    "name of a module": (
        "from json import no_such_name\n",
        "it imports json.no_such_name, which is not there",
        "install the version that it needs",
    ),
    "attribute": ("import json\njson.no_such\n", "AttributeError: json.no_such is not known there", "fix it"),
    "key": ("{}['bot_token']\n", "it reads the key bot_token, which what it was given lacks", "a key of a secret"),
    "host": (
        "import urllib.request\nurllib.request.urlopen('https://config.example.com/x')\n",
        "error while it was loaded: URLError",
        "it called config.example.com, which the probe does not answer",
    ),
    "layer": ("open('/opt/rules.json')\n", "it needs the file '/opt/rules.json', which is not there", "has no /opt"),
    "near": ("import shared_code\n", "the module 'shared_code' is missing", "it is near: give --packages"),
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
        ("app.ts", "wrong-target"),
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
