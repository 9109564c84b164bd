"""A model held against the files that it names: what is proven, contradicted, drifted, missing and left open."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.refusals import refused
from tests.support import HOME, TODAY, check_lines, failing
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.evidence.collect import collect
from threatmodel.evidence.every_function import with_functions
from threatmodel.evidence.sources import read_sources
from threatmodel.graph.building import Graph, build
from threatmodel.library.directions import Directions, directions
from threatmodel.library.load import load_library
from threatmodel.model.facts import EVIDENCE, STATED
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.render.contract.assessment import contract
from threatmodel.render.report.report import report

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  SlackApi:
    Type: AWS::Serverless::Api
    Properties: {StageName: prod}
  BotFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      CodeUri: .
      ReservedConcurrentExecutions: 5
      Environment: {Variables: {TABLE: !Ref Orders}}
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Orders}}]
      Events:
        Command: {Type: Api, Properties: {RestApiId: !Ref SlackApi, Path: /slack, Method: post}}
  Orders:
    Type: AWS::DynamoDB::Table
    Properties: {BillingMode: PAY_PER_REQUEST}
"""
MODEL = """\
name: Shop
evidence: [{template: template.yaml}]
apis: {slack-api: {kind: rest}}
stores: {orders: {kind: dynamodb}}
functions:
  bot:
    triggers: [{slack: slash-command, path: /slack}]
    reserved_concurrency: 10
    writes: [orders]
"""


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def graph(model: str = MODEL, ways: Directions | None = None, **files: str) -> Graph:
    Path("model.yaml").write_text(textwrap.dedent(model), encoding="utf-8")
    for name, text in {"template": TEMPLATE, **files}.items():
        Path(f"{name}.yaml").write_text(text, encoding="utf-8")
    opened = Files()
    system = load_model(opened, Path("model.yaml"))
    sources = read_sources(system, opened)
    system = with_functions(system, sources)
    evidence, read = collect(system, sources, ways)
    return build(system, evidence, TODAY, read)


def assessment(model: str = MODEL, **files: str) -> Assessment:
    return assess(graph(model, None, **files), load_library(HOME / "threatlib"), TODAY)


def test_the_template_beats_the_model_and_both_places_stay() -> None:
    fact = graph().elements["bot"].facts["reserved_concurrency"]
    assert (fact.value, fact.size, fact.said.source) == (5, EVIDENCE, "template")
    assert str(fact.said.place).startswith("template.yaml:12")
    (other,) = fact.against
    assert (other.value, str(other.place)) == (10, "model.yaml:8:5")


def test_a_request_that_the_model_says_is_slacks_stays_slacks() -> None:
    triggers = graph().lists["bot"]["triggers"]
    assert (triggers.size, triggers.against) == (EVIDENCE, ())
    assert [(t.by, t.detail, t.source and t.source.id) for t in triggers.items] == [
        ("slack", "slash-command", "slack-api")
    ]


def test_grants_are_uses_with_their_lines() -> None:
    relations = graph().lists["bot"]
    assert relations["writes"].items == ("orders",)
    assert relations["reads"].items == ("orders",)
    assert str(relations["reads"].said.place).startswith("template.yaml:14")
    assert [said.value for said in relations["reads"].against] == [()], "closed by writes"


def test_drift_fails_a_check_with_both_places_named() -> None:
    found = check_lines(assessment(), fail_on="critical", allow_undetermined=True).splitlines()
    assert [line for line in found if ": drift: " in line] == [
        "model.yaml:8:5: drift: bot.reserved_concurrency: 10 here, but 5 by template.yaml:12:37",
    ]


def test_what_only_one_of_them_has_is_drift() -> None:
    model = MODEL + "  other: {}\n"
    more = (
        TEMPLATE
        + "  Audit:\n    Type: AWS::Serverless::Function\n    Properties: {Handler: a.b, Runtime: python3.13}\n"
    )
    text = check_lines(assessment(model, template=more), fail_on="critical", allow_undetermined=True)
    assert "model.yaml:10:3: drift: other: a function that template.yaml lacks" in text
    assert "template.yaml:20:3: drift: Audit: a function that the model lacks" in text


MORE_EVENTS = """\
        Jobs: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}
  Jobs:
    Type: AWS::SQS::Queue
  Orders:
"""


def test_a_trigger_from_what_the_model_lacks_leaves_the_list_open() -> None:
    """Else a queue that nobody modelled would not start anything, for sure."""
    found = graph(template=TEMPLATE.replace("  Orders:\n", MORE_EVENTS, 1))
    triggers = found.lists["bot"]["triggers"]
    assert (triggers.size, triggers.said.source) == (STATED, "model")
    (read,) = found.evidence
    (one,) = [one for one in read.left_open if one.name == "triggers"]
    assert one.why == "it is started by 'Jobs', which the model lacks"
    assert [name for name, _, _ in read.extra] == ["Jobs"]


def test_a_use_of_what_the_model_lacks_leaves_the_list_open() -> None:
    both = "Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Carts}}, "
    text = TEMPLATE.replace("Policies: [", both, 1)
    found = graph(template=text + "  Carts:\n    Type: AWS::DynamoDB::Table\n")
    (read,) = found.evidence
    whys = {one.name: one.why for one in read.left_open if one.name in {"reads", "writes", "sends", "secrets"}}
    assert whys == dict.fromkeys(("reads", "writes"), "it uses 'Carts', which the model lacks")
    assert found.lists["bot"]["writes"].said.source == "model"


def test_with_functions_all_the_model_gains_what_the_file_has() -> None:
    found = graph("name: Shop\nevidence: [{template: template.yaml, functions: all}]\n")
    kinds = {element.id: element.kind for element in found.elements.values() if element.node is not None}
    assert kinds == {"bot-function": "function", "slack-api": "api", "orders": "store"}
    (trigger,) = found.lists["bot-function"]["triggers"].items
    assert (trigger.by, trigger.detail, trigger.path) == ("http", "POST", "/slack")
    assert "slack-api:bot-function:invoke" in found.flows
    assert "bot-function:orders:write" in found.flows


STREAM = """\
Transform: AWS::Serverless-2016-10-31
Parameters: {Name: {Type: String, Default: telemetry}}
Resources:
  Stream: {Type: AWS::Kinesis::Stream, Properties: {Name: !Ref Name, ShardCount: 1}}
  Writer:
    Type: AWS::Serverless::Function
    Properties: {Policies: [{KinesisCrudPolicy: {StreamName: !Ref Name}}]}
  Reader:
    Type: AWS::Serverless::Function
    Properties: {Events: {In: {Type: Kinesis, Properties: {Stream: !GetAtt Stream.Arn, StartingPosition: LATEST}}}}
"""


@pytest.mark.parametrize(
    ("model", "kind", "used"),
    [
        ("name: S\nevidence: [{template: template.yaml, functions: all}]\n", "queue", "sends"),
        ("name: S\nevidence: [{template: template.yaml}]\nstores: {stream: {}}\n", "store", "writes"),
        ("name: S\nevidence: [{template: template.yaml}]\nqueues: {stream: {}}\n", "queue", "sends"),
    ],
)
def test_a_stream_stands_in_the_lists_that_take_what_the_model_has_it_as(model: str, kind: str, used: str) -> None:
    functions = "" if "all" in model else "functions: {writer: {}, reader: {}}\n"
    found = graph(model + functions, template=STREAM)
    assert found.elements["stream"].kind == kind
    lists = {name: members.items for name, members in found.lists["writer"].items() if name != "triggers"}
    assert lists[used] == ("stream",)
    others = {name for name, items in lists.items() if "stream" in items and name != used}
    assert others <= ({"reads"} if kind == "store" else set())
    (trigger,) = found.lists["reader"]["triggers"].items
    assert (trigger.by, trigger.source.id) == (kind, "stream")


def test_an_element_of_a_kind_that_a_list_does_not_take_leaves_the_list_open() -> None:
    reads = STREAM.replace("KinesisCrudPolicy: {StreamName: !Ref Name}", "SecretPolicy: {QueueName: jobs}")
    reads = reads.replace("SecretPolicy: {QueueName", "AWSSecretsManagerGetSecretValuePolicy: {SecretArn")
    reads = reads.replace("{SecretArn: jobs}", "{SecretArn: arn:aws:secretsmanager:eu-west-1:111122223333:secret:jobs}")
    model = """\
        name: S
        evidence: [{template: template.yaml, resources: {jobs: 'aws:secretsmanager:jobs'}}]
        stores: {jobs: {}}
        functions: {writer: {}}
        """
    found = graph(textwrap.dedent(model), template=reads)
    (read,) = found.evidence
    assert "it uses 'aws:secretsmanager:jobs', which the model has as a store" in {one.why for one in read.left_open}
    assert not any(members.items for members in found.lists["writer"].values())


def test_the_functions_of_two_files_are_all_there_and_a_file_that_cannot_be_used_is_told_once() -> None:
    lines = "name: Shop\nevidence:\n" + "".join(
        f"- {{template: {n}.yaml, functions: all}}\n" for n in ("template", "two")
    )
    two = TEMPLATE.replace("BotFunction", "JobFunction").replace("/slack", "/job")
    assert {"bot-function", "job-function"} <= graph(lines, two=two).elements.keys()
    with pytest.raises(InputError) as told:
        graph(lines, two="Resources: [")
    assert [problem.code for problem in told.value.problems] == ["yaml-syntax"]


def test_what_a_file_leaves_open_is_told_with_what_its_defaults_give() -> None:
    inside = "VpcConfig: !If [Live, {SubnetIds: [subnet-1], SecurityGroupIds: [sg-1]}, !Ref AWS::NoValue]"
    text = TEMPLATE.replace("ReservedConcurrentExecutions: 5", inside)
    text = "Parameters: {Stage: {Type: String, Default: dev}}\nConditions: {Live: !Equals [!Ref Stage, live]}\n" + text
    (read,) = graph(MODEL, directions(load_library(HOME / "threatlib")), template=text).evidence
    left = {one.name: one for one in read.left_open if one.element == "bot"}
    assert (left["in_vpc"].usual, left["egress"].usual) == ((False,), ("open",))
    assert "Live" in left["in_vpc"].why


def test_a_nested_stack_is_told_as_unread() -> None:
    text = TEMPLATE + "  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: x.yaml}\n"
    (read,) = graph(template=text).evidence
    assert [name for name, _, _ in read.unread] == ["Inner"]


@pytest.mark.parametrize(
    ("template", "code"),
    [("- a\n", "not-a-template"), ("Resources: [", "yaml-syntax"), ("a: 1\n", "not-a-template")],
)
def test_a_file_that_cannot_be_used_stops_the_run(template: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        graph(template=template)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_file_that_is_not_there_stops_the_run() -> None:
    with pytest.raises(InputError) as caught:
        graph(MODEL.replace("template.yaml", "templat.yaml"))
    assert [problem.code for problem in caught.value.problems] == ["missing-file"]


def test_a_path_out_of_the_project_stops_the_run() -> None:
    with pytest.raises(InputError) as caught:
        graph(MODEL.replace("template.yaml", "../../etc/passwd"))
    assert [problem.code for problem in caught.value.problems] == ["outside-project"]


SECRET = "8f742231b10e8888abcd99c0ffee85a5"


@pytest.mark.slow
def test_a_secret_in_a_template_is_a_finding_and_never_shown() -> None:
    text = TEMPLATE.replace("{TABLE: !Ref Orders}", f"{{TABLE: !Ref Orders, SLACK_SIGNING_SECRET: {SECRET}}}")
    text += f"  Orders:\n    Type: AWS::DynamoDB::Table\n    Metadata: {{x: {SECRET}}}\n"  # twice: a problem
    found = assessment(template=text)
    assert found.graph.elements["bot"].facts["environment_holds_secret"].value is True
    shown: list[Any] = [report(found), report(found, "html"), json.dumps(contract(found)), check_lines(found)]
    shown += [repr(found.graph.evidence), str(failing(found, fail_on="low"))]
    assert [text for text in shown if SECRET in text] == []


@pytest.mark.slow
def test_every_output_names_the_evidence() -> None:
    found = assessment()
    for text in (report(found), report(found, "html")):
        assert "template.yaml:12" in text
        assert "bot = BotFunction" in text
    said = contract(found)
    assert said["evidence"][0]["elements"] == {"slack-api": "SlackApi", "orders": "Orders", "bot": "BotFunction"}
    assert [(one["element"], one["fact"], one["value"]) for one in said["drift"]] == [
        ("bot", "reserved_concurrency", 5)
    ]


def test_two_resources_that_fit_are_named(
    capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    Path("model.yaml").write_text(
        "name: x\nevidence:\n  - {template: template.yaml}\nfunctions: {bot: {}}\n", encoding="utf-8"
    )
    Path("template.yaml").write_text(
        "Resources: {BotFunction: {Type: AWS::Lambda::Function}, BotLambda: {Type: AWS::Lambda::Function}}\n",
        encoding="utf-8",
    )
    golden("bad-input/ambiguous-resource.txt", refused(["-m", "model.yaml", "--dfd"], capsys))


@pytest.mark.parametrize(
    ("triggers", "slack", "web"),
    [
        ("", "unknown", "unknown"),  # a route in a template does not tell who calls it
        ("{triggers: [{http: POST, api: front, path: /x}]}", "False by word", "True by word"),
        ("{triggers: [{slack: events, api: front, path: /x}]}", "True by word", "False by word"),
    ],
)
def test_a_route_does_not_tell_who_calls(tmp_path: Path, triggers: str, slack: str, web: str) -> None:
    template = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Front: {Type: AWS::Serverless::HttpApi}
  BotFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.13
      InlineCode: x
      Events: {Ask: {Type: HttpApi, Properties: {ApiId: !Ref Front, Path: /x, Method: POST}}}
"""
    (tmp_path / "t.yaml").write_text(template, encoding="utf-8")
    bot = triggers or "{timeout_seconds: 3}"
    model = f"name: x\nevidence: [{{template: t.yaml}}]\napis: {{front: {{}}}}\nfunctions: {{bot: {bot}}}\n"
    (tmp_path / "m.yaml").write_text(model, encoding="utf-8")
    files = Files()
    system = load_model(files, tmp_path / "m.yaml")
    graph = build(system, collect(system, read_sources(system, files))[0])
    facts = graph.elements["bot"].facts
    for name, expected in (("slack_facing", slack), ("web_facing", web)):
        found = facts.get(name)
        told = f"{found.value} by {('word', 'evidence')[found.size - 1]}" if found and found.size else "unknown"
        assert (name, told) == (name, expected)
    assert graph.elements["front"].facts.get("slack_facing") is None or triggers


def test_what_is_certain_stands_beside_what_is_not() -> None:
    """A role that may read every table does not hide the table that it names, nor the route."""
    wide = TEMPLATE.replace(
        "Policies: [", "Policies: [{Statement: [{Effect: Allow, Action: 'dynamodb:*', Resource: '*'}]}, ", 1
    )
    lists = graph(template=wide).lists["bot"]
    assert (lists["writes"].items, lists["writes"].known[0].fact.size) == (("orders",), EVIDENCE)
    alone = graph("name: Shop\nevidence: [{template: template.yaml, functions: all}]\n", template=wide)
    writes = alone.lists["bot-function"]["writes"]
    assert (writes.items, writes.closed, writes.said.open) == (("orders",), None, "its role may write every table")
    assert "bot-function:orders:write" in alone.flows


def many_routes(count: int) -> int:
    """The calls in `collect` that it takes to hold a model with one function and many routes against its file."""
    ways = range(count)
    events = "".join(f"        E{n}: {{Type: HttpApi, Properties: {{Path: /r{n}, Method: post}}}}\n" for n in ways)
    triggers = ", ".join(f"{{http: POST, path: /r{n}, caller: unknown}}" for n in ways)
    model = "name: S\nevidence: [{template: template.yaml}]\napis: {web: {}}\n"
    model += f"functions: {{bot: {{triggers: [{triggers}]}}}}\n"
    head = "Transform: AWS::Serverless-2016-10-31\nResources:\n  Bot:\n    Type: AWS::Serverless::Function\n"
    calls = 0

    def count_one(frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event == "call" and frame.f_code.co_filename == collect.__code__.co_filename

    before = sys.getprofile()
    sys.setprofile(count_one)
    try:
        found = graph(model, template=f"{head}    Properties:\n      Handler: a.b\n      Events:\n{events}")
    finally:
        sys.setprofile(before)
    assert found.lists["bot"]["triggers"].known
    return calls


@pytest.mark.slow
def test_twice_the_routes_are_twice_the_work() -> None:
    many_routes(10)  # tables are read once
    small, large = many_routes(100), many_routes(400)
    assert large < 5 * small


def test_what_was_read_is_enough_for_all_that_follows(tmp_path: Path) -> None:
    """The files may be gone: worlds of a template, those that it nests and probes were read before."""
    shutil.copytree(HOME / "examples" / "slack-app", tmp_path / "app")
    child = "Parameters: {Seconds: {Type: Number, Default: 3}}\n" + TEMPLATE.replace(
        "CodeUri: .", "CodeUri: .\n      Timeout: !Ref Seconds"
    )
    nesting = """\
Parameters: {Large: {Type: String, Default: "no"}}
Conditions: {IsLarge: !Equals [!Ref Large, "yes"]}
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ./child.yaml, Parameters: {Seconds: !If [IsLarge, 60, 3]}}
"""
    model = """\
name: Shop
evidence:
  - {template: template.yaml, resources: {bot: Inner.BotFunction}}
  - {template: app/template.yaml}
  - {probe: app/order-bot.probe.json, function: order-bot, free: [ALLOWED_COMMANDS, ALLOWED_IDS]}
functions: {order-bot: {}, bot: {}}
"""
    for name, text in {"child": child, "template": nesting, "model": model}.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    files = Files()
    system = load_model(files, Path("model.yaml"))
    sources, ways = read_sources(system, files), directions(load_library(HOME / "threatlib"))
    before = collect(system, sources, ways, TODAY)
    again = read_sources(system, files)
    for path in tmp_path.iterdir():
        (shutil.rmtree if path.is_dir() else Path.unlink)(path)
    assert before[0]["bot"]["timeout_seconds"]
    assert collect(system, again, ways, TODAY) == before
