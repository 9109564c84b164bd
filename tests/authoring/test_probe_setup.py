"""Three commands lead from a handler to a proven fact: its variables, the probe, and the evidence in the model."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.refusals import write
from threatmodel.authoring.insertion import with_item
from threatmodel.authoring.probe_setup import variables_file
from threatmodel.command.main import main
from threatmodel.probe.asked_for import variables_asked_for
from threatmodel.probe.made_up import environment_file, made_up
from threatmodel.probe.variables import variables
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.source import parse

PYTHON = """
import os
from os import environ, getenv
TABLE = os.environ["REPLAY_TABLE"]
os.environ.get("LOG_LEVEL", "INFO"), environ["SLACK_BOT_TOKEN"], getenv("QUEUE_URL"), os.getenv("DB_PASSWORD")
"FLAG" in os.environ, os.environ["AWS_REGION"], {}.get("NOT_ONE"), os.environ["SLACK_SIGNING_SECRET"]
"""
JAVASCRIPT = """
const { REPLAY_TABLE, TIMEOUT: seconds = 3 } = process.env;
const url = process.env.QUEUE_URL ?? process.env['OTHER'];
"""
TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Environment: {Variables: {EVERYWHERE: x}}}}
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      {Handler: app.handler, Runtime: python3.13, CodeUri: ., Environment: {Variables: {FROM_TEMPLATE: !Ref X}}}
  Other:
    Type: AWS::Serverless::Function
    Properties: {Handler: other.handler, Runtime: python3.13, CodeUri: ., Environment: {Variables: {OF_ANOTHER: x}}}
  X: {Type: AWS::SQS::Queue}
"""


def test_names_come_from_source_and_template(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PYTHON, encoding="utf-8")
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    found = variables_asked_for(tmp_path / "app.py", Files())
    own = {"REPLAY_TABLE", "LOG_LEVEL", "SLACK_BOT_TOKEN", "QUEUE_URL", "DB_PASSWORD", "FLAG", "SLACK_SIGNING_SECRET"}
    assert set(found) == own | {"FROM_TEMPLATE", "EVERYWHERE"}


def test_names_come_from_javascript(tmp_path: Path) -> None:
    (tmp_path / "index.mjs").write_text(JAVASCRIPT, encoding="utf-8")
    assert set(variables_asked_for(tmp_path / "index.mjs", Files())) == {
        "REPLAY_TABLE",
        "TIMEOUT",
        "QUEUE_URL",
        "OTHER",
    }


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-made-up", True),
        ("SIGNING_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:made-up", False),
        ("DB_PASSWORD", "made-up-secret", True),
        ("ALLOWED_COMMANDS", "/webhook-collect", False),
        ("ALLOWED_USERS", "U2CERLKJA", False),
        ("WORK_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/111122223333/made-up", False),
        ("ANYTHING", "made-up", False),
    ],
)
def test_values_are_made_up_by_name(name: str, value: str, secret: bool) -> None:
    assert made_up(name) == (value, secret)


def test_a_secret_is_marked_and_the_signing_secret_left_to_the_probe() -> None:
    text = environment_file(["SLACK_BOT_TOKEN", "MY_SIGNING_SECRET", "TABLE"], "app.py", {})
    assert variables(text, "probe.env") == {"SLACK_BOT_TOKEN": "xoxb-made-up", "TABLE": "made-up-table"}
    assert "# a secret: keep it made up\nSLACK_BOT_TOKEN=" in text


def test_literals_of_the_template_are_taken_and_codes_of_errors_are_no_variables(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(
        str(tmp_path / "template.yaml"),
        "Resources: {Bot: {Type: AWS::Serverless::Function, Properties: {Handler: app.handler, Environment: {Variables:"
        " {STAGE: prod, MAX_AGE: 300, BOT_TOKEN: xoxb-real, TABLE: !Ref T}}}}}\n",
    )
    write(
        str(tmp_path / "app.py"),
        "import os\ndef setting(name): return os.environ[name]\nTABLE = setting('OWN_TABLE')\n"
        "def handler(event, context): raise ValueError('INVALID_SIGNATURE')\n",
    )
    ((_, text, _),) = variables_file(f"{tmp_path}/app.py", Files(), "tm.py").files
    found = variables(text, "probe.env")
    assert found.keys() == {"OWN_TABLE", "STAGE", "MAX_AGE", "BOT_TOKEN", "TABLE"}
    assert (found["STAGE"], found["MAX_AGE"]) == ("prod", "300")
    assert "xoxb-real" not in text


MODEL = """\
name: Bot  # kept
functions:
  bot:
    triggers: [{slack: slash-command, api: door}]
apis:
  door: {}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1\n", "a: 1\nevidence:\n  - {x: y}\n"),
        ("evidence:\n  - {x: 1}  # why\n\nb: 2\n", "evidence:\n  - {x: 1}  # why\n  - {x: y}\n\nb: 2\n"),
        ("evidence:\n- {x: 1}\nb: 2\n", "evidence:\n- {x: 1}\n- {x: y}\nb: 2\n"),
        ("evidence:\r\n  - {x: 1}\r\n", "evidence:\r\n  - {x: 1}\r\n  - {x: y}\r\n"),
    ],
)
def test_an_item_is_added_and_the_rest_stays(before: str, after: str) -> None:
    assert with_item(before, parse(before.replace("\r", ""), "m.yaml"), "evidence", "- {x: y}", {"x": "y"})[0] == after


def test_a_list_between_brackets_is_not_touched() -> None:
    text = "evidence: [{x: 1}]\n"
    with pytest.raises(InputError, match="cannot-add"):
        with_item(text, parse(text, "m.yaml"), "evidence", "- {x: y}", {"x": "y"})


HANDLER = """
import base64, hashlib, hmac, os, time
import boto3
QUEUE, SECRET = os.environ["WORK_QUEUE_URL"], os.environ.get("SLACK_SIGNING_SECRET", "")

def handler(event, context):
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    body = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    sent = headers.get("x-slack-request-timestamp", "")
    if not SECRET or not sent.isascii() or not sent.isdecimal() or abs(time.time() - int(sent)) > 300:
        return {"statusCode": 401, "body": ""}
    expected = "v0=" + hmac.new(SECRET.encode(), b"v0:" + sent.encode() + b":" + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), headers.get("x-slack-signature", "").encode()):
        return {"statusCode": 401, "body": ""}
    boto3.client("sqs").send_message(QueueUrl=QUEUE, MessageBody="work")
    return {"statusCode": 200, "body": "Working on it."}
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="handlers are not run on Windows")
def test_three_commands_lead_from_a_handler_to_a_proven_fact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "app.py").write_text(HANDLER, encoding="utf-8")
    (tmp_path / "model.yaml").write_text(MODEL, encoding="utf-8")

    assert main(["probe", "bot/app.py", "--init"]) == 0
    told = capsys.readouterr().out
    assert "wrote bot/probe.env: 1 variables, made up" in told
    assert "probe bot/app.py --env-file bot/probe.env -m MODEL --function ID" in told
    assert main(["probe", "bot/app.py", "--init"]) == 2  # never written over
    assert "already-exists" in capsys.readouterr().err

    model = ["-m", "model.yaml", "--function"]
    asked = ["probe", "bot/app.py", "--env-file", "bot/probe.env", "--unconfined", *model]
    assert main([*asked, "nobody"]) == 2
    assert "no function of this model" in capsys.readouterr().err
    assert main([*asked, "bot"]) in {0, 1}  # it keeps no record of requests: they may be sent again
    assert "  - {probe: bot/bot.probe.json, function: bot}\n" in (tmp_path / "model.yaml").read_text(encoding="utf-8")
    assert main([*asked, "bot"]) in {0, 1}
    assert "model.yaml already names it" in capsys.readouterr().out

    main(["-m", "model.yaml", "--json"])
    found = json.loads(capsys.readouterr().out)
    states = {(one["id"], s["state"]) for one in found["controls"] for s in one["states"] if s["element"] == "bot"}
    assert ("slack-request-signing", "proven") in states
