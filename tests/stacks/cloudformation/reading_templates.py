"""What the tests of templates share."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from threatmodel.reading.problems import Place
from threatmodel.stacks.cloudformation.reader import read
from threatmodel.stacks.values import Node

Golden = Callable[[str, str], None]


def at(place: Place) -> str:
    return f"{place.line}:{place.column}"


def value_of(text: str, more: str = "") -> Node:
    """What a value comes to as a property."""
    stack = read(f"{more}Resources: {{Bot: {{Type: AWS::SQS::Queue, Properties: {{A: {text}}}}}}}", "f")[0]
    return stack.resources["Bot"].properties.entries["A"]


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
