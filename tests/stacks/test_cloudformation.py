"""Reading CloudFormation and SAM templates: the resolved stack, what is unknown in it and why, and what is refused."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tests.refusals import marked, problems_of
from tests.stacks.real import REAL, needs_real
from tests.support import working_at_most
from threatmodel.reading.problems import MOST, InputError, Place, Problem
from threatmodel.reading.source import read_text
from threatmodel.stacks.cloudformation.document import DEEPEST, MOST_REPEATED, parse
from threatmodel.stacks.cloudformation.intrinsics import MOST_MADE
from threatmodel.stacks.cloudformation.reader import read
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown, get, same, shape_of

Golden = Callable[[str, str], None]

TEMPLATE = """\
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Seconds: {Type: Number, Default: "30"}
  Traced: {Type: String, Default: true}
  Team: {Type: String}
  Token: {Type: String, NoEcho: true, Default: changeme}
  Key: {Type: "AWS::SSM::Parameter::Value<String>", Default: /orders/key}
  Subnets: {Type: CommaDelimitedList, Default: "subnet-1, subnet-2"}
  Groups: {Type: "List<AWS::EC2::SecurityGroup::Id>"}
Mappings:
  Sizes:
    dev: {Memory: 256, Hosts: [one, two]}
    prod: {Memory: 1024, Hosts: [three, four]}
  Regions:
    eu-west-1: {Bucket: code-ireland}
Conditions:
  Always: !Equals [a, a]
  Never: !Not [!Condition Always]
  Prod: !Equals [!Ref Stage, prod]
  NotProd: !Not [!Condition Prod]
  Both: !And [!Condition Prod, !Condition Always]
  Either: !Or [!Condition Prod, !Condition Always]
  OfTeam: !Equals [!Ref Team, payments]
  Ireland: !Equals [!Ref "AWS::Region", eu-west-1]
  Circle: !Not [!Condition Circle]
Globals:
  Function:
    Timeout: !Ref Seconds
    Environment: {Variables: {STAGE: !Ref Stage, GONE: !Ref "AWS::NoValue"}}
Resources:
  Bot:
    Type: AWS::Serverless::Function
    DeletionPolicy: Retain
    DependsOn: [Orders]
    Metadata: {table: !Ref Orders}
    Properties:
      Plain: [text, 5, 1.5, true, yes, off, null, "yes", 2010-09-09, ~]
      Timeout: !Ref Seconds
      Tracing: !Ref Traced
      Names:
        - !Sub "${Stage}-bot"
        - !Sub "${Team}-bot"
        - !Sub "${Orders}/${Orders.StreamArn} in ${AWS::Region} ${!Kept} ${ Stage }"
        - !Sub ["${Arn}/index/${Name}", {Arn: !GetAtt Orders.Arn, Name: !Ref Stage}]
        - !Sub "${Orders.Arn}"
        - !Sub ["${Orders}", {Orders: own}]
        - !Join ["", ["arn:", !Ref "AWS::Partition", ":dynamodb:*:*:table/", !Ref Orders]]
        - !Join [",", !Ref Subnets]
        - !Join ["-", !Ref Groups]
        - !Join ["-", [a, !If [Prod, b, !Ref "AWS::NoValue"]]]
        - !Join ["-", [!Ref Stage, !If [Prod, b, !Ref "AWS::NoValue"]]]
        - !Join ["-", [a, !ImportValue other, !Ref Seconds]]
      Secrets:
        - !Ref Token
        - !Ref Key
        - !Sub "postgres://bot:${Token}@${Team}"
        - "{{resolve:secretsmanager:orders:SecretString:token}}"
        - !Sub "{{resolve:ssm:/${Stage}/key}}"
      Links:
        - !Ref Orders
        - !GetAtt Orders.Arn
        - !GetAtt [Orders, Arn]
        - !GetAtt [Orders, !Ref Stage]
        - !GetAtt BotRole.Arn
        - !Ref BotAliaslive
        - !Ref Bot.Version
        - !Ref ServerlessRestApi
        - !Sub "${ServerlessHttpApi.ApiEndpoint}/x"
        - !GetAtt Nested.Outputs.TableArn
        - !Ref Nested
      Lists:
        - !Ref Subnets
        - !Ref Groups
        - !Select [1, !Ref Subnets]
        - !Select ["0", [a, b]]
        - !Select [2, [a, b]]
        - !Select [0, !Split ["-", !Ref Stage]]
        - !Split ["/", "a/b/c"]
        - !Split ["/", !Ref "AWS::StackId"]
        - !Select [5, !Split [":", !GetAtt Orders.Arn]]
        - !Select [1, [!If [Prod, a, !Ref "AWS::NoValue"], b]]
        - !Select [0, !GetAZs ""]
        - !Cidr [10.0.0.0/16, 4, 8]
        - Fn::Length: !Ref Subnets
        - Fn::Length: [!If [Prod, a, b]]
      Maps:
        - !FindInMap [Sizes, prod, Memory]
        - !FindInMap [Sizes, !Ref Stage, Memory]
        - !FindInMap [Sizes, !Ref Stage, Hosts]
        - !FindInMap [Regions, !Ref "AWS::Region", Bucket]
        - !FindInMap [Sizes, !Ref Team, Memory]
        - !FindInMap [Sizes, test, Memory]
        - !FindInMap [Sizes, test, Memory, {DefaultValue: 512}]
      Imports: [!ImportValue net-Vpc, !ImportValue {"Fn::Sub": "${Stage}-Vpc"}, !ImportValue {"Ref": Stage}]
      Conditions:
        - !If [Always, taken, !Ref Nobody]
        - !If [Never, !Ref Nobody, taken]
        - !If [Prod, a, b]
        - !If [NotProd, a, b]
        - !If [Both, a, b]
        - !If [Either, a, b]
        - !If [OfTeam, a, b]
        - !If [Ireland, a, b]
        - !If [Circle, a, b]
        - !If [Ireland, {same: [!Ref Orders]}, {same: [!Ref Orders]}]
        - !If [Ireland, !Ref "AWS::NoValue", !Ref "AWS::NoValue"]
        - !If [Prod, a, !Ref "AWS::NoValue"]
        - !If [Prod, a, !If [NotProd, b, c]]
        - !If [Never, a, !Ref "AWS::NoValue"]
      Gone: !Ref "AWS::NoValue"
      Encoded: [!Base64 text, !ToJsonString {table: !Ref Orders}]
      Elsewhere:
        - {"Fn::Transform": {Name: "AWS::Include", Parameters: {Location: "s3://code/part.yaml"}}}
        - {own: 1, "Fn::Transform": {Name: "AWS::Include", Parameters: {Location: "s3://code/part.yaml"}}}
        - {"Fn::ForEach::Loop": [Name, [a, b], {"${Name}": 1}]}
        - {"Fn::Shout": text}
        - !Shout text
        - !Shout {a: !Ref Nobody}
        - !!binary aGVsbG8=
        - !!str 5
        - !Transform {Name: Shouting}
        - !Ref [a]
        - !Sub {a: b}
        - {Ref: Orders, Other: 1}
        - {Condition: Prod}
      Repeated: &rule {Effect: Allow, Action: [&read "s3:GetObject", *read]}
      Again: *rule
      Merged: {<<: *rule, Effect: Deny}
      MergedFromSeveral: {<<: [{a: 1, b: 1}, {b: 2, c: 2}], c: 3}
  Orders:
    Type: AWS::DynamoDB::Table
    Condition: Prod
    Properties: {}
  Always1: {Type: AWS::SQS::Queue, Condition: Always}
  Never1: {Type: AWS::SQS::Queue, Condition: Never}
  Ireland1: {Type: AWS::SQS::Queue, Condition: Ireland}
  Hidden:
    Type: AWS::SQS::Queue
    Properties: !If [Prod, {QueueName: a}, {QueueName: b}]
  Chosen:
    Type: AWS::SQS::Queue
    Properties: !If [Always, {QueueName: a}, {QueueName: b}]
  Included:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: a
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: "s3://code/part.yaml"}}
  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: nested.yaml}}
  Application: {Type: AWS::Serverless::Application, Properties: {Location: app.yaml}}
  Module: {Type: "My::Queue::Standard::MODULE"}
  Fn::ForEach::Queues:
    - Name
    - [A, B]
    - {"Queue${Name}": {Type: AWS::SQS::Queue}}
  1: {Type: AWS::SNS::Topic}
"""


def lines(node: Node) -> str:
    """A node on one line, places only where something is unknown or a parameter's."""
    match node:
        case Scalar(value=value, given=by):
            return json.dumps(value) + told(by)
        case Table(entries=entries):
            return "{" + ", ".join(f"{name}: {lines(child)}" for name, child in entries.items()) + "}"
        case List(items=children, given=by):
            return f"[{', '.join(map(lines, children))}]{told(by)}"
        case Joined(parts=parts, given=by):
            return " + ".join(json.dumps(part) if isinstance(part, str) else lines(part) for part in parts) + told(by)
        case Unknown(why=why, usual=usual, given=by):
            return f"<{why}{f'; usually {lines(usual)}' if usual is not None else ''}>{told(by)}"
        case _:
            return shape_of(node)


def told(by: tuple[str, ...]) -> str:
    return f" (from {', '.join(by)})" if by else ""


def dump(stack: Stack, globals_: Table | None) -> Iterator[str]:
    """A stack as text: a line a property, an item or a resource."""
    for parameter in stack.parameters.values():
        hidden = ", hidden" if parameter.hidden else ""
        yield f"parameter {parameter.name}: {parameter.type}{hidden} = {lines(parameter.value)}"
    yield f"globals: {lines(globals_) if globals_ else 'none'}"
    for resource in stack.resources.values():
        yield f"{resource.name}: {resource.type} at {resource.place[1]}:{resource.place[2]}"
        for label, doubt in (("doubt", resource.doubt), ("opaque", resource.opaque)):
            if doubt is not None:
                yield f"  {label} at {doubt.place[1]}:{doubt.place[2]}: {lines(doubt)}"
        for name, node in (resource.about or {}).items():
            yield f"  about {name}: {lines(node)}"
        for name, node in resource.properties.entries.items():
            yield f"  {name}:" if isinstance(node, List) else f"  {name} at {node.place.line}: {lines(node)}"
            yield from (
                f"    {item.place.line}: {lines(item)}" for item in (node.items if isinstance(node, List) else ())
            )
    for unread in stack.unread:
        yield f"unread {unread.name} at {unread.place.line}: {unread.why}"
    for problem in stack.problems:
        yield f"problem {problem.place[1]}:{problem.place[2]}: {problem.code}: {problem.message}; {problem.hint}"


def test_every_construct(golden: Golden) -> None:
    golden("evidence/cloudformation.txt", "\n".join(dump(*read(TEMPLATE, "template.yaml"))) + "\n")


# --- JSON


class _Long(yaml.SafeLoader):
    """Short tags as the functions that they stand for."""


def _long(loader: _Long, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any = None
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Long.add_multi_constructor("!", _long)


def without_places(node: Any) -> Any:
    """A node, with what it holds, at no place."""
    if isinstance(node, Table):
        return {name: without_places(child) for name, child in node.entries.items()}
    if isinstance(node, Place):
        return None
    return tuple(map(without_places, node)) if isinstance(node, tuple) else node


def resolved(stack: Stack, globals_: Table | None) -> Any:
    """All that is in a stack but places."""
    return (
        {
            name: [
                without_places(part)
                for part in (one.type, one.properties, one.doubt, one.opaque, tuple((one.about or {}).items()))
            ]
            for name, one in stack.resources.items()
        },
        [(one.name, one.why) for one in stack.unread],
        [(one.name, one.type, one.hidden, without_places(one.value)) for one in stack.parameters.values()],
        without_places(globals_),
    )


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_gives_the_same(indent: int | str | None) -> None:
    text = "\n".join(line for line in TEMPLATE.split("\n") if "!!" not in line and "!Shout" not in line)
    twin = json.dumps(yaml.load(text, _Long), indent=indent, default=str)  # noqa: S506 - a safe loader with short tags
    assert resolved(*read(twin, "f")) == resolved(*read(text, "f"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'{"a": "\ud83d\ude00"}', "\U0001f600"),
        (r'{"a": "\\ud83d\\ude00"}', r"\ud83d\ude00"),
        (r'{"a": "\\\ud83d\ude00"}', "\\\U0001f600"),
        (r'{"a": "\u00e9\/\n"}', "é/\n"),
        ('{\n\t"a":\t"x"\n\t}\n', "x"),
        ('{"a":"x"}', "x"),
    ],
)
def test_texts_of_json(text: str, value: str) -> None:
    root = parse(text, "f").root
    assert isinstance(root, Table)
    assert isinstance(root.entries["a"], Scalar)
    assert root.entries["a"].value == value == json.loads(text)["a"]


# --- places


def test_places_are_those_of_the_values() -> None:
    text, (key, value, sub, name, item) = marked(
        "Resources:\n  §Bot:\n    Type: AWS::SQS::Queue\n    Properties:\n      Delay: §5\n"
        "      Sub: §!Sub '${Bot.Arn}/x'\n      §Name: x\n      List:\n        - §!Ref Bot\n"
    )
    bot = read(text, "f")[0].resources["Bot"]
    properties = bot.properties
    assert at(bot.place) == key
    assert at(properties.entries["Delay"].place) == value
    assert at(properties.entries["Sub"].place) == sub
    assert at(properties.keys["Name"]) == name
    assert [at(child.place) for child in _items(properties.entries["List"])] == [item]


def at(place: Place) -> str:
    return f"{place.line}:{place.column}"


def _items(node: Node) -> tuple[Node, ...]:
    assert isinstance(node, List)
    return node.items


# --- mistakes that leave a stack

MISTAKES = {
    "duplicate-key": (
        "Resources:\n  Bot:\n    Type: AWS::SQS::Queue\n    Properties: {QueueName: a, §QueueName: b}\n",
        "'QueueName' is given twice; first on line 4",
    ),
    "duplicate-resource": (
        "Resources:\n  Bot: {Type: AWS::SQS::Queue}\n  §Bot: {Type: AWS::SNS::Topic}\n",
        "'Bot' is given twice; first on line 2",
    ),
    "no-type": ("Resources:\n  §Bot: {Properties: {}}\n", "the resource 'Bot' has no 'Type'"),
    "type-is-a-number": ("Resources:\n  Bot: {Type: §5}\n", "the 'Type' of 'Bot' is a number; expected a text"),
    "type-is-empty": ("Resources:\n  Bot: {Type: §}\n", "the 'Type' of 'Bot' is empty; expected a text"),
    "resource-is-a-list": (
        "Resources:\n  Bot: §[AWS::SQS::Queue]\n",
        "the resource 'Bot' is a list; expected a mapping",
    ),
    "properties-are-a-list": (
        "Resources:\n  Bot: {Type: AWS::SQS::Queue, Properties: §[a]}\n",
        "the properties of 'Bot' are a list; expected a mapping",
    ),
    "parameters-are-a-list": ("Parameters: §[a]\nResources: {}\n", "'Parameters' is a list; expected a mapping"),
    "parameter-is-a-text": (
        "Parameters: {Stage: §dev}\nResources: {}\n",
        "the parameter 'Stage' is a text; expected a mapping",
    ),
    "unknown-name": (
        "Resources:\n  Orders: {Type: AWS::SQS::Queue}\n  Bot: {Type: AWS::SQS::Queue, Properties: {A: §!Ref Ordes}}\n",
        "no resource or parameter is called 'Ordes'; did you mean 'Orders'?",
    ),
    "unknown-name-in-a-text": (
        "Resources:\n  Bot: {Type: AWS::SQS::Queue, Properties: {A: §!Sub 'a ${Orders.Arn}'}}\n",
        "no resource is called 'Orders'",
    ),
    "unknown-condition": (
        "Conditions: {IsProd: !Equals [a, b]}\nResources:\n  Bot: {Type: AWS::SQS::Queue, Condition: §Isprod}\n",
        "no condition is called 'Isprod'; did you mean 'IsProd'?",
    ),
    "unknown-condition-of-if": (
        "Resources:\n  Bot: {Type: AWS::SQS::Queue, Properties: {A: §!If [Prod, a, b]}}\n",
        "no condition is called 'Prod'",
    ),
    "unknown-condition-of-condition": (
        "Conditions: {A: !Not [§!Condition B]}\nResources: {}\n",
        "no condition is called 'B'",
    ),
    "unknown-mapping": (
        "Resources:\n  Bot: {Type: AWS::SQS::Queue, Properties: {A: §!FindInMap [Sizes, a, b]}}\n",
        "no mapping is called 'Sizes'",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name: str) -> None:
    text, places = marked(MISTAKES[name][0])
    stack = read(text, "f")[0]
    assert [at(one.place) for one in stack.problems] == places
    assert f"{stack.problems[0].message}; {stack.problems[0].hint}".startswith(MISTAKES[name][1])


@pytest.mark.parametrize("name", ["no-type", "type-is-a-number", "resource-is-a-list", "properties-are-a-list"])
def test_what_is_no_resource_is_unread(name: str) -> None:
    stack = read(marked(MISTAKES[name][0])[0], "f")[0]
    assert not stack.resources
    assert [(one.name, at(one.place)) for one in stack.unread] == [("Bot", "2:3")]


def test_later_of_two_keys_counts() -> None:
    stack = read(marked(MISTAKES["duplicate-key"][0])[0], "f")[0]
    assert get(stack.resources["Bot"].properties, "QueueName") == Scalar("b", Place("f", 4, 43))
    assert read(marked(MISTAKES["duplicate-resource"][0])[0], "f")[0].resources["Bot"].type == "AWS::SNS::Topic"


def test_what_cannot_be_read_is_no_unknown_name() -> None:
    stack = read(
        "Resources:\n  Broken: 5\n"
        "  Bot:\n    Type: AWS::SQS::Queue\n    Properties: {A: !Ref Broken, B: !GetAtt Broken.Arn}\n",
        "f",
    )[0]
    assert [one.code for one in stack.problems] == ["wrong-type"]
    assert {lines(node) for node in stack.resources["Bot"].properties.entries.values()} == {"<'Broken' cannot be read>"}


@pytest.mark.parametrize(
    "more",
    [
        "Transform: Shouting\n",
        "Transform: [{Name: AWS::Include, Parameters: {Location: x}}]\n",
        "Fn::Transform: {Name: AWS::Include}\n",
        "Parameters: {'Fn::Transform': {Name: AWS::Include}}\n",
        "Conditions: {'Fn::Transform': {Name: AWS::Include}}\n",
        "Modules: {M: {Source: ./m}}\n",
    ],
)
def test_where_macros_add_no_name_is_unknown(more: str) -> None:
    text = "Resources:\n  Bot: {Type: AWS::SQS::Queue, Condition: A, Properties: {A: !Ref Other, B: !If [B, a, b]}}\n"
    assert len(read(text, "f")[0].problems) == 3
    stack = read(more + text, "f")[0]
    assert not stack.problems
    assert isinstance(stack.resources["Bot"].properties.entries["A"], Unknown)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('!Ref "AWS::NotificationARNs"', "<it is said at deployment>"),
        ("!GetAtt Bot", "<what it refers to is not written out>"),
        ("!GetAtt [Bot]", "<what it refers to is not written out>"),
        ("!Join [a]", "<what is joined is not written out>"),
        ("!Join [',', text]", "<what is joined is not written out>"),
        ("!Join ['', [a, [b]]]", '"a" + <what stands within the text is no text>'),
        ("!If [a, b]", "<it depends on a condition>"),
        ("!Split ['', text]", "<it is a part of a text that is known at deployment>"),
        ("!Select [-1, [a]]", "<which item is meant is not written out>"),
        ("!FindInMap [Sizes]", "<which entry is not written out>"),
        ("!Equals [a, a]", "<nothing is known of the function 'Fn::Equals'>"),
        ("[&name key, {*name : 1, &other more: 2, !!str 3: *other}]", '["key", {key: 1, more: 2, 3: "more"}]'),
    ],
)
def test_what_is_written_oddly(text: str, line: str) -> None:
    assert lines(value_of(text)) == line


def test_what_macros_add_to_is_not_known_as_a_whole() -> None:
    stack, globals_ = read(
        "Globals: {'Fn::Transform': {Name: AWS::Include}}\nResources:\n"
        "  Bot: {Type: AWS::SQS::Queue, 'Fn::Transform': {Name: AWS::Include}}\n"
        "  Other: {'Fn::Transform': {Name: AWS::Include}}\n"
        "  Doubtful: {Type: AWS::SQS::Queue, Condition: [a]}\n"
        "  Tagged: {Type: AWS::SQS::Queue, Properties: !Shout {}}\n",
        "f",
    )
    assert globals_ is None
    assert [one.name for one in stack.unread] == ["Other", "Globals"]
    assert stack.resources["Bot"].opaque is not None
    assert stack.resources["Bot"].about is None
    assert stack.resources["Doubtful"].doubt is not None
    assert stack.resources["Tagged"].opaque is not None


# --- refusals

REFUSED = {
    "not-a-template": "§apiVersion: v1\nkind: Service\nmetadata: {name: orders}\n",
    "template-list": "§- Resources\n",
    "template-text": "§a secret\n",
    "template-empty": "",
    "template-comments": "# nothing\n",
    "template-plan": '§{"format_version": "1.2", "planned_values": {}}',
    "template-other-json": '§{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7}',
    "template-serverless": "§service: orders\nprovider: {name: aws}\n",
    "template-resources-list": "§Resources: [a]\n",
    "template-resources-empty": "§Resources:\n",
    "template-broken": "Resources:\n  Bot:\n    Type: AWS::SQS::Queue\n   §Properties: {}\n",
    "template-not-closed": '{"Resources": {"Bot": {"Type": "AWS::SQS::Queue"}\n§',
    "template-tab": "Resources:\n§\tBot: {}\n",
    "template-two-documents": "Resources: {}\n§---\nResources: {}\n",
    "template-key-is-a-list": "Resources:\n  ? §[a]\n  : {}\n",
    "template-tagged-key": "Resources:\n  §!Ref a: {}\n",
    "template-no-anchor": "Resources: §*nowhere\n",
    "template-circular-anchor": "Resources: &all {Bot: §*all}\n",
    "template-merged-text": "Resources: {§<<: text}\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, golden: Golden) -> None:
    text, places = marked(REFUSED[name])
    with pytest.raises(InputError) as caught:
        read(text, "template.yaml")
    assert [at(one.place) for one in caught.value.problems] == (places or ["1:1"])
    assert "secret" not in str(caught.value)
    if name == "not-a-template":
        golden("bad-input/not-a-template.txt", problems_of(lambda _: read(text, "template.yaml")))


def test_problems_end_the_reading() -> None:
    refs = ", ".join(f"!Ref A{at}" for at in range(MOST))
    with working_at_most(seconds=2), pytest.raises(InputError, match="too-many-problems"):
        read(f"Resources: {{Bot: {{Type: AWS::SQS::Queue, Properties: {{A: [{refs}]}}}}}}", "f")


# --- hostile templates


def value_of(text: str, more: str = "") -> Node:
    """What a value comes to as a property."""
    stack = read(f"{more}Resources: {{Bot: {{Type: AWS::SQS::Queue, Properties: {{A: {text}}}}}}}", "f")[0]
    return stack.resources["Bot"].properties.entries["A"]


def test_nested_joins() -> None:
    deep = 60
    found = value_of("!Join ['', [a, " * deep + "b" + "]]" * deep)
    assert isinstance(found, Scalar)
    assert found.value == "a" * deep + "b"


@pytest.mark.parametrize("text", ["!Join ['', [a, ", '{"Fn::Join": ["", ["a", ', "[", "{a: ", "!If [Prod, a, "])
def test_a_thousand_levels_are_refused(text: str) -> None:
    for levels in (1000, 100_000):
        with working_at_most(seconds=2), pytest.raises(InputError, match=f"nested deeper than {DEEPEST} levels"):
            value_of(text * levels)


@pytest.mark.parametrize("function", ["Fn::Base64", "Fn::ToJsonString", "Fn::Length", "Fn::Not", "Fn::Shout", "Ref"])
def test_deepest_nesting_of_each_function(function: str) -> None:
    deep = DEEPEST - 4
    found = value_of(f'{{"{function}": ' * deep + "a" + "}" * deep)
    assert isinstance(found, Scalar | Unknown)


def test_aliases_that_blow_up() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
    )
    with working_at_most(seconds=2), pytest.raises(InputError, match=f"aliases repeat more than {MOST_REPEATED} nodes"):
        read(bomb, "f")


def test_aliases_that_nest() -> None:
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300))
    with pytest.raises(InputError, match=f"nested deeper than {DEEPEST} levels"):
        read(chain + "Resources: {}\n", "f")


def test_conditions_in_long_chains() -> None:
    chain = "".join(f"  C{n}: !Not [!Condition C{n + 1}]\n" for n in range(5000))
    stack = read(f"Conditions:\n{chain}  C5000: !Equals [a, a]\nResources: {{Bot: {{Type: T, Condition: C0}}}}\n", "f")[
        0
    ]
    assert stack.resources["Bot"].doubt is not None


HALF = "x" * 4000
GROWING = {
    "texts of parameters": (f"Parameters: {{P: {{Type: String, Default: {HALF}}}}}\n", f"!Sub '{'${P}' * 40_000}'"),
    "lists of parameters": (
        f"Parameters: {{P: {{Type: CommaDelimitedList, Default: '{'a,' * 2000}'}}}}\n",
        f"[{'!Ref P, ' * 50_000}]",
    ),
    "lengths of lists": (
        f"Parameters: {{P: {{Type: CommaDelimitedList, Default: '{'a,' * 2000}'}}}}\n",
        f"[{'!Length {Ref: P}, ' * 50_000}]",
    ),
    "texts of mappings": (
        f"Mappings: {{M: {{a: {{b: {HALF * 20}}}}}}}\n",
        f"[{'!Split [x, !FindInMap [M, a, b]], ' * 10_000}]",
    ),
    "variables of texts": ("", f"!Sub ['{'${A}' * 40_000}', {{A: !Join ['', [{'!Ref Bot, ' * 4000}]]}}]"),
    "regions": ("", f"!Sub '{'${AWS::Region}' * 300_000}'"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GROWING)
def test_no_template_grows_beyond_bounds(name: str) -> None:
    more, text = GROWING[name]
    with working_at_most(seconds=10):
        found = value_of(text, more)
    assert len(shape_of(found)) < 2 * MOST_MADE


def test_longest_default_of_a_parameter() -> None:
    found = value_of("!Ref P", f"Parameters: {{P: {{Type: String, Default: {'x' * 5000}}}}}\n")
    assert isinstance(found, Unknown)
    assert "xx" not in found.why


PIECES = st.sampled_from(
    [
        *(
            "Bot",
            "Orders",
            "Stage",
            "Nobody",
            "AWS::Region",
            "AWS::NoValue",
            "a",
            "",
            "0",
            "1",
            "${Stage}",
            "${Bot.Arn}-",
        ),
        *("Always", "Prod", "dev", "Sizes", "Memory", "Bot.Arn", "AWS::Serverless-2016-10-31", "AWS::SQS::Queue"),
        *(0, 1, -1, 1.5, True, None, 10**30),
    ]
)
NAMES = st.sampled_from(
    [
        *("Type", "Properties", "Condition", "Default", "Resources", "Bot", "Orders", "Name", "Ref", "NoEcho", "<<"),
        *("Fn::Sub", "Fn::GetAtt", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::FindInMap", "Fn::If", "Fn::Equals"),
        *("Fn::Not", "Fn::And", "Fn::Or", "Fn::Base64", "Fn::ImportValue", "Fn::Length", "Fn::ToJsonString"),
        *("Fn::Transform", "Fn::ForEach::Loop", "Fn::Shout", "Fn::GetAZs", "Fn::Cidr"),
    ]
)
TREES = st.recursive(
    PIECES | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(NAMES, inside, max_size=3),
    max_leaves=30,
)
SECTIONS = st.sampled_from(["Parameters", "Mappings", "Conditions", "Globals", "Transform", "Resources", "Outputs"])


@given(TREES)
@example({"Resources": {"Bot": {"Type": "a", "Properties": {"Fn::If": []}}}})
def test_any_tree_is_read_or_refused(tree: object) -> None:
    read_or_refused(json.dumps(tree))
    read_or_refused(yaml.safe_dump(tree))


@given(st.dictionaries(SECTIONS, TREES, max_size=4), st.dictionaries(st.sampled_from(["Bot", "Orders"]), TREES), TREES)
def test_any_sections_are_read_or_refused(sections: dict[str, Any], resources: dict[str, Any], properties: Any) -> None:
    bot = {"Bot": {"Type": "AWS::Serverless::Function", "Properties": {"A": properties}}}
    read_or_refused(json.dumps(sections | {"Resources": resources | bot}))


@given(
    st.text(st.characters(codec="utf-8"), max_size=200) | st.text("&*!<>-?:{}[],'\"|#% \n\tabRef", max_size=60),
)
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refused(text)
    read_or_refused(f"Resources: {{Bot: {{Type: T, Properties: {{A: {text}}}}}}}")
    read_or_refused(f"Resources:\n  Bot:\n    {text}")


def read_or_refused(text: str) -> None:
    """Raises nothing but InputError, and tells no place outside the text."""
    try:
        found = read(text, "f")[0]
    except InputError as error:
        problems: tuple[Problem, ...] = error.problems
    else:
        problems = found.problems
    last = text.count("\n") + 2  # where the end of the text counts as a line
    assert all(1 <= one.place.line <= last for one in problems)


# --- nothing that a template holds gets into words

SECRET = "hunter2hunter2"


@given(TREES)
def test_no_value_gets_into_words(tree: Any) -> None:
    """Whatever is done with a parameter, its value is in no reason and no message."""
    text = json.dumps(
        {
            "Parameters": {"Stage": {"Type": "String", "Default": SECRET}},
            "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Stage"}, SECRET]}, "Always": {"Fn::Equals": ["a", "a"]}},
            "Resources": {
                "Bot": {
                    "Type": "AWS::SQS::Queue",
                    "Properties": {
                        "A": tree,
                        "B": {"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Memory"]},
                        "C": {"Fn::FindInMap": [{"Ref": "Stage"}, "a", "Memory"]},
                        "D": {"Fn::GetAtt": ["Bot", {"Ref": "Stage"}]},
                        "E": {"Fn::ImportValue": {"Fn::Sub": "${Stage}-vpc"}},
                        "F": {"Fn::Select": [{"Ref": "Stage"}, ["a"]]},
                    },
                }
            },
        }
    )
    stack = read(text, "f")[0]
    words = [one.message + one.hint for one in stack.problems]
    words += [one.why for node in stack.resources["Bot"].properties.entries.values() for one in every_unknown(node)]
    assert not [one for one in words if SECRET in one]


def every_unknown(node: Node) -> Iterator[Unknown]:
    """All that is unknown in a node, also in what defaults give."""
    match node:
        case Unknown(usual=usual):
            yield node
            if usual is not None:
                yield from every_unknown(usual)
        case Joined(parts=parts):
            yield from (part for part in parts if isinstance(part, Unknown))
        case Table(entries=entries):
            for child in entries.values():
                yield from every_unknown(child)
        case List(items=children):
            for child in children:
                yield from every_unknown(child)


# --- sameness


@given(TREES, TREES)
def test_sameness_is_that_of_the_values(one: Any, other: Any) -> None:
    first, second = (parse(json.dumps(tree), "f").root for tree in (one, other))
    again = parse(json.dumps([1, one]), "f").root
    assert isinstance(again, List)
    assert same(first, again.items[1])
    assert same(first, second) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


def test_what_is_unknown_is_never_the_same() -> None:
    place = Place("f")
    unknown, link = Unknown("why", place), Link("Bot", "Arn", place)
    assert not same(unknown, unknown)
    assert same(link, Link("Bot", "Arn", Place("f", 2)))
    assert not same(link, Link("Bot", "", place))
    assert same(Joined(("a", link), place), Joined(("a", link), Place("f", 3)))
    assert not same(Joined(("a", unknown), place), Joined(("a", unknown), place))
    assert not same(Scalar(1, place), Scalar(True, place))
    assert not same(Scalar("a", place), Scalar("a", place, ("Stage",)))
    assert same(None, None)
    assert not same(None, link)


# --- speed and real templates


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
