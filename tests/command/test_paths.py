"""`tm.py paths` and `tm.py reach`: their texts, their JSON, and what bad input gets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.assessment.paths.samples import SAMPLES, changed
from tests.support import HOME
from threatmodel.command.main import main

DAY = ["--today", "2026-11-25"]
Golden = Callable[[str, str], None]
Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def written(folder: Path, text: str) -> str:
    """The path of a model file with a text."""
    path = folder / "model.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["paths", "reach order-bot", "reach slack-bot-token", "reach order-worker.role"])
def test_texts(command: str, golden: Golden, capsys: Printed) -> None:
    assert main([*command.split(), *DAY]) == 0
    golden(f"cli/{command.replace(' ', '-')}.txt", capsys.readouterr().out)


def test_a_path_fits_on_a_screen(tmp_path: Path, capsys: Printed) -> None:
    for sample in SAMPLES.values():
        assert main(["paths", written(tmp_path, changed(sample.changes)), "--whole", "9", *DAY]) == 0
        for part in capsys.readouterr().out.split("\n\n"):
            if part[0].isdigit():
                assert part.count("\n") < 24


@pytest.mark.slow
@pytest.mark.parametrize("command", ["paths", "reach order-bot", "reach account"])
def test_the_json_keeps_its_contract(command: str, capsys: Printed) -> None:
    name = command.split(maxsplit=1)[0]
    assert main(["schema", name]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert main([*command.split(), "--json", *DAY]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema, format_checker=jsonschema.FormatChecker())
    assert found["schema_version"] == "1.0"


def test_the_json_has_every_path_with_its_controls_and_questions(capsys: Printed) -> None:
    assert main(["paths", str(HOME / "tests/models/bare.yaml"), "--json", *DAY]) == 0
    found = json.loads(capsys.readouterr().out)
    first = found["paths"][0]
    assert first["as_proven"] == "undecided"
    assert first["questions"]
    assert first["steps"][0]["controls"][0] == {
        "id": "slack-request-signing",
        "effect": "stops",
        "state": "unknown",
        "element": "order-bot",
        "reason": first["steps"][0]["controls"][0]["reason"],
    }
    assert found["cuts"]["proven"]["controls"]


TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      CodeUri: .
      Policies:
        - Statement:
            - {Effect: Allow, Action: [iam:PassRole, lambda:CreateFunction, lambda:InvokeFunction], Resource: '*'}
      Events:
        Command: {Type: Api, Properties: {Path: /slack, Method: post}}
"""


@pytest.mark.slow
def test_an_escalation_cites_its_public_ids_and_its_line(tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    model = written(tmp_path, "name: x\nevidence:\n  - {template: template.yaml, functions: all}\n")
    assert main(["paths", model, "--json", *DAY]) == 0
    every = [step for one in json.loads(capsys.readouterr().out)["paths"] for step in one["steps"]]
    step = next(step for step in every if (step["finding"] or "").startswith("function-role-escalates@"))
    assert "pathfinding.cloud lambda-001" in step["note"]
    assert step["location"]["file"].endswith("template.yaml")
    assert step["location"]["line"] == 11


def test_what_is_not_an_element_is_refused(capsys: Printed) -> None:
    assert main(["reach", "ordr-bot", *DAY]) == 2
    assert "did you mean 'order-bot'?" in capsys.readouterr().err
    assert main(["reach", "order-bot.rol", *DAY]) == 2
    assert "did you mean 'order-bot.role'?" in capsys.readouterr().err
    assert main(["reach", "kms", *DAY]) == 2
    assert "wrong-kind" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["-1", "x", "1001", "1" * 50, ""])
def test_a_number_of_paths_is_one(number: str, capsys: Printed) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["paths", "--whole", number])
    assert stopped.value.code == 2
    assert "--whole" in capsys.readouterr().err


def test_a_model_is_named_once(capsys: Printed) -> None:
    with pytest.raises(SystemExit):
        main(["paths", "a.yaml", "-m", "b.yaml"])
    assert "both name a model" in capsys.readouterr().err


def test_names_are_text_and_nothing_else(tmp_path: Path, capsys: Printed) -> None:
    model = yaml.safe_load(changed(SAMPLES["forged-commands"].changes))
    model["name"] = "::error::x\u202e\x07 <b>" + "long " * 18
    model["owner"] = "\u2066team\x1b[31m"
    path = written(tmp_path, yaml.safe_dump(model))
    for command in (["paths", path], ["reach", "order-bot", "-m", path]):
        assert main([*command, *DAY]) == 0
        said = capsys.readouterr().out
        assert not {"\u202e", "\x07", "\x1b", "\u2066"} & set(said)
        assert not any(line.startswith("::") for line in said.splitlines())


def test_a_secret_that_opens_something_else_is_said_to_be_traced_no_further(tmp_path: Path, capsys: Printed) -> None:
    model = (
        "name: Shop\nfunctions: {bot: {secrets: [key]}}\nsecrets: {key: {kept_in: secrets-manager, grants: other}}\n"
    )
    assert main(["reach", "key", "-m", written(tmp_path, model), *DAY]) == 0
    assert "What the secret opens outside this model is not traced." in " ".join(capsys.readouterr().out.split())
