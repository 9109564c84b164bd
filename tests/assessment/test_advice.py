"""Advice never takes away what a trigger of the same model needs."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collecting import collected
from tests.support import HOME
from threatmodel.assessment.actions import Action, actions
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.authoring.importing.plan import imported
from threatmodel.graph.building import build
from threatmodel.library.directions import directions
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place
from threatmodel.stacks.readers import kind_of, read
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import get, text

TODAY = datetime.date(2026, 11, 29)
LIBRARY = load_library(HOME / "threatlib")
TAKES_AWAY = ("Remove", "Delete", "Block")
AUTHENTICATION = {"function-url-authentication", "gateway-authentication"}

FUNCTION = """  Bot:
    Type: AWS::Lambda::Function
    Properties: {Runtime: python3.13, Handler: a.b, Code: {ZipFile: x}, Role: !GetAtt Role.Arn}
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}
"""
URL = """  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref Bot, AuthType: NONE}}
"""
THROUGH_URL = """  Through:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Bot, Action: "lambda:InvokeFunctionUrl", Principal: "*", FunctionUrlAuthType: NONE}
  Invoke:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Bot, Action: "lambda:InvokeFunction", Principal: "*", InvokedViaFunctionUrl: true}
"""
DIRECT = """  Direct:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Bot, Action: "lambda:InvokeFunction", Principal: "*"}
"""
SAM = """Transform: AWS::Serverless-2016-10-31
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: a.b, InlineCode: x, FunctionUrlConfig: {AuthType: NONE}}
"""
SERVERLESS = """service: bot
provider: {name: aws, runtime: python3.13}
functions: {bot: {handler: a.b, url: true}}
"""
FILES = {
    "url": ("template.yaml", f"Resources:\n{FUNCTION}{URL}{THROUGH_URL}"),
    "url-and-direct": ("template.yaml", f"Resources:\n{FUNCTION}{URL}{THROUGH_URL}{DIRECT}"),
    "sam": ("template.yaml", SAM),
    "serverless": ("serverless.yml", SERVERLESS),
}
SAMPLES = sorted((HOME / "tests" / "stacks" / "sam").glob("*.yaml"))


def assessed(path: Path, model: Path, *, slack: bool = False) -> Assessment:
    files = Files()
    text_of = imported(path, "", model, files).text
    if slack:
        text_of = text_of.replace("{http: ANY,", "{slack: events,").replace(", caller: unknown", "")
    written = Files(texts={model: text_of})
    system = load_model(written, model)
    evidence, found = collected(system, written, directions(LIBRARY), TODAY)
    return assess(build(system, evidence, TODAY, found), LIBRARY, TODAY)


def needed(path: Path) -> Iterator[Resource]:
    """The permissions that triggers of a file need: of a service that calls, and of a URL without authentication."""
    stack = read(kind_of(path, Files()), path, Files())
    open_urls = [one for one in stack.of_type("AWS::Lambda::Url") if text(get(one.properties, "AuthType")) == "NONE"]
    for one in stack.of_type("AWS::Lambda::Permission"):
        through = get(one.properties, "FunctionUrlAuthType") or get(one.properties, "InvokedViaFunctionUrl")
        if (through and open_urls) or (text(get(one.properties, "Principal")) or "").endswith(".amazonaws.com"):
            yield one


def taken(found: Action) -> set[Place]:
    """The places of what an action removes."""
    supports = (item for one in found.lacks.values() for item in one.state.support)
    return {item.said.place for item in supports if item.said.place}


def breaking(path: Path, assessment: Assessment) -> list[tuple[str, str]]:
    """The actions that remove a permission which a trigger needs."""
    lines = {(one.place.file, one.place.line) for one in needed(path)}
    return [
        (one.control.id, str(place))
        for one in actions(assessment)
        if one.control.do.startswith(TAKES_AWAY) and one.control.scope == "function"
        for place in taken(one)
        if (place.file, place.line) in lines
    ]


@pytest.mark.parametrize("name", FILES)
def test_no_action_removes_what_a_trigger_needs(name: str, tmp_path: Path) -> None:
    file, content = FILES[name]
    (tmp_path / file).write_text(content, encoding="utf-8")
    found = assessed(tmp_path / file, tmp_path / "m.yaml")
    assert not breaking(tmp_path / file, found)
    removes = [one for one in actions(found) if one.control.id == "public-invocation-blocked" and one.is_known]
    assert bool(removes) == (name == "url-and-direct"), "a statement for everyone is an alarm all the same"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_no_action_removes_what_a_trigger_of_a_sample_needs(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    try:
        found = assessed(copy, tmp_path / "m.yaml")
    except InputError as error:  # it has no function
        pytest.skip(str(error))
    assert not breaking(copy, found)


@pytest.mark.parametrize("name", ["url", "sam", "serverless"])
def test_no_action_asks_slack_to_authenticate(name: str, tmp_path: Path) -> None:
    """Slack can sign for nobody but itself: what it calls has to stay open."""
    file, content = FILES[name]
    (tmp_path / file).write_text(content, encoding="utf-8")
    found = assessed(tmp_path / file, tmp_path / "m.yaml", slack=True)
    assert any(one.facts["slack_facing"].value for one in found.graph.elements.values() if one.kind == "api")
    assert not AUTHENTICATION & {one.control.id for one in actions(found)}
