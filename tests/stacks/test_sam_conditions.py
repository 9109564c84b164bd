"""What SAM makes depends on a condition only where that is recorded; no list says which properties it only copies.

Each property of each SAM resource of our templates is put under a condition, one at a time.  What is known while the
condition is open has to be the same when it is decided, unless the stack says that the condition decides it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.sam_oracle import loaded
from tests.support import HOME
from threatmodel.stacks import sam
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.cloudformation import reader
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, choices_of

OURS = sorted((HOME / "tests" / "stacks" / "sam").glob("*.yaml"))
CHOICE = "?Undecided"


def conditional(whole: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The template with one property after the other under a condition, as JSON."""
    for name, resource in whole["Resources"].items():
        kind = resource.get("Type", "")
        for key in resource.get("Properties") or {} if kind.startswith("AWS::Serverless::") else ():
            changed = copy.deepcopy(whole)
            value = changed["Resources"][name]["Properties"][key]
            changed["Resources"][name]["Properties"][key] = {"Fn::If": ["Undecided", value, {"Ref": "AWS::NoValue"}]}
            changed["Conditions"] = {
                **whole.get("Conditions", {}),
                "Undecided": {"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]},
            }
            yield f"{name}.{key}", json.dumps(changed)


def read(text: str, assumed: Assumed) -> Stack:
    return sam.expanded(*reader.read(text, "template.json", assumed))


def differing(before: Stack, after: Stack) -> Iterator[str]:
    """What is known of a stack and is otherwise in another, though nothing says that the condition decides it."""
    if CHOICE not in before.shaped:
        yield from (f"{name} is made" for name in after.resources.keys() - before.resources.keys())
    for name, resource in before.resources.items():
        decided = resource.shaped | choices_of(resource.doubt, resource.opaque)
        other = after.resources.get(name)
        if CHOICE in decided:
            continue
        if other is None:
            yield f"{name} is not made"
            continue
        for key in resource.properties.entries.keys() | other.properties.entries.keys():
            node = resource.properties.entries.get(key)
            if CHOICE not in choices_of(node) and _plain(node) != _plain(other.properties.entries.get(key)):
                yield f"{name}.{key} changes"


def _plain(node: Node | None) -> object:
    """A node without places."""
    match node:
        case Scalar(value=value):
            return value
        case Link(resource=resource, attribute=attribute):
            return (resource, attribute)
        case Joined(parts=parts):
            return [one if isinstance(one, str) else _plain(one) for one in parts]
        case List(items=items):
            return list(map(_plain, items))
        case Table(entries=entries):
            return {key: _plain(child) for key, child in entries.items()}
        case _:
            return None if node is None else "unknown"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_what_a_condition_decides_is_recorded(path: Path) -> None:
    wrong = [
        f"{what}: {one}"
        for what, text in conditional(loaded(path.read_text(encoding="utf-8")))
        for holds in (True, False)
        for one in differing(read(text, DEFAULTS), read(text, DEFAULTS.with_condition("Undecided", holds=holds)))
    ]
    assert not wrong
