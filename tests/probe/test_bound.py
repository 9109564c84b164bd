"""A saved result is evidence of the very code, variables and version that it was of, and word in every other case."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import HOME
from threatmodel.command.main import main

MODEL = """\
name: Shop
functions:
  order-bot:
    triggers: [{slack: slash-command, path: /slack/orders, api: slack-api}]
apis:
  slack-api: {}
evidence:
  - {template: template.yaml}
  - {probe: app/order-bot.probe.json, function: order-bot, free: [ALLOWED_COMMANDS, ALLOWED_IDS]}
"""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return why the example's result counts as a statement after a change; '' where it is evidence."""
    monkeypatch.chdir(tmp_path)
    Path(".git").mkdir()
    shutil.copytree(HOME / "examples" / "slack-app", "app")
    text = Path("app/template.yaml").read_text(encoding="utf-8")  # what is in the folder of the code counts as code
    code = text.replace("    CodeUri: .\n", "    CodeUri: app/\n", 1)
    assert code != text
    Path("template.yaml").write_text(code, encoding="utf-8")

    def after(
        *, template: tuple[str, str] = ("", ""), result: Callable[[Any], None] | None = None, **words: str
    ) -> str:
        Path("model.yaml").write_text(MODEL.replace("function: order-bot,", words.get("line", "function: order-bot,")))
        text = Path("template.yaml").read_text(encoding="utf-8")
        assert template[0] in text
        Path("template.yaml").write_text(text.replace(*template, 1), encoding="utf-8")
        if result is not None:
            found = json.loads(Path("app/order-bot.probe.json").read_text(encoding="utf-8"))
            result(found)
            Path("app/order-bot.probe.json").write_text(json.dumps(found), encoding="utf-8")
        capsys.readouterr()
        assert main(["-m", "model.yaml", "--json", "--today", words.get("today", "2026-11-28")]) == 0
        told = json.loads(capsys.readouterr().out)
        stale: str = next(one.get("stale", "") for one in told["evidence"] if one["kind"] == "probe")
        return stale

    return after


def test_the_example_s_result_is_evidence(said: Callable[..., str]) -> None:
    assert said() == ""


FUNCTION = "  OrderBotFunction:\n    Type: AWS::Serverless::Function\n"
TEMPLATES = {
    "another module": ("Handler: app.handler", "Handler: worker.handler"),
    "another function of it": ("Handler: app.handler", "Handler: app.other"),
    "another folder": ("Handler: app.handler", "Handler: app.handler\n      CodeUri: src/"),
    "another runtime": ("Handler: app.handler", "Handler: app.handler\n      Runtime: nodejs22.x"),
    "an object in a bucket": (
        "Handler: app.handler",
        "Handler: app.handler\n      CodeUri: s3://artifacts/bot.zip",
    ),
    "an asset that sam build takes instead": (
        FUNCTION,
        f"{FUNCTION}    Metadata: {{'aws:asset:path': src/, 'aws:asset:property': CodeUri}}\n",
    ),
    "an image that sam build makes": (
        FUNCTION,
        f"{FUNCTION}    Metadata: {{'aws:asset:path': app, 'aws:asset:dockerfile-path': Dockerfile}}\n",
    ),
    "a layer": (
        "Handler: app.handler",
        "Handler: app.handler\n      Layers: ['arn:aws:lambda:eu-west-1:123456789012:layer:x:1']",
    ),
}


@pytest.mark.parametrize("change", TEMPLATES.values(), ids=TEMPLATES)
def test_other_code_makes_it_word(said: Callable[..., str], change: tuple[str, str]) -> None:
    assert "it counts as a statement" in said(template=change)


IDS, COMMANDS = "ALLOWED_IDS: !Ref AllowedIds", "ALLOWED_COMMANDS: /order"
SWITCHES = {
    "a free variable is left out": (IDS, ""),
    "a star": (IDS, "ALLOWED_IDS: '*'"),
    "a word": (COMMANDS, "ALLOWED_COMMANDS: any"),
    "a digit": (COMMANDS, "ALLOWED_COMMANDS: 1"),
    "a boolean": (COMMANDS, "ALLOWED_COMMANDS: true"),
    "nothing": (COMMANDS, "ALLOWED_COMMANDS: ''"),
    "a parameter that may be a word": ('    Default: ""\n', "    AllowedValues: [T1, all]\n    Default: T1\n"),
}


@pytest.mark.parametrize("change", SWITCHES.values(), ids=SWITCHES)
def test_a_free_variable_holds_data_and_is_no_switch(said: Callable[..., str], change: tuple[str, str]) -> None:
    told = said(template=change)
    assert "values that read as switches" in told or "no longer has the environment variables" in told


@pytest.mark.parametrize("change", [(COMMANDS, "ALLOWED_COMMANDS: /buy,/sell"), (IDS, "ALLOWED_IDS: T1DC2JH3J")])
def test_a_free_variable_may_hold_other_data(said: Callable[..., str], change: tuple[str, str]) -> None:
    assert said(template=change) == ""


VARIABLE = "          ALLOWED_COMMANDS: /order\n"
SECRET = "SIGNING_SECRET_ARN: !Ref SlackSigningSecret"
QUEUE = "WORK_QUEUE_URL: !Ref WorkQueue"
TRANSFORM = "Transform: AWS::Serverless-2016-10-31"
GLOBALS = "    MemorySize: 1024 # cold"
ROUTE = "      Events:\n        Order:\n"


def more(text: str) -> tuple[str, str]:
    """The change that adds a variable."""
    return VARIABLE, f"{VARIABLE}          {text}\n"


def secret(value: str) -> tuple[str, str]:
    """The change of the variable that says which secret verifies."""
    return SECRET, f"SIGNING_SECRET_ARN: {value}"


def queue(value: str) -> tuple[str, str]:
    """The change of the variable that says where the work goes."""
    return QUEUE, f"WORK_QUEUE_URL: {value}"


def route(path: str) -> tuple[str, str]:
    """The change that adds a route."""
    added = f"        Other: {{Type: Api, Properties: {{RestApiId: !Ref SlackApi, Path: '{path}', Method: POST}}}}\n"
    return ROUTE, ROUTE.replace("        Order:\n", f"{added}        Order:\n")


ATTEMPTS = {
    "another account's secret of the same name": secret(
        "!Sub 'arn:aws:secretsmanager:${AWS::Region}:999999999999:secret:${SlackSigningSecret}'"
    ),
    "a secret of an account that is a parameter": secret(
        "!Sub 'arn:aws:secretsmanager:${AWS::Region}:${OnCallEmail}:secret:${SlackSigningSecret}'"
    ),
    "a host that is written out": queue("!Sub 'https://sqs.example/${WorkQueue.QueueName}'"),
    "another account's queue of the same name": queue(
        "!Sub 'https://sqs.eu-west-1.amazonaws.com/999999999999/${WorkQueue.QueueName}'"
    ),
    "a name that only ends in a reference": queue("!Sub 'https://sqs.${AWS::Region}.amazonaws.com/x-${WorkQueue}'"),
    "a macro of the template": (TRANSFORM, "Transform: [AWS::Serverless-2016-10-31, Rewriting]"),
    "a macro of the function": ("Handler: app.handler", "Handler: app.handler\n      Fn::Transform: {Name: Rewriting}"),
    "a macro of the variables": more("Fn::Transform: {Name: Rewriting}"),
    "a route that no request was sent to": route("/internal/admin"),
    "a route with parameters that no request was sent to": route("/internal/{proxy+}"),
}
KNOWN_ATTEMPTS = {
    **{text: more(text) for text in ("MODE: report-only", 'VERIFY: ""', 'BYPASS: ".*"', "MAX_AGE: 315360000")},
    **{text: more(text) for text in ("NODE_OPTIONS: -r /opt/x.js", "PYTHONPATH: /opt/x", "PYTHONSTARTUP: /opt/x.py")},
    **{text: more(text) for text in ("LD_PRELOAD: /opt/x.so", "PYTHONOPTIMIZE: 1", "AWS_LAMBDA_EXEC_WRAPPER: /opt/x")},
    **{text: more(text) for text in ("AWS_ENDPOINT_URL_SECRETS_MANAGER: https://x.example", "HTTPS_PROXY: http://x")},
    "a variable of Globals": (GLOBALS, f"    Environment: {{Variables: {{MODE: report-only}}}}\n{GLOBALS}"),
    "a layer of Globals": (GLOBALS, f"    Layers: ['arn:aws:lambda:eu-west-1:111122223333:layer:x:1']\n{GLOBALS}"),
    "a secret's literal ARN": secret("arn:aws:secretsmanager:eu-west-1:999999999999:secret:x"),
    "a secret of another stack": secret("!ImportValue other"),
    "a secret that a parameter store names": secret("'{{resolve:ssm:/other}}'"),
    "one of two secrets": secret("!If [CreatesApiGatewayLogRole, !Ref SlackSigningSecret, 'arn:aws:other']"),
    "an attribute that an author writes": secret("!GetAtt SlackSigningSecret.Description"),
    "a resource of another type": ("REPLAY_TABLE: !Ref ReplayGuardTable", "REPLAY_TABLE: !Ref WorkQueue"),
    "a makefile": (FUNCTION, f"{FUNCTION}    Metadata: {{BuildMethod: makefile}}\n"),
    "a file system": ("Handler: app.handler", "Handler: app.handler\n      FileSystemConfigs: [{LocalMountPath: /x}]"),
    "inline code": ("Handler: app.handler", "Handler: app.handler\n      InlineCode: x"),
    "a runtime of its own": ("Handler: app.handler", "Handler: app.handler\n      Runtime: provided.al2023"),
}
FITTING = {
    "the queue's address": queue("!Sub 'https://sqs.${AWS::Region}.amazonaws.com/${AWS::AccountId}/${WorkQueue}'"),
    "the secret's ARN": secret(
        "!Sub 'arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${SlackSigningSecret}'"
    ),
    "a route that requests were sent to": route("/slack/{kind}"),
}


@pytest.mark.parametrize("change", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_result_is_not_kept_by(said: Callable[..., str], change: tuple[str, str]) -> None:
    assert "it counts as a statement" in said(template=change)


@pytest.mark.slow
@pytest.mark.parametrize("change", KNOWN_ATTEMPTS.values(), ids=KNOWN_ATTEMPTS)
def test_a_result_is_not_kept_by_what_was_tried_before(said: Callable[..., str], change: tuple[str, str]) -> None:
    assert "it counts as a statement" in said(template=change)


@pytest.mark.parametrize("change", FITTING.values(), ids=FITTING)
def test_the_same_in_other_words_keeps_a_result(said: Callable[..., str], change: tuple[str, str]) -> None:
    assert said(template=change) == ""


RESULTS: dict[str, Callable[[Any], None]] = {
    "another version": lambda found: found.update(version="0.0.1"),
    "before there was a probe": lambda found: found.update(when="1999-01-01T00:00:00Z"),
    "still to come": lambda found: found.update(when="2029-01-01T00:00:00Z"),
    "another handler's": lambda found: found.update(target="examples/slack-app/worker.py:handler"),
    "other code's": lambda found: found.update(folder_sha256="0" * 64),
}


@pytest.mark.parametrize("change", RESULTS.values(), ids=RESULTS)
def test_what_is_no_run_of_this_makes_it_word(said: Callable[..., str], change: Callable[[Any], None]) -> None:
    assert "it counts as a statement" in said(result=change)


@pytest.mark.slow
def test_its_age_is_what_the_model_says(said: Callable[..., str]) -> None:
    assert "results count as evidence for 180" in said(today="2027-10-01")
    assert said(today="2027-10-01", line="function: order-bot, days: 700,") == ""
    assert "results count as evidence for 1 days" in said(line="function: order-bot, days: 1,", today="2026-12-20")
