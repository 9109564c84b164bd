"""A runtime that is mistyped: a check warns, and an editor marks it; a new one remains possible."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest

from tests.refusals import write
from threatmodel.command.main import main
from threatmodel.model.file import MODEL
from threatmodel.model.runtimes import RUNTIMES
from threatmodel.reading.schema import json_schema


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


def warned(runtime: str, capsys: pytest.CaptureFixture[str]) -> str:
    write("threatmodel.yaml", f"name: Shop\nfunctions:\n  bot:\n    runtime: {runtime}\n")
    assert main(["check", "-v"]) == 1
    return "".join(re.findall(r"^.*unknown-runtime: (.*)$", capsys.readouterr().out, re.MULTILINE))


@pytest.mark.parametrize(
    ("runtime", "meant"),
    [("pyhton3.13", "'python3.13'"), ("python3.31", "'python3.14'"), ("node24.x", "'nodejs24.x'"), ("rust2027", "")],
)
def test_a_runtime_that_is_not_known_is_a_warning(runtime: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = warned(runtime, capsys)
    assert said.startswith(f"bot.runtime: '{runtime}' is no runtime in the table of ")
    assert (f"did you mean {meant}" in said) == bool(meant)


@pytest.mark.parametrize("runtime", ["python3.13", "python3.6", "null"])
def test_a_known_runtime_is_none(runtime: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert warned(runtime, capsys) == ""


def test_a_template_is_read_as_critically(capsys: pytest.CaptureFixture[str]) -> None:
    write(
        "template.yaml",
        "Resources:\n  Bot:\n    Type: AWS::Lambda::Function\n    Properties:\n      Runtime: pyhton3.13\n"
        "      Handler: a.b\n      Role: x\n      Code: {ZipFile: x}\n",
    )
    write("threatmodel.yaml", "name: Shop\nevidence: [{template: template.yaml}]\nfunctions: {bot: {}}\n")
    main(["check", "-v"])
    assert re.search(r"^template\.yaml:5:\d+: warning: unknown-runtime: bot", capsys.readouterr().out, re.MULTILINE)


def test_an_editor_takes_known_and_likely_runtimes_only() -> None:
    validator = jsonschema.Draft202012Validator(json_schema(MODEL))

    def is_valid(runtime: str) -> bool:
        return validator.is_valid({"name": "Shop", "functions": {"bot": {"runtime": runtime}}})

    assert all(is_valid(name) for name in RUNTIMES)
    assert all(map(is_valid, ("python3.15", "nodejs26.x", "java29", "dotnet12", "provided.al2030", "ruby4.1")))
    assert not any(map(is_valid, ("pyhton3.13", "pytohn3.13", "node24.x", "Python3.13", "python 3.13", "python")))
