"""Templates to stacks: every construct, JSON, places, odd spellings, mistakes that leave a stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from tests.fuzz.mutating import data_of
from tests.refusals import marked
from tests.stacks.cloudformation.reading_templates import TREES, Golden, at, value_of
from threatmodel.reading.problems import Place
from threatmodel.stacks.cloudformation.document import parse
from threatmodel.stacks.cloudformation.reader import read
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown, get, same, shape_of

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
    twin = json.dumps(data_of(text), indent=indent, default=str)
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


def _items(node: Node) -> tuple[Node, ...]:
    assert isinstance(node, List)
    return node.items


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
