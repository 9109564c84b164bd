"""Who calls a route: one question for the system, and what threatens Slack's routes may apply until it is answered."""

from __future__ import annotations

from pathlib import Path

from threatmodel.api import assess, load_library, load_model
from threatmodel.assessment.actions import actions
from threatmodel.assessment.issues import issues

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  SlackSigningSecret: {Type: String, NoEcho: true}
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Events: {E: {Type: HttpApi, Properties: {Path: /order, Method: POST}}}}
  Two:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Events: {E: {Type: HttpApi, Properties: {Path: /refund, Method: POST}}}}
"""
MODEL = """\
name: S
evidence: [{template: template.yaml}]
apis: {serverless-http-api: {}}
functions:
  one: {triggers: [{http: POST, path: /order, caller: unknown}], reads: []}
  two: {triggers: [{http: POST, path: /refund, caller: unknown}], reads: []}
"""


def test_one_question_names_the_signs(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "model.yaml").write_text(MODEL, encoding="utf-8")
    found = assess(load_model(tmp_path / "model.yaml"), load_library())
    (asked,) = [question for question in found.questions if question.kind == "caller"]
    assert asked.elements == ("one", "two")
    assert asked.ask == "Which of these routes does Slack call?"
    assert "the parameter 'SlackSigningSecret' at " in asked.known
    assert "slack-request-forgery@one" in asked.decides
    assert {finding.id for finding in found.possible} >= {"slack-request-forgery@one", "slack-request-forgery@two"}


def test_where_files_speak_of_slack_its_signature_comes_first(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(MODEL, encoding="utf-8")
    for template, first in ((TEMPLATE, True), (TEMPLATE.replace("Slack", "Some"), False)):
        (tmp_path / "template.yaml").write_text(template, encoding="utf-8")
        found = assess(load_model(tmp_path / "model.yaml"), load_library())
        action, issue = actions(found)[0], issues(found)[0]
        assert (action.control.id == "slack-request-signing" and action.entry_point) is first
        assert issue.entry_point is first
        assert not first or any(question.kind == "caller" for question in issue.questions)
