"""The package that the Serverless Framework wrote of a service, and a serverless.yml that is no longer the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.dumping import value
from tests.support import HOME
from threatmodel.reading.files import Files
from threatmodel.reading.problems import shown
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.readers import read
from threatmodel.stacks.serverless import reader
from threatmodel.stacks.serverless.included import Included
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Node, get, items

SERVICE = HOME / "tests" / "stacks" / "packaged"
"""What the framework itself wrote, with a plugin of ours that adds a topic and a layer."""
SOURCE = (SERVICE / "serverless.yml").read_text(encoding="utf-8")
STATE = ".serverless/serverless-state.json"
TEMPLATE = ".serverless/cloudformation-template-update-stack.json"
BOT = "BotLambdaFunction"


def packaged(source: str = SOURCE, assumed: Assumed = DEFAULTS, *, state: str = "", template: str = "") -> Stack:
    """The stack of a serverless.yml beside the package; `state` and `template` in place of its files."""
    instead: dict[Path | str, str] = {SERVICE / "serverless.yml": source}
    instead |= {SERVICE / path: text for path, text in ((STATE, state), (TEMPLATE, template)) if text}
    return read("serverless", SERVICE / "serverless.yml", Files(texts=instead), assumed)


def alone(source: str, file: str) -> Stack:
    """The stack of a serverless.yml by itself."""
    return reader.read(source, file, included=Included(SERVICE / "serverless.yml", Files()))


def node(stack: Stack, name: str, *path: str) -> Node:
    found = get(stack.resources[name].properties, *path)
    assert found is not None
    return found


def test_what_stands_elsewhere_and_what_plugins_make_is_read_in_the_package() -> None:
    stack = packaged()
    assert stack.problems == ()
    assert value(node(stack, BOT, "ReservedConcurrentExecutions")) == "7"  # of the environment
    assert value(node(stack, BOT, "Timeout")) == "9"  # of another file
    layers = [value(one) for one in items(node(stack, BOT, "Layers"))]
    assert layers == ['"arn:aws:lambda:eu-west-1:123456789012:layer:probe:3"']
    assert stack.resources["Alarms"].type == "AWS::SNS::Topic"
    assert [(one.name, one.strength) for one in stack.unread] == [("./alarms.js", "adds")]


def test_a_package_of_another_file_that_was_taken_in_proves_nothing() -> None:
    for timeout, stale in ((9, False), (90, True)):
        texts: dict[Path | str, str] = {SERVICE / "settings.yml": f"timeout: {timeout}\n"}
        stack = read("serverless", SERVICE / "serverless.yml", Files(texts=texts))
        assert [one.code for one in stack.problems] == (["stale-package"] if stale else [])
        assert value(node(stack, BOT, "Timeout")) == str(timeout)


def test_lines_are_those_of_the_source_where_it_says_the_same() -> None:
    stack = packaged()
    assert str(node(stack, BOT, "Handler").place).endswith("packaged/serverless.yml:18:14")
    assert str(stack.resources[BOT].place).endswith("packaged/serverless.yml:17:3")
    assert str(node(stack, BOT, "Timeout").place).endswith(f"{TEMPLATE}:134:20")
    assert str(stack.resources["Alarms"].place).endswith(f"{TEMPLATE}:491:5")


def test_what_the_framework_sets_later_is_still_there() -> None:
    stages = [one.name for one in packaged().of_type("AWS::ApiGateway::Stage")]
    assert stages == ["ApiGatewayStage"]


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("handler: app.bot", "handler: app.other", "functions.bot.handler"),
        ("    onError: !GetAtt Dead.Arn\n", "", "functions.worker.onError"),
        (", authorizer: aws_iam", "", "functions.bot.events[1].http.authorizer"),
        ("path: /orders", "path: /others", "functions.bot.events[1].http.path"),
        ("POST /slack", "GET /slack", "functions.bot.events[0].httpApi"),
        ("batchSize: 5", "batchSize: 50", "functions.worker.events[0].sqs.batchSize"),
        ("      - schedule: {rate: rate(1 hour), enabled: true}\n", "", "functions.worker.events"),
        ("rate(1 hour)", "rate(1 minute)", "functions.worker.events[1].schedule.rate"),
        ("  worker:\n", "  other:\n", "functions.other"),
        ("dynamodb:GetItem", "dynamodb:*", "provider.iam.role.statements[0].Action"),
        ("!GetAtt Orders.Arn}", "'*'}", "provider.iam.role.statements[0].Resource"),
        ("plugins: [./alarms.js]\n", "", "plugins"),
        ("custom: ${file(settings.yml)}\n", "", "custom"),
        ("  environment: {TABLE: !Ref Orders}\n", "", "provider.environment"),
        ("  environment: {", "  tracing: {lambda: true}\n  environment: {", "provider.tracing"),
        ("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false", "resources.Resources.Orders"),
        ("    Jobs: {Type: AWS::SQS::Queue}\n", "", "resources.Resources.Jobs"),
        ("python3.11", "python3.12", "provider.runtime"),
    ],
)
def test_a_package_of_another_file_proves_nothing(before: str, after: str, what: str) -> None:
    source = SOURCE.replace(before, after)
    assert source != SOURCE
    stack = packaged(source)
    assert stack.problems[-1].code == "stale-package"
    assert f"it was made from another serverless.yml: {what}" in stack.problems[-1].message
    assert stack.resources == alone(source, stack.file).resources


def test_what_is_told_of_it(golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SERVICE)
    stack = packaged(SOURCE.replace("handler: app.bot", "handler: app.other"))
    golden("bad-input/stale-package.txt", f"{shown(stack.problems, {})}\n")


def test_a_package_counts_for_its_stage_alone() -> None:
    at = packaged().resources[BOT].place
    of_live = packaged(assumed=Assumed(values={"opt:stage": "live"}, stated={"opt:stage": at}))
    assert "Alarms" in of_live.resources
    of_dev = packaged(assumed=Assumed(values={"opt:stage": "dev"}, stated={"opt:stage": at}))
    assert "Alarms" not in of_dev.resources
    assert "it is for another stage" in of_dev.problems[0].message
    left_open = packaged(SOURCE.replace("stage: live", "stage: ${opt:stage, 'live'}"))
    assert "Alarms" not in left_open.resources


def altered(path: str, **more: Any) -> str:
    data = json.loads((SERVICE / path).read_text(encoding="utf-8"))
    return json.dumps(data | more)


CIRCLE = {"$ref": '$["service"]["functions"]'}


@pytest.mark.parametrize(
    "texts",
    [
        {"state": "{"},
        {"state": "[]"},
        {"state": '{"service": 3}'},
        {"state": '{"service": {"provider": []}}'},
        {"state": "[" * 100_000},
        {"template": "{}"},
        {"template": "[" * 100_000},
        {"template": '{"Resources": []}'},
        {"template": altered(TEMPLATE, Resources={"Other": {"Type": "AWS::SNS::Topic"}})},
        {"state": altered(STATE, service={"provider": CIRCLE, "functions": CIRCLE})},
    ],
)
def test_a_package_that_is_none_is_left_aside(texts: dict[str, str]) -> None:
    stack = packaged(state=texts.get("state", ""), template=texts.get("template", ""))
    assert [problem.code for problem in stack.problems] == ["stale-package"]
    assert stack.resources == alone(SOURCE, stack.file).resources


@pytest.mark.parametrize("functions", [CIRCLE, {"bot": CIRCLE}, [], 3, {"bot": {"events": 3}}])
def test_any_state_of_the_functions_is_compared(functions: Any) -> None:
    data = json.loads((SERVICE / STATE).read_text(encoding="utf-8"))
    data["service"]["functions"] = functions
    stack = packaged(state=json.dumps(data))
    assert [problem.code for problem in stack.problems] == ["stale-package"]


def test_a_note_never_shows_a_value() -> None:
    source = SOURCE.replace("{TABLE: !Ref Orders}", "{TABLE: !Ref Orders, TOKEN: planted-secret}")
    assert "planted" not in repr(packaged(source).problems)
    data = (SERVICE / STATE).read_text(encoding="utf-8").replace('"handler": "app.bot"', '"handler": "planted-secret"')
    stack = packaged(state=data)
    assert stack.problems
    assert "planted" not in repr(stack.problems)


def test_a_package_whose_template_is_no_json_is_left_aside() -> None:
    text = (SERVICE / TEMPLATE).read_text(encoding="utf-8").rstrip().removesuffix("}") + ",}"  # YAML takes that
    assert [one.code for one in packaged(template=text).problems] == ["stale-package"]
