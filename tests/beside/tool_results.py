"""A project with a function, and what is read of results of other tools about it."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

from tests.evidence.at_the_command_line import TODAY, modeled, saved
from threatmodel.api import load_library, load_model
from threatmodel.graph.elements import Read
from threatmodel.model.facts import Statement

APP = '''\
"""Run the command that a Slack message names."""

import subprocess


def handler(event, context):
    subprocess.run(event["text"], shell=True, check=False)
    return {"statusCode": 200}
'''
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: app, FunctionName: shop-bot}
  Orders:
    Type: AWS::DynamoDB::Table
    Properties: {BillingMode: PAY_PER_REQUEST, TableName: orders}
"""
RESULT = "results: result.json"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    Path("app").mkdir()
    Path(".github/workflows").mkdir(parents=True)
    saved("app/app.py", APP)
    saved("app/planted.py", "def handler(event, context):\n    return eval(event['planted'])\n")
    saved(".github/workflows/deploy.yml", "on: push\n")
    saved("template.yaml", TEMPLATE)


REST = "stores: {orders: {kind: dynamodb}}\npipeline: {}\naccount: {}"


def reads(entry: str = RESULT, rest: str = "", bot: str = "{}") -> tuple[Read, dict[tuple[str, str], Statement]]:
    """What was read of a result, and its statements that count or differ, by element and fact."""
    modeled("template: template.yaml", entry, rest=f"{REST}\n{rest}", bot=bot)
    graph = load_model("model.yaml", today=datetime.date.fromisoformat(TODAY), library=load_library())
    found = {
        (element.id, name): said
        for element in graph.elements.values()
        for name, fact in element.facts.items()
        for said in (fact.said, *fact.against)
        if said.source in {"tool", "result"}
    }
    return graph.evidence[-1], found
