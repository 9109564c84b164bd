"""Who calls a route, as the code of its function and the outputs of its template say: known, and not asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.beside.places import assess
from threatmodel.command.main import main

Printed = pytest.CaptureFixture[str]

CODE = """\
from urllib.parse import parse_qs

def handler(event, context):
    form = parse_qs(event["body"])
    return {"statusCode": 200, "body": form["command"][0] + form["response_url"][0]}
"""
PLAIN = "def handler(event, context):\n    return 1\n"


def imported(
    folder: Path,
    routes: list[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    code: str = CODE,
    description: str = "",
    value: str = "",
) -> list[str]:
    """The lines of triggers in the model of a template with one function; the model is written, too."""
    events = "".join(
        f"        E{number}: {{Type: HttpApi, Properties: {{Method: {method}, Path: '{path}'}}}}\n"
        for number, (method, path) in enumerate(one.split() for one in routes)
    )
    text = (
        "Transform: AWS::Serverless-2016-10-31\nDescription: A bot for Slack\nResources:\n"
        "  Bot:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        f"      CodeUri: src/\n      Handler: app.handler\n      Runtime: python3.13\n      Events:\n{events}"
    )
    if description:
        text += f"Outputs:\n  Url:\n    Description: {description}\n    Value: !Sub '{value}'\n"
    (folder / ".git").mkdir()
    (folder / "src").mkdir()
    (folder / "src" / "app.py").write_text(code, encoding="utf-8")
    (folder / "template.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    assert main(["import", ".", "-o", "model.yaml"]) == 0
    lines = (folder / "model.yaml").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if "{slack:" in line and not line.strip().startswith("#")]


def test_each_question_says_in_which_files_its_answer_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    assert imported(tmp_path, ["POST /a"], monkeypatch, code=PLAIN) == []
    capsys.readouterr()
    assert main(["ask", "--json", "-m", "model.yaml"]) == 0
    known = {one["id"]: one["known"] for one in json.loads(capsys.readouterr().out)["questions"]}
    assert known["function.purpose"].startswith("looked at, and not shown there: template.yaml, src/app.py")
    assert known["platform"] == "no file of the evidence shows it"
    assert all(known.values())


def test_a_question_about_callers_says_which_handler_verifies_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    assert imported(tmp_path, ["POST /a", "POST /b"], monkeypatch, code=PLAIN) == []
    capsys.readouterr()
    assert main(["check", "-m", "model.yaml"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    said = "bot: nothing verifies the signature: no code that this handler can reach computes an HMAC (src/app.py:1)"
    assert f"unknown: callers; {said} do:" in out
    assert main(["ask", "--json", "-m", "model.yaml"]) == 0
    (known,) = [one["known"] for one in json.loads(capsys.readouterr().out)["questions"] if "Slack call" in one["ask"]]
    assert known.startswith(f"{said}; signs of Slack: ")


@pytest.mark.parametrize(
    ("routes", "known"),
    [
        (["POST /slack"], 1),
        (["POST /slack", "GET /health"], 1),
        (["ANY /", "ANY /{proxy+}"], 2),
        # which of several routes Slack calls is not in the code
        (["POST /slack", "POST /other"], 0),
        (["POST /other", "ANY /{proxy+}"], 0),
    ],
)
def test_the_only_route_that_slack_can_call_is_known_by_the_code(
    routes: list[str], known: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    lines = imported(tmp_path, routes, monkeypatch)
    assert len(lines) == known
    assert all("slash-command" in one and one.endswith("# by src/app.py:5") for one in lines)
    capsys.readouterr()
    assert bool(assess(tmp_path / "model.yaml", monkeypatch, capsys).asked) == (not known)


def test_the_code_answers_what_a_model_leaves_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    (line,) = imported(tmp_path, ["POST /slack"], monkeypatch)
    model = tmp_path / "model.yaml"
    open_line = "triggers: [{http: POST, api: serverless-http-api, path: /slack, caller: unknown}]"
    model.write_text(model.read_text(encoding="utf-8").replace(line, open_line), encoding="utf-8")
    capsys.readouterr()
    found = assess(model, monkeypatch, capsys)
    assert (found.surfaces, found.asked) == ({"slash-command"}, [])


_HOST = "https://${ServerlessHttpApi}.execute-api.${AWS::Region}.amazonaws.com"


@pytest.mark.parametrize(
    ("routes", "description", "value", "known"),
    [
        (["POST /a", "POST /b"], "Slash command URL", f"{_HOST}/Prod/b", "slash-command /b"),
        (["POST /a", "POST /b"], "Request URL for Event Subscriptions", f"{_HOST}/a", "events /a"),
        (["POST /a"], "The endpoint of the slash command", f"{_HOST}/Prod/", "slash-command /a"),
        (["POST /a"], "Put it into Interactivity > Request URL", "${Stage}", "interactivity /a"),
        (["POST /a", "POST /b"], "The endpoint of the slash command", f"{_HOST}/Prod/", ""),
        (["POST /a"], "The endpoint of the slash command", "https://x.example.com/b/c", ""),
        (["POST /a"], "Request URL for Slack slash commands", f"{_HOST}/other", ""),
        (["POST /a"], "The ARN of the function of the slash command", "${Bot.Arn}", ""),
        (["POST /a"], "The topic of Slack events", "${Topic}", ""),
    ],
)
def test_an_output_says_where_its_address_is_put(
    routes: list[str], description: str, value: str, known: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = imported(tmp_path, routes, monkeypatch, code=PLAIN, description=description, value=value)
    surface, _, path = known.partition(" ")
    assert [f"slack: {surface}" in one and f"path: {path}}}" in one for one in lines] == [True] * bool(known)


GRANTING = """\
import os
from slack_bolt import App
from slack_bolt.adapter.aws_lambda import SlackRequestHandler
app = App(token=os.environ["BOT"], signing_secret=os.environ["KEY"])
def handler(event, context):
    return SlackRequestHandler(app=app).handle(event, context)
"""
SECRETS = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  SigningSecret: {Type: String, NoEcho: true}
  BotToken: {Type: String, NoEcho: true}
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Environment:
        Variables:
          KEY: !Ref SigningSecret
          BOT: !Ref BotToken
"""


def test_the_code_shows_what_the_secret_in_a_variable_grants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(GRANTING, encoding="utf-8")
    (tmp_path / "template.yaml").write_text(SECRETS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["import", ".", "-o", "model.yaml"]) == 0
    capsys.readouterr()
    found = assess(tmp_path / "model.yaml", monkeypatch, capsys)
    secrets = [one["id"] for one in found.whole["elements"] if one["kind"] == "secret"]
    assert {found.fact(one, "grants") for one in secrets} == {
        ("slack-requests", "app.py:4", "evidence, in doubt"),
        ("slack-api", "app.py:4", "evidence, in doubt"),
    }
