"""Large and real templates."""

from __future__ import annotations

import time

import pytest
import yaml

from tests.stacks.real import REAL, needs_real
from threatmodel.reading.problems import InputError
from threatmodel.reading.source import read_text
from threatmodel.stacks.cloudformation.reader import read


def of_functions(count: int) -> str:
    """A template of about 20 lines a function."""
    function = """\
  Bot{0}:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "${{Stage}}-bot-{0}"
      Handler: app.handler
      Runtime: python3.13
      Timeout: 10
      Environment:
        Variables:
          TABLE: !Ref Orders{0}
          STAGE: !Ref Stage
      Policies:
        - DynamoDBCrudPolicy: {{TableName: !Ref Orders{0}}}
      Events:
        Command:
          Type: Api
          Properties: {{Path: /command/{0}, Method: post}}
  Orders{0}:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
"""
    head = "Transform: AWS::Serverless-2016-10-31\nParameters:\n  Stage: {Type: String, Default: dev}\nResources:\n"
    return head + "".join(function.format(at) for at in range(count))


@pytest.mark.parametrize(("functions", "most"), [(10, 0.05), (500, 2.0)])
def test_speed(functions: int, most: float) -> None:
    text = of_functions(functions)
    taken = min(timed(text) for _ in range(5))
    print(f"{text.count(chr(10))} lines in {taken * 1000:.2f} ms")  # noqa: T201 - pytest -s shows it
    assert taken < most


def timed(text: str) -> float:
    """Seconds of the processor that reading takes."""
    began = time.process_time()
    read(text, "f")
    return time.process_time() - began


@needs_real
def test_real_templates() -> None:
    broken = []
    for path in REAL:
        text = read_text(path, path.name)
        try:
            stack = read(text, path.name)[0]
        except InputError:
            broken.append(text)
        else:
            assert stack.resources
            assert {one.code for one in stack.problems} <= {"duplicate-key"}
    assert len(broken) <= 1
    for text in broken:
        with pytest.raises(yaml.YAMLError):
            list(yaml.parse(text, yaml.SafeLoader))
