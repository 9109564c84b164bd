"""The calls that a probe saw, as rights: on the resource that the variable refers to, and on nothing else."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from tests.collecting import collected
from tests.evidence.policies.stating import read
from tests.support import HOME
from threatmodel.evidence.relations.unused import unable, used
from threatmodel.library.directions import directions
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.probe.seen import SeenCall
from threatmodel.reading.files import Files

AS_OF = datetime.date(2026, 11, 25)
TEMPLATE = """
Resources:
  Jobs: {Type: AWS::SQS::Queue}
  Orders: {Type: AWS::DynamoDB::Table}
  Bot:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables: {QUEUE: !Ref Jobs, BOTH: !Sub "${Jobs} ${Orders}", OTHER: elsewhere, TABLE: !Ref Orders}
"""


def rights(service: str, action: str, variable: str) -> frozenset[tuple[str, str]]:
    stack = read(TEMPLATE)
    call = SeenCall(service=service, action=action, resource="x", variable=variable)
    return used([call], stack.resources["Bot"], stack)


def test_a_call_is_the_use_of_a_right_on_what_its_variable_refers_to() -> None:
    assert rights("sqs", "SendMessage", "QUEUE") == {("sqs:sendmessage", "Jobs")}
    assert rights("sqs", "SendMessageBatch", "QUEUE") == {("sqs:sendmessage", "Jobs")}


def test_a_call_on_what_is_not_told_apart_shows_no_use() -> None:
    assert not rights("sqs", "SendMessage", "BOTH")
    assert not rights("sqs", "SendMessage", "OTHER")
    assert not rights("sqs", "SendMessage", "")
    assert not rights("dynamodb", "ExecuteStatement", "TABLE")


def least(template: str, probe: str | None = None) -> tuple[object, str]:
    """What the example's template says of order-bot's rights, and who says so, with changed files."""
    where = HOME / "examples" / "template.yaml"
    model = HOME / "models" / "slack-lambda.yaml"
    text = model.read_text(encoding="utf-8").replace("examples/slack-app/template.yaml", "examples/template.yaml")
    texts: dict[Path | str, str] = {where: template.replace("CodeUri: .", "CodeUri: slack-app"), model: text}
    if probe is not None:
        texts[HOME / "examples" / "slack-app" / "order-bot.probe.json"] = probe
    files = Files(HOME, texts=texts)
    ways = directions(load_library(HOME / "threatlib"))
    statements, _ = collected(load_model(files, model), files, ways, AS_OF)
    said = statements["order-bot"]["role_reaches_unused"]
    return said[0].value, said[0].source


def example(name: str) -> str:
    return (HOME / "examples" / "slack-app" / name).read_text(encoding="utf-8")


def test_where_a_probe_saw_each_granted_action_the_role_is_proven_to_allow_no_more() -> None:
    assert least(example("template.yaml")) == (False, "template")


def test_an_action_or_a_resource_more_than_was_seen_is_not_proven() -> None:
    template = example("template.yaml")
    more = template.replace("Action: dynamodb:PutItem", "Action: [dynamodb:PutItem, dynamodb:UpdateItem]")
    assert more != template
    assert least(more) == (False, "model")


def test_a_result_that_counts_as_word_has_seen_nothing() -> None:
    probe = re.sub('"folder_sha256": "....', '"folder_sha256": "0000', example("order-bot.probe.json"))
    assert least(example("template.yaml"), probe) == (False, "model")


def test_a_call_that_the_role_does_not_allow_was_made_elsewhere() -> None:
    stack = read(TEMPLATE)
    call = SeenCall(service="sqs", action="SendMessage", resource="x", variable="QUEUE")
    assert unable([call], stack.resources["Bot"], stack, frozenset()) == ("sqs:sendmessage on Jobs",)
    assert not unable([call], stack.resources["Bot"], stack, frozenset({("sqs:sendmessage", "Jobs")}))
