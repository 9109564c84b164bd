"""Templates to stacks: every construct, JSON, places, odd spellings, mistakes that leave a stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
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

TEMPLATE = Path(__file__).with_name("every_construct.yaml").read_text(encoding="utf-8")


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
        ("!Join ['', [a, [b]]]", '"a" + <a part of the text is not a text>'),
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
