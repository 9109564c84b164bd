"""Terraform states as evidence: each form, what they leave open, and that no value of theirs is shown or kept."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.evidence.at_the_command_line import checked, facts, modeled, run, saved
from tests.evidence.states import CANARY, LITERAL, RESOURCES, shown, version_3, version_4

FORMS: dict[str, Callable[..., dict[str, Any]]] = {"version 4": version_4, "show": shown, "version 3": version_3}
STATE = "state: terraform.tfstate"
EVERYTHING = (
    *(("check", "-v"), ("check", "--format", "sarif"), ("check", "--format", "junit"), ("ask",)),
    *(("--report", "full"), ("--report", "html"), ("--json",), ("--dfd",), ("--seq",), ("--list",), ("--pytm",)),
)
"""Commands and options, each with its own output."""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_state_shows_what_was_deployed(form: str) -> None:
    saved("terraform.tfstate", FORMS[form]())
    found = facts(STATE)
    assert str(found["timeout_seconds"]["value"]) == "30"
    assert found["timeout_seconds"]["file"] == "terraform.tfstate: aws_lambda_function.bot.timeout"
    assert found["environment_holds_secret"]["value"] is True
    assert found["role_trusts_only_lambda"]["relies_on"] == "evidence"
    modeled(STATE, rest="stores: {orders: {kind: dynamodb}}\napis: {slack-api: {kind: rest}}")
    flows = {one["id"] for one in json.loads(run("-m", "model.yaml", "--json")[1])["flows"]}
    assert {"slack-api:bot:invoke", "bot:orders:read"} <= flows


@pytest.mark.parametrize("form", FORMS)
def test_no_value_of_a_state_is_shown_or_kept(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved("terraform.tfstate", FORMS[form]())
    kept = tmp_path / "cache"
    kept.mkdir(mode=0o700)
    monkeypatch.setenv("TM_CACHE", str(kept))
    modeled(STATE)
    said = []
    for arguments in EVERYTHING:
        code, out, err = run(*arguments, "-m", "model.yaml")
        assert code in {0, 1}, err
        said.append(out + err)
    said += [" ".join(run("import", "terraform.tfstate")[1:])]
    said += [
        one.read_text(encoding="utf-8") for one in tmp_path.rglob("*") if one.is_file() and one.suffix != ".tfstate"
    ]
    assert "SLACK_SIGNING_SECRET" in "".join(said)  # the name is known, the value is not shown
    assert not [one for one in said if CANARY in one or LITERAL in one]


def test_a_state_proves_no_absence() -> None:
    saved("terraform.tfstate", version_4())
    found = facts(STATE)["role_wildcard_action"]
    assert found["value"] is False
    assert "proves no absence" in found["in_doubt"]


def test_an_empty_state_counts_as_a_statement() -> None:
    saved("terraform.tfstate", version_4(resources=[]))
    assert "this state has no resource" in checked(STATE)


def test_a_backup_counts_as_a_statement() -> None:
    saved("terraform.tfstate.backup", version_4())
    assert "this is a backup" in checked("state: terraform.tfstate.backup")
    assert facts("state: terraform.tfstate.backup")["timeout_seconds"]["relies_on"] == "statement"


@pytest.mark.parametrize("state", [version_4({"status": "tainted"}), shown(tainted=True), version_3(tainted=True)])
def test_a_tainted_resource_is_in_doubt(state: dict[str, Any]) -> None:
    saved("terraform.tfstate", state)
    assert "tainted" in facts(STATE)["reserved_concurrency"]["in_doubt"]


def test_a_deposed_resource_is_there_until_it_is_destroyed() -> None:
    """What was replaced alarms: here a function without the limit of the one that replaced it."""
    saved("terraform.tfstate", version_4())
    state = json.loads(Path("terraform.tfstate").read_text(encoding="utf-8"))
    (bot,) = (one for one in state["resources"] if one["type"] == "aws_lambda_function")
    old = json.loads(json.dumps(bot["instances"][0]).replace('"bot"', '"bot-old"')) | {"deposed": "ab12cd34"}
    bot["instances"].append(old)
    saved("terraform.tfstate", state)
    assert "aws_lambda_function.bot (deposed ab12cd34)" in checked(STATE)


def test_modules_and_keys_are_in_the_addresses() -> None:
    saved("terraform.tfstate", version_4())
    state = json.loads(Path("terraform.tfstate").read_text(encoding="utf-8"))
    for one in state["resources"]:
        one["module"] = 'module.app["a.b"].module.bot'
        one["instances"][0]["dependencies"] = [
            f"module.app.module.bot.{each}" for each in one["instances"][0]["dependencies"]
        ]
        if one["type"] == "aws_lambda_function":
            one["instances"][0]["index_key"] = "main"
    saved("terraform.tfstate", state)
    found = facts(STATE)["timeout_seconds"]
    assert found["file"].endswith('module.app["a.b"].module.bot.aws_lambda_function.bot["main"].timeout')


def test_a_state_and_its_plan_are_compared() -> None:
    values = {**dict(RESOURCES[4][1]), "timeout": 60}
    function = {"address": "aws_lambda_function.bot", "mode": "managed", "type": "aws_lambda_function", "name": "bot"}
    change = {"actions": ["update"], "after": values, "after_unknown": {}}
    plan = {
        "format_version": "1.2",
        "timestamp": "2026-01-01T00:00:00Z",
        "planned_values": {"root_module": {"resources": [{**function, "values": values}]}},
        "resource_changes": [{**function, "change": change}],
        "configuration": {"root_module": {"resources": [{**function, "expressions": {}}]}},
    }
    saved("plan.json", plan)
    saved("terraform.tfstate", version_4())
    out = checked("plan: plan.json", STATE)
    assert "drift bot.timeout_seconds plan.json: aws_lambda_function.bot.timeout 60 here, but 30 by terraform" in out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"encrypted_data": "x", "encryption_version": "v0", "meta": {}}, "encrypted by OpenTofu"),
        (
            {"version": 3, "backend": {"type": "s3", "config": {"bucket": CANARY}}, "modules": [{"resources": {}}]},
            "only the settings of the backend",
        ),
        ({"planned_values": {}}, "this is a Terraform plan; expected a Terraform state; name it under plan:"),
        ({"version": 5, "lineage": "x", "serial": 1}, "nothing is known of this version 5 of Terraform's states"),
        ({"Resources": {}}, "this has no resources of a state"),
        ([], "JSON of another kind"),
        (json.dumps(version_4())[:900], "may be cut short"),
        ("", "may be cut short"),
    ],
)
def test_what_is_no_state_is_refused_with_what_to_do(content: Any, message: str) -> None:
    saved("terraform.tfstate", content)
    modeled(STATE)
    code, _, err = run("check", "-m", "model.yaml")
    assert (code, "not-a-state" in err, message in err, CANARY in err) == (2, True, True, False)


def test_a_state_of_another_account_proves_nothing() -> None:
    saved("terraform.tfstate", version_4())
    saved("other.tfstate", json.loads(json.dumps(version_4()).replace("111122223333", "999988887777")))
    two = "state: other.tfstate"
    out = checked(STATE, f"{two}, environment: other")
    assert "it shows another" not in out
