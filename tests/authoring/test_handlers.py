"""`tm.py new handler`: what it writes deploys, passes every probe, and proves the model's function."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cfnlint import api as cfnlint
from cfnlint.config import ManualArgs

from tests.authoring.cutting import needed
from tests.refusals import refused, write
from tests.support import HOME
from threatmodel.authoring.handlers import template_text
from threatmodel.command.main import main

pytestmark = pytest.mark.slow

MODEL = """\
name: Shop
apis: {front-door: {kind: rest}}
stores: {seen: {kind: dynamodb}}
queues: {refunds: {kind: sqs}}
secrets: {refund-signing-secret: {kept_in: secrets-manager, grants: slack-requests}}
functions:
  refund-bot:
    triggers: [{slack: slash-command, api: front-door, path: /slack/refund}]
    writes: [seen]
    sends: [refunds]
    secrets: [refund-signing-secret]
  worker:
    triggers: [{queue: refunds}]
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("model.yaml", MODEL)
    return tmp_path


def test_the_template_is_the_part_of_the_example_s_that_the_handler_needs() -> None:
    cut = needed((HOME / "examples" / "slack-app" / "template.yaml").read_text(encoding="utf-8"))
    about = re.compile(r"^Description: .*$", re.MULTILINE)
    said = "Description: order-bot, a handler of Slack's slash commands."
    cut = about.sub(said, cut).replace("ALLOWED_COMMANDS: /order\n", "ALLOWED_COMMANDS: /order-bot\n")
    assert template_text("order-bot", "/slack/order", "python3.13", {}) == cut


@pytest.mark.parametrize("path", ["/slack\\n  Evil: {}", "/${AWS::AccountId}", "/a b", "slack", "/{proxy+}"])
def test_a_path_adds_nothing_to_the_template(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    write("model.yaml", MODEL.replace("/slack/refund", f'"{path}"'))
    said = refused(["new", "handler", "refund-bot", "-m", "model.yaml"], capsys)
    assert "wrong-trigger" in said
    assert not Path("handlers").exists()


def test_an_id_that_yaml_takes_for_no_text_stays_one() -> None:
    text = template_text("no", "/slack/no", "python3.13", {})
    assert 'PolicyName: "no"' in text
    assert cfnlint.lint(text, config=ManualArgs(regions=["eu-west-1"])) == []


def new(*arguments: str) -> int:
    return main(["new", "handler", *arguments, "-m", "model.yaml"])


@pytest.mark.parametrize(("language", "file"), [("python", "app.py"), ("node", "app.mjs")])
def test_it_is_named_as_the_model_has_it_and_deploys(language: str, file: str) -> None:
    assert new("refund-bot", "--language", language, "--to", "bot") == 0
    text = Path("bot/template.yaml").read_text(encoding="utf-8")
    assert cfnlint.lint(text, config=ManualArgs(regions=["eu-west-1"])) == []
    for name in ("RefundBotFunction:", "FrontDoor:", "Refunds:", "RefundSigningSecret:", "/slack/refund", "RateAcl:"):
        assert name in text
    everything = text + Path("bot", file).read_text(encoding="utf-8")
    for name in ("OrderBot", "order-bot", "Worker", "worker.", "SlackBotToken", "OrdersTable"):
        assert name not in everything
    assert "\n\n\n" not in text


def test_it_passes_every_probe_and_proves_its_function(capsys: pytest.CaptureFixture[str]) -> None:
    assert new("refund-bot") == 0
    told = capsys.readouterr().out.splitlines()
    (command,) = [line.removeprefix("next: python tm.py ").split() for line in told if line.startswith("next: ")]
    assert main([*command, "--unconfined"]) == 0  # where tests run as root, namespaces may be forbidden
    folder = "handlers/refund-bot"
    evidence = f"{{template: {folder}/template.yaml, resources: {{seen: ReplayGuardTable}}}}"
    free = "free: [ALLOWED_COMMANDS, ALLOWED_IDS]"
    result = f"{{probe: {folder}/refund-bot.probe.json, function: refund-bot, {free}}}"
    write("model.yaml", MODEL.replace("apis:", f"evidence: [{evidence}, {result}]\napis:"))
    capsys.readouterr()
    assert main(["-m", "model.yaml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    proven = {(one["id"], s["element"]) for one in found["controls"] for s in one["states"] if s["state"] == "proven"}
    for control in ("slack-request-signing", "replay-store", "no-privilege-escalation", "reserved-concurrency"):
        assert (control, "refund-bot") in proven
    assert ("api-throttling", "front-door") in proven


def test_it_writes_over_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert new("refund-bot", "--to", "bot") == 0
    capsys.readouterr()
    said = refused(["new", "handler", "refund-bot", "--to", "bot", "-m", "model.yaml"], capsys)
    assert said.count(": already-exists: this file exists already; name another folder: --to FOLDER") == 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("refund-bott", "there is no function 'refund-bott' in model.yaml; did you mean 'refund-bot'?"),
        ("worker", "model.yaml:12:3: wrong-kind: 'worker' is not called by Slack"),
        (
            "seen",
            "there is no function 'seen' in model.yaml; known: refund-bot, worker; tm.py new function seen adds one",
        ),
    ],
)
def test_only_a_function_that_slack_calls(name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in refused(["new", "handler", name, "-m", "model.yaml"], capsys)
    assert not Path("handlers").exists()


def test_a_function_of_which_little_is_known_gets_the_example_s_names() -> None:
    write("model.yaml", "name: Shop\nfunctions: {bot: {}}\n")
    assert new("bot") == 0
    text = Path("handlers/bot/template.yaml").read_text(encoding="utf-8")
    for name in ("  BotFunction:", "  SlackApi:", "  WorkQueue:", "  SlackSigningSecret:", "Path: /slack/bot"):
        assert name in text
