"""How the accuracy of readings is counted, on a template and labels of our own; public ones stay where they are."""

from __future__ import annotations

import hashlib
import runpy
from pathlib import Path

import yaml

from tests.support import HOME

SCRIPT = runpy.run_path(str(HOME / "scripts" / "accuracy.py"))
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters: {LedgerTable: {Type: String}}
Resources:
  Front:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Policies:
        - LambdaInvokePolicy: {FunctionName: !Ref Worker}
        - DynamoDBReadPolicy: {TableName: !Ref LedgerTable}
        - SSMParameterReadPolicy: {ParameterName: shop/token}
        - Statement: {Effect: Allow, Action: [translate:TranslateText, ses:SendEmail], Resource: "*"}
      Events:
        Order: {Type: HttpApi, Properties: {Path: /order, Method: POST}}
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.c
      Events:
        Upload: {Type: Cognito, Properties: {UserPool: !Ref People, Trigger: PreSignUp}}
  People: {Type: AWS::Cognito::UserPool}
"""
EXPECTED = {
    "public": "our own",
    "functions": ["Front", "Worker"],
    "routes": ["POST /order Front"],
    "flows": [
        "rate(1 hour) > Front",
        "People > Worker",
        "Front invokes Worker",
        "Front reads aws:dynamodb:LedgerTable",
        "Front secrets aws:ssm:shop/token",
        "Front calls aws:translate:",
        "Front calls aws:ses:",
    ],
}


def test_what_is_there_and_what_is_found(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    digest = hashlib.sha256(TEMPLATE.encode()).hexdigest()[:16]
    ((name, counts),) = SCRIPT["measured"](tmp_path, {digest: EXPECTED})
    assert name == "our own"
    assert {subject: (count.wrong, count.missed) for subject, count in counts.items()} == {
        "functions": ((), ()),
        "routes": ((), ()),
        "flows": ((), ()),
    }


def test_what_is_wrong_and_what_is_missed_is_named() -> None:
    count = SCRIPT["counted"]({"a", "b"}, {"b", "c"})
    assert (count.right, count.wrong, count.missed) == (("b",), ("c",), ("a",))
    shown = SCRIPT["table"]([("x", dict.fromkeys(SCRIPT["SUBJECTS"], count))])
    assert "| flows | 2 | 1 of 2 (50 %) | 1 of 2 (50 %) |" in shown
    assert "- x: routes: missed: `a`" in shown


def test_labels_are_of_public_templates() -> None:
    labels = yaml.safe_load((HOME / "scripts" / "accuracy.yaml").read_text(encoding="utf-8"))
    assert all(len(digest) == 16 and set(label) <= {"public", *SCRIPT["SUBJECTS"]} for digest, label in labels.items())
