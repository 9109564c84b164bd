"""Nothing that a template holds stops the reader."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.stacks.sam_text import FUNCTION, TEMPLATES, read
from threatmodel.reading.problems import Place
from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.values import (
    Joined,
    Link,
    List,
    Node,
    Scalar,
    Table,
    Unknown,
)

ODD: list[Node] = [
    Scalar(None, Place("f")),
    Scalar(1, Place("f")),
    Scalar(value=True, place=Place("f")),
    Scalar("x", Place("f")),
    List((), Place("f")),
    List((Scalar("a", Place("f")),), Place("f")),
    Table({}, Place("f"), {}),
    Table({"a": Scalar("b", Place("f"))}, Place("f"), {}),
    Unknown("why", Place("f")),
    Unknown("why", Place("f"), Scalar("NONE", Place("f"))),
    Unknown("why", Place("f"), List((Table({"Statement": Scalar("x", Place("f"))}, Place("f"), {}),), Place("f"))),
    Link("Nobody", "Arn", Place("f")),
    Joined(("a", Unknown("why", Place("f"))), Place("f")),
]


def paths(node: Node, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every node in a node."""
    yield path
    if isinstance(node, Table):
        for name, child in node.entries.items():
            yield from paths(child, (*path, name))
    elif isinstance(node, List):
        for index, child in enumerate(node.items):
            yield from paths(child, (*path, index))


def put(node: Node, path: tuple[str | int, ...], value: Node) -> Node:
    """The node with another value at a path."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(node, Table):
        return node._replace(entries={**node.entries, str(first): put(node.entries[str(first)], rest, value)})
    assert isinstance(node, List)
    assert isinstance(first, int)
    children = list(node.items)
    children[first] = put(children[first], rest, value)
    return node._replace(items=tuple(children))


@pytest.mark.slow
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_nothing_of_the_wrong_kind_stops_it(path: Any) -> None:
    chance = random.Random(path.stem)
    stack, globals_ = cloudformation.read(path.read_text(encoding="utf-8"), "template.yaml")
    for resource in stack.resources.values():
        for place in [one for one in paths(resource.properties) if one]:
            properties = put(resource.properties, place, chance.choice(ODD))
            assert isinstance(properties, Table)
            changed = {**stack.resources, resource.name: replace(resource, properties=properties)}
            assert sam.expanded(replace(stack, resources=changed), globals_).resources.keys() >= changed.keys()


@pytest.mark.slow
def test_thousands_of_events_take_no_time() -> None:
    lines = "".join(
        f"        E{index}: {{Type: HttpApi, Properties: {{Path: /{index}, Method: get}}}}\n"
        f"        S{index}: {{Type: S3, Properties: {{Bucket: !Ref Files, Events: a}}}}\n"
        for index in range(2000)
    )
    text = f"  Hello:\n    {FUNCTION}\n    Properties:\n      Events:\n{lines}  Files: {{Type: AWS::S3::Bucket}}\n"
    stack = read(f"Transform: AWS::Serverless-2016-10-31\nResources:\n{text}")
    assert len(stack.resources) > 8000
