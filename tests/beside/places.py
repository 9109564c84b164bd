"""Systems of a few lines with what is beside their templates, and what `tm` says of them."""

from __future__ import annotations

import json
import subprocess
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from threatmodel.command.main import main

Printed = pytest.CaptureFixture[str]

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Events:
"""


def template(*routes: str) -> str:
    """A template of one function with routes such as `POST /slack/events`."""
    lines = [
        f"        R{number}: {{Type: HttpApi, Properties: {{Path: '{path}', Method: {method}}}}}\n"
        for number, (method, path) in enumerate(route.split() for route in routes)
    ]
    return TEMPLATE + "".join(lines)


def system(folder: Path, files: Mapping[str, str], *entries: str, stated: str = "") -> Path:
    """A repository with these files and a model of its template that names `entries` as evidence; return the model."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    evidence = "".join(f"  - {entry}\n" for entry in entries)
    model = folder / "model.yaml"
    model.write_text(
        "name: Bot\nevidence:\n  - {template: template.yaml, resources: {bot: Bot, api: ServerlessHttpApi}}\n"
        f"{evidence}apis: {{api: {{}}}}\nfunctions:\n  bot: {{incomplete: [triggers]}}\n{stated}",
        encoding="utf-8",
    )
    return model


class Assessment:
    """What `tm --json` says of a model."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self.whole = whole

    def fact(self, element: str, name: str) -> tuple[Any, str, str] | None:
        """The value of a fact, its file and line, and what it relies on; None where it is not known.

        In doubt is a value that alarms as evidence and reassures as a claim.
        """
        (found,) = (one for one in self.whole["elements"] if one["id"] == element)
        for fact in found["facts"]:
            if fact["fact"] == name and fact["known"]:
                return (
                    fact["value"],
                    f"{Path(fact['file']).name}:{fact['line']}",
                    f"{fact['relies_on']}{', in doubt' if 'in_doubt' in fact else ''}",
                )
        return None

    def read(self, kind: str) -> dict[str, Any]:
        """What was read of the only entry of a kind."""
        (found,) = (one for one in self.whole["evidence"] if one["kind"] == kind)
        return dict(found)

    def notes(self, kind: str) -> list[tuple[str, int]]:
        """The codes of the notes of an entry, each with its line."""
        return [(one["code"], one["location"]["line"]) for one in self.read(kind)["notes"]]

    def left_open(self, name: str) -> list[str]:
        """Why evidence leaves a fact open."""
        every = (one for read in self.whole["evidence"] for one in read["left_open"])
        return [one["why"] for one in every if one["name"] == name]

    @property
    def asked(self) -> list[str]:
        """The functions of which the callers of routes are asked."""
        return [name for one in self.whole["questions"] if one["kind"] == "caller" for name in one["elements"]]

    @property
    def surfaces(self) -> set[str]:
        """What Slack sends to apis."""
        every = (one["id"].split(":") for one in self.whole["flows"])
        return {what for source, _, what in every if source == "slack"} & {"slash-command", "events", "interactivity"}


def assess(model: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> Assessment:
    """Assess a model at the command line."""
    monkeypatch.chdir(model.parent)
    assert main(["--json", "-m", model.name]) == 0
    return Assessment(json.loads(capsys.readouterr().out))
