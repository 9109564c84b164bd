"""Templates with SAM as tests write them, and what is read of them."""

from __future__ import annotations

import textwrap
from typing import Any

from tests.support import HOME
from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import (
    Node,
    NotPlain,
    get,
    items,
    plain,
    shape_of,
)

TEMPLATES = sorted((HOME / "tests" / "stacks" / "sam").glob("*.yaml"))
FUNCTION = "Type: AWS::Serverless::Function"


def read(text: str) -> Stack:
    return sam.expanded(*cloudformation.read(textwrap.dedent(text), "template.yaml"))


def resources(text: str) -> Stack:
    """A stack with these resources."""
    return read("Transform: AWS::Serverless-2016-10-31\nResources:\n" + textwrap.indent(textwrap.dedent(text), "  "))


def at(resource: Resource, *names: str | int) -> Node | None:
    """The node at a path of keys and positions."""
    node: Node | None = resource.properties
    for name in names:
        node = items(node)[name] if isinstance(name, int) else get(node, name)
    return node


def told(resource: Resource, *names: str | int) -> Any:
    node = at(resource, *names)
    assert node is not None
    try:
        return plain(node)
    except NotPlain:
        return shape_of(node)
