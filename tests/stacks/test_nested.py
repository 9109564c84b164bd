"""Nested stacks and applications: those of the same project are one stack with the template that nests them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from threatmodel.evidence.analyses.secrets import supplied
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, shown
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.nested import MOST_NESTED, read
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import List, Scalar, Unknown, get, links, shape_of, unknowns

INNER = """
Parameters: {Table: {Type: String}, Size: {Type: Number, Default: 256}, Ids: {Type: CommaDelimitedList, Default: ""}}
Resources:
  Bot:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: !Sub "${AWS::StackName}-bot"
      MemorySize: !Ref Size
      VpcConfig: {SubnetIds: !Ref Ids}
      Environment: {Variables: {TABLE: !Ref Table, ROLE: !GetAtt Role.Arn}}
  Role: {Type: AWS::IAM::Role}
Outputs:
  Arn: {Value: !GetAtt Bot.Arn}
  Table: {Value: !Ref Table}
  Size: {Value: !Ref Size}
"""
OUTER = """
Parameters: {Stage: {Type: String, Default: dev}}
Resources:
  Orders: {Type: AWS::DynamoDB::Table}
  Shop:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ./shop/inner.yaml, Parameters: {Table: !Ref Orders, Ids: "a,b"}}
  Caller:
    Type: AWS::Lambda::Function
    Properties:
      MemorySize: !GetAtt Shop.Outputs.Size
      Environment:
        Variables:
          BOT: !GetAtt Shop.Outputs.Arn
          SAME: !GetAtt Shop.Outputs.Table
          TEXT: !Sub "f/${Shop.Outputs.Arn}/${Shop.Outputs.Size}"
          NONE: !GetAtt Shop.Outputs.Nothing
"""

SUBSCRIPTION = "  S: {{Type: AWS::SNS::Subscription, Properties: {{Endpoint: {}}}}}\n"


def nesting(template: str, parameters: str = "{}", name: str = "A") -> str:
    """A template, or one more resource, that nests another."""
    properties = f"{{TemplateURL: {template}, Parameters: {parameters}}}"
    return f"  {name}: {{Type: AWS::CloudFormation::Stack, Properties: {properties}}}\n"


def stack(files: dict[str, str], assumed: Assumed = DEFAULTS) -> Stack:
    return read(Path("template.yaml"), Files(texts={Path(name): text for name, text in files.items()}), assumed)


@pytest.fixture(autouse=True)
def _in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")


def variable(found: Stack, name: str, variable: str) -> str:
    return shape_of(get(found.resources[name].properties, "Environment", "Variables", variable))


def test_a_nested_stack_is_read_with_what_it_is_handed() -> None:
    found = stack({"template.yaml": OUTER, "shop/inner.yaml": INNER})
    assert list(found.resources) == ["Orders", "Shop.Bot", "Shop.Role", "Caller"]
    assert not found.unread
    bot = found.resources["Shop.Bot"]
    assert variable(found, "Shop.Bot", "TABLE") == "${Orders}"
    assert variable(found, "Shop.Bot", "ROLE") == "${Shop.Role.Arn}"
    assert bot.place.file == "shop/inner.yaml"
    size = get(bot.properties, "MemorySize")
    assert isinstance(size, Scalar)
    assert (size.value, size.given) == (256, ())
    ids = get(bot.properties, "VpcConfig", "SubnetIds")
    assert isinstance(ids, List)
    assert [shape_of(one) for one in ids.items] == ["a", "b"]
    assert [(one.name, one.file) for one in found.nested] == [("Shop", "shop/inner.yaml")]


def test_outputs_come_back_as_what_they_are() -> None:
    found = stack({"template.yaml": OUTER, "shop/inner.yaml": INNER})
    caller = found.resources["Caller"].properties
    assert variable(found, "Caller", "BOT") == "${Shop.Bot.Arn}"
    assert variable(found, "Caller", "SAME") == "${Orders}"
    assert variable(found, "Caller", "TEXT") == "f/${Shop.Bot.Arn}/256"
    size = get(caller, "MemorySize")
    assert isinstance(size, Scalar)
    assert (size.value, size.given) == (256, ())
    assert isinstance(get(caller, "Environment", "Variables", "NONE"), Unknown)


def test_names_of_two_stacks_are_not_the_same() -> None:
    """What AWS makes of a stack's own name differs from one nested stack to the next."""
    found = stack({"template.yaml": OUTER, "shop/inner.yaml": INNER})
    assert shape_of(get(found.resources["Shop.Bot"].properties, "FunctionName")) == "${AWS::StackName.Shop}-bot"


def test_what_a_deployment_may_give_stays_open_within() -> None:
    outer = OUTER.replace('Ids: "a,b"', "Size: !Ref Stage")
    found = stack({"template.yaml": outer, "shop/inner.yaml": INNER})
    size = get(found.resources["Shop.Bot"].properties, "MemorySize")
    assert isinstance(size, Scalar)
    assert size.given == ("Stage",)
    opened = stack({"template.yaml": outer, "shop/inner.yaml": INNER}, Assumed(open=True))
    size = get(opened.resources["Shop.Bot"].properties, "MemorySize")
    assert isinstance(size, Unknown)
    assert size.given == ("Stage",)


def test_what_another_stack_exports_keeps_its_name_within() -> None:
    outer = OUTER.replace("Table: !Ref Orders", "Table: !ImportValue orders-table")
    found = stack({"template.yaml": outer, "shop/inner.yaml": INNER})
    given = [
        one.imported for resource in found.resources.values() for one in unknowns(resource.properties) if one.imported
    ]
    assert set(given) == {"orders-table"}


def test_conditions_of_a_nested_stack_are_decided_by_themselves() -> None:
    inner = INNER.replace("Resources:", "Conditions: {Big: !Equals [!Ref Table, big]}\nResources:", 1).replace(
        "Role: {Type: AWS::IAM::Role}", "Role: {Type: AWS::IAM::Role, Condition: Big}"
    )
    outer = OUTER.replace("Table: !Ref Orders", "Table: !Ref Stage")
    files = {"template.yaml": outer, "shop/inner.yaml": inner}
    found = stack(files)
    assert [one.condition for one in found.undecided] == ["Shop.Big"]
    assert found.resources["Shop.Role"].doubt is not None
    assumed = DEFAULTS.with_condition("Shop.Big", holds=False)
    assert "Shop.Role" not in stack(files, assumed).resources


def test_one_nested_stack_is_handed_the_outputs_of_another_in_any_order() -> None:
    second = nesting("b.yaml", "{Arn: !GetAtt First.Outputs.Arn}", "Second")
    outer = f"Resources:\n{second}{nesting('a.yaml', name='First')}"
    first = "Resources: {Queue: {Type: AWS::SQS::Queue}}\nOutputs: {Arn: {Value: !GetAtt Queue.Arn}}\n"
    other = "Parameters: {Arn: {Type: String}}\nResources:\n" + SUBSCRIPTION.format("!Ref Arn")
    found = stack({"template.yaml": outer, "a.yaml": first, "b.yaml": other})
    (link,) = links(found.resources["Second.S"].properties)
    assert (link.resource, link.attribute) == ("First.Queue", "Arn")


def test_what_is_handed_down_twice_stays_what_it_is() -> None:
    outer = "Resources:\n  T: {Type: AWS::SQS::Queue}\n" + nesting("a.yaml", "{X: !GetAtt T.Arn}")
    middle = "Parameters: {X: {Type: String}}\nResources:\n" + nesting("b.yaml", "{Y: !Sub 'q:${X}'}", "B")
    inner = "Parameters: {Y: {Type: String}}\nResources:\n" + SUBSCRIPTION.format("!Ref Y")
    found = stack({"template.yaml": outer, "a.yaml": middle, "b.yaml": inner})
    assert shape_of(get(found.resources["A.B.S"].properties, "Endpoint")) == "q:${T.Arn}"


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("https://bucket.s3.amazonaws.com/t.yaml?X-Amz-Signature=1", "at 'https://bucket.s3.amazonaws.com/t.yaml'"),
        ("s3://bucket/t.yaml", "at 's3://bucket/t.yaml'"),
        ("C:\\t.yaml", "at 'C:"),
        ("/etc/passwd", "leaves the project"),
        ("../../../etc/passwd", "leaves the project"),
        ("out.yaml", "leaves the project"),
        ("gone.yaml", "no such file"),
        ("bad.yaml", "expected a CloudFormation or SAM template"),
        ("pipe", "pipe or a device"),
    ],
)
def test_what_cannot_be_read_is_named(location: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(INNER, encoding="utf-8")
    Path("out.yaml").symlink_to(tmp_path / "secret.yaml")
    os.mkfifo("pipe")
    Path("bad.yaml").write_text("just: text", encoding="utf-8")
    text = "Resources:\n" + nesting(f"'{location}'", name="Shop")
    Path("template.yaml").write_text(text, encoding="utf-8")
    found = read(Path("template.yaml"), Files(), DEFAULTS)
    (unread,) = found.unread
    assert unread.name == "Shop"
    assert why in unread.why
    assert list(found.resources) == ["Shop"]
    assert "X-Amz" not in unread.why


def asset(digest: str, kind: str = "TemplateURL") -> str:
    """A nested stack as the CDK writes it: its address has a digest, and its metadata the file."""
    properties = f"{{TemplateURL: !Sub 'https://s3.${{AWS::Region}}.amazonaws.com/assets/{digest}.json'}}"
    metadata = f"{{'aws:asset:path': inner.json, 'aws:asset:property': {kind}}}"
    return f"Resources:\n  A: {{Type: AWS::CloudFormation::Stack, Properties: {properties}, Metadata: {metadata}}}\n"


@pytest.mark.parametrize(
    ("digest", "kind", "found", "unread"),
    [
        (None, "TemplateURL", ["A.Q"], []),
        ("0" * 64, "TemplateURL", ["A.Q"], ["A.template"]),
        (None, "Code", ["A"], ["A"]),
    ],
)
def test_a_nested_stack_of_the_cdk_is_the_file_whose_digest_it_has(
    digest: str | None, kind: str, found: list[str], unread: list[str]
) -> None:
    inner = {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "ü"}}}}
    compact = json.dumps(inner, separators=(",", ":"), ensure_ascii=False)
    outer = asset(digest or hashlib.sha256(compact.encode()).hexdigest(), kind)
    read_ = stack({"template.yaml": outer, "inner.json": json.dumps(inner, indent=1)})
    assert list(read_.resources) == found
    assert [one.name for one in read_.unread] == unread


def test_an_application_of_the_repository_is_named() -> None:
    location = "{Location: {ApplicationId: 'arn:aws:a', SemanticVersion: 1.0.0}}"
    text = f"Resources:\n  App: {{Type: AWS::Serverless::Application, Properties: {location}}}\n"
    (unread,) = stack({"template.yaml": text}).unread
    assert unread.why.endswith("in another template of the Serverless Application Repository: 'arn:aws:a'")


@pytest.mark.parametrize(
    "files", [{"a.yaml": "template.yaml"}, {"a.yaml": "b.yaml", "b.yaml": "a.yaml"}, {"a.yaml": "./a.yaml"}]
)
def test_a_circle_ends_with_its_way(files: dict[str, str]) -> None:
    texts = {name: "Resources:\n" + nesting(to) for name, to in {"template.yaml": "a.yaml", **files}.items()}
    with pytest.raises(InputError) as caught:
        stack(texts)
    (problem,) = caught.value.problems
    assert problem.code == "circular-nesting"
    assert " nests " in problem.message


def test_problems_of_nested_templates_as_people_read_them(golden: Callable[[str, str], None]) -> None:
    texts = {
        "template.yaml": "Resources:\n" + nesting("orders/template.yaml", name="Orders"),
        "orders/template.yaml": "Resources:\n" + nesting("../template.yaml", name="Back"),
    }
    with pytest.raises(InputError) as caught:
        stack(texts)
    golden("bad-input/circular-nesting.txt", shown(caught.value.problems, texts) + "\n")
    lost = {"template.yaml": "Resources:\n" + nesting("../../other/template.yaml", name="Other")}
    golden("bad-input/unread-template.txt", shown(stack(lost).problems, lost) + "\n")


def test_templates_that_double_at_each_level_end() -> None:
    """Thirty levels, each nesting the next one twice, would be a billion templates."""

    def twice(name: str) -> str:
        return "Resources:\n" + nesting(name) + nesting(name, name="B")

    files = {f"{level}.yaml": twice(f"{level + 1}.yaml") for level in range(30)}
    found = stack({"template.yaml": twice("0.yaml"), **files, "30.yaml": "Resources: {Q: {Type: AWS::SQS::Queue}}"})
    assert any(f"more than {MOST_NESTED}" in one.why for one in found.unread)
    assert len(found.nested) <= MOST_NESTED


def test_a_macro_within_changes_what_is_there_and_may_add_to_all() -> None:
    found = stack({"template.yaml": OUTER, "shop/inner.yaml": "Transform: Mine\n" + INNER})
    assert {one.strength: one.handed for one in found.unread} == {"template": {"Shop.Bot", "Shop.Role"}}


STACK_SET = """\
Resources:
  Set:
    Type: AWS::CloudFormation::StackSet
    Properties:
      TemplateBody: |
        Parameters: {Name: {Type: String, Default: work}}
        Resources:
          Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name}}
          P: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref Q]}}
"""


def test_what_the_template_in_a_stack_set_makes_is_in_doubt() -> None:
    found = stack({"template.yaml": STACK_SET})
    assert list(found.resources) == ["Set", "Set.Q", "Set.P"]
    doubts = [one.why for name in ("Set.Q", "Set.P") if (one := found.resources[name].doubt) is not None]
    assert [("accounts and Regions" in why) for why in doubts] == [True, True]
    assert isinstance(get(found.resources["Set.Q"].properties, "QueueName"), Unknown)
    assert [one.resource for one in links(found.resources["Set.P"].properties)] == ["Set.Q"]
    assert found.resources["Set.P"].place.file == "template.yaml#Set.TemplateBody"


def test_parameters_that_cannot_be_told_leave_everything_open() -> None:
    outer = OUTER.replace('{Table: !Ref Orders, Ids: "a,b"}', "!If [Prod, {Table: a}, {Table: b}]").replace(
        "Resources:", "Conditions: {Prod: !Equals [!Ref Stage, prod]}\nResources:", 1
    )
    found = stack({"template.yaml": outer, "shop/inner.yaml": INNER})
    bot = found.resources["Shop.Bot"].properties
    assert isinstance(get(bot, "Environment", "Variables", "TABLE"), Unknown)
    assert isinstance(get(bot, "MemorySize"), Unknown)


def test_a_nested_stack_under_a_condition_may_not_exist() -> None:
    outer = OUTER.replace(
        "Type: AWS::CloudFormation::Stack", "Type: AWS::CloudFormation::Stack\n    Condition: Prod", 1
    ).replace("Resources:", "Conditions: {Prod: !Equals [!Ref Stage, prod]}\nResources:", 1)
    found = stack({"template.yaml": outer, "shop/inner.yaml": INNER})
    assert found.resources["Shop.Bot"].doubt is not None


@pytest.mark.parametrize(
    ("declared", "handed", "hidden"),
    [
        ("{Type: String, NoEcho: true}", "us-east-1", True),
        ("{Type: String, NoEcho: true}", "!Ref Stage", True),
        ("{Type: String}", "us-east-1", False),
    ],
)
def test_what_a_nested_stack_hides_stays_hidden(declared: str, handed: str, *, hidden: bool) -> None:
    """NoEcho stands at the parameter of the nested stack: what it is handed may be a secret all the same."""
    nested = nesting("a.yaml", f"{{Word: {handed}}}")
    outer = f"Parameters: {{Stage: {{Type: String, Default: dev}}}}\nResources:\n{nested}"
    function = "{Type: AWS::Lambda::Function, Properties: {Environment: {Variables: {WORD: !Ref Word}}}}"
    inner = f"Parameters: {{Word: {declared}}}\nResources:\n  F: {function}\n"
    found = stack({"template.yaml": outer, "a.yaml": inner})
    node = get(found.resources["A.F"].properties, "Environment", "Variables", "WORD")
    assert node is not None
    told = supplied("WORD", node, found)
    assert (told.how == "hidden-parameter") is hidden
    assert told.secret is (None if hidden else False)
    assert "Word" not in found.parameters
