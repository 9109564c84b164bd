"""A project with a template and the source of its handler, for tests of what the source says."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from threatmodel.command.main import main

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: {runtime}
{properties}      Events:
        Command: {{Type: HttpApi, Properties: {{Path: /slack/command, Method: POST}}}}
"""

MODEL = """\
name: Bot
evidence:
  - {{template: template.yaml, resources: {{bot: Bot, api: ServerlessHttpApi}}}}
  - {entry}
apis: {{api: {{}}}}
functions:
  bot:
    triggers: [{{slack: slash-command, api: api, path: /slack/command}}]
{stated}"""


def project(
    folder: Path,
    files: Mapping[str, str],
    *,
    entry: str = "{code: src}",
    stated: str = "",
    runtime: str = "python3.13",
    properties: str = "",
) -> Path:
    """A repository whose template deploys src/app, with these files in src/; return its model."""
    (folder / ".git").mkdir()
    (folder / "src").mkdir()
    for name, text in files.items():
        path = folder / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    template = TEMPLATE.format(runtime=runtime, properties=textwrap.indent(properties, " " * 6))
    (folder / "template.yaml").write_text(template, encoding="utf-8")
    model = folder / "model.yaml"
    model.write_text(MODEL.format(entry=entry, stated=textwrap.indent(stated, " " * 4)), encoding="utf-8")
    return model


def assessed(model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The assessment of a model as `tm --json` prints it."""
    monkeypatch.chdir(model.parent)
    assert main(["--json", "-m", model.name]) == 0
    whole: dict[str, Any] = json.loads(capsys.readouterr().out)
    return whole


def read_of(whole: Mapping[str, Any], kind: str = "code") -> dict[str, Any]:
    """The one entry of the evidence of a kind, as it was read."""
    (found,) = [one for one in whole["evidence"] if one["kind"] == kind]
    return dict(found)


def said_of(whole: Mapping[str, Any], element: str = "bot") -> dict[str, tuple[Any, str, str]]:
    """The facts that the source states of an element: the value, what it relies on, and its line."""
    (found,) = [one for one in whole["elements"] if one["id"] == element]
    return {
        one["fact"]: (one["value"], one["relies_on"], f"{one['file']}:{one['line']}")
        for one in found["facts"]
        if one["origin"] in {"code", "source"}
    }


def open_of(whole: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The facts that the source leaves open: why, and the line."""
    return {
        one["name"]: (one["why"], f"{one['location']['file']}:{one['location']['line']}")
        for one in read_of(whole)["left_open"]
    }
