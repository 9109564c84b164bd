"""What is hidden or odd changes no list that is called complete; large stacks take little time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.evidence.relations.stacks_of import HERE, MAPPINGS, USES, names, stack_of, wired
from tests.support import working_at_most
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.relations.use import FunctionRelations
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.terraform import reader as terraform
from threatmodel.stacks.values import Link, List, Node, Scalar, Table, Unknown, links

TEMPLATES = HERE.parent / "stacks" / "sam"
SAMPLES = sorted((*(HERE / "wiring").iterdir(), *TEMPLATES.iterdir(), *(HERE / "samples").glob("plan*.json")))


Change = Callable[[Node], Node]


def variants(node: Node, change: Change, *, depth: int = 0) -> Iterator[Node]:
    """A node with one thing in it changed, for each thing in it."""
    if depth > 12:
        return
    if isinstance(node, Table):
        for name, child in node.entries.items():
            for other in (change(child), *variants(child, change, depth=depth + 1)):
                yield node._replace(entries={**node.entries, name: other})
    elif isinstance(node, List):
        for index, child in enumerate(node.items):
            for other in (change(child), *variants(child, change, depth=depth + 1)):
                yield node._replace(items=(*node.items[:index], other, *node.items[index + 1 :]))


def _hidden(node: Node) -> Unknown:
    return Unknown("hidden", node.place._replace(line=node.place.line + 1000))


def _listed(relations: FunctionRelations, relation: str) -> set[Any]:
    if relation == "triggers":
        return {start[:4] for start in relations.triggers}
    return set(names(relations, relation))


def read_sample(path: Path) -> Stack:
    text = path.read_text(encoding="utf-8")
    return terraform.read(text, "x") if path.suffix == ".json" else stack_of(text)


def changed(stack: Stack, resource: Resource) -> Mapping[str, FunctionRelations]:
    return wired(replace(stack, resources={**stack.resources, resource.name: resource}))


def lost(known: Mapping[str, FunctionRelations], found: Mapping[str, FunctionRelations]) -> list[tuple[str, str]]:
    """Functions and relations whose list is another one."""
    return [
        (function, relation)
        for function, relations in found.items()
        for relation in ("triggers", *USES)
        if _listed(relations, relation) != _listed(known[function], relation)
    ]


EVERY = pytest.mark.parametrize(
    "every", [pytest.param(4, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.long)]
)
"""The ordinary tests change one place in four, those of `long` all of them."""


@EVERY
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_what_is_hidden_changes_no_list_that_is_called_complete(sample: Path, every: int) -> None:
    stack = read_sample(sample)
    known = wired(stack)
    for resource in stack.resources.values():
        for properties in islice(variants(resource.properties, _hidden), 0, None, every):
            assert isinstance(properties, Table)
            found = changed(stack, replace(resource, properties=properties))
            assert [one for one in lost(known, found) if one[1] not in found[one[0]].unknown] == [], resource.name


ODD: Mapping[str, Change] = {
    "number": lambda node: Scalar(7, node.place),
    "nothing": lambda node: Scalar(None, node.place),
    "text": lambda node: Scalar("${a}" * 200 + ":", node.place),
    "list": lambda node: List((node, Scalar("x", node.place)), node.place),
    "mapping": lambda node: Table({"x": node}, node.place),
    "link": lambda node: Link("Nowhere", "Arn", node.place),
}


@EVERY
@pytest.mark.parametrize("sample", ["wiring/plain.yaml", "wiring/sam.yaml", "wiring/others.yaml", "wiring/plan.json"])
@pytest.mark.parametrize("odd", ODD)
def test_nothing_odd_stops_it(sample: str, odd: str, every: int) -> None:
    """Each odd thing begins at another place, so that together they change every one."""
    first = list(ODD).index(odd) % every
    stack = read_sample(HERE / sample)
    for resource in stack.resources.values():
        for properties in islice(variants(resource.properties, ODD[odd]), first, None, every):
            assert isinstance(properties, Table)
            changed(stack, replace(resource, properties=properties))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_nor_does_a_resource_of_which_nothing_is_known(sample: Path) -> None:
    stack = read_sample(sample)
    known = wired(stack)
    for resource in stack.resources.values():
        if not resource.made_by:  # what SAM makes is as opaque as its maker
            nothing = replace(resource, opaque=_hidden(resource.properties), properties=Table({}, resource.place))
            found = changed(stack, nothing)
            assert [one for one in lost(known, found) if one[1] not in found[one[0]].unknown] == [], resource.name


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_nor_does_a_resource_that_may_not_exist(sample: Path) -> None:
    stack = read_sample(sample)
    known = wired(stack)
    facts = StackFacts(stack, MAPPINGS)
    # without these, what refers to them could not exist either
    referred = {link.resource for one in stack.resources.values() for link in links(one.properties)}
    for name, resource in stack.resources.items():
        if name not in referred and not {"function", "store", "queue", "secret", "api"} & set(
            facts.kinds_of_type(resource.type)
        ):
            without = wired(replace(stack, resources={key: one for key, one in stack.resources.items() if key != name}))
            doubted = changed(stack, replace(resource, doubt=_hidden(resource.properties)))
            assert [one for one in lost(known, without) if one[1] not in doubted[one[0]].unknown] == [], name


ONE = """
  F{i}:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {{Variables: {{T: !Ref T{i}, Q: !Ref Q{i}}}}}
      Policies:
        - DynamoDBCrudPolicy: {{TableName: !Ref T{i}}}
        - SQSSendMessagePolicy: {{QueueName: !GetAtt Q{i}.QueueName}}
        - Statement: {{Effect: Allow, Action: "{action}", Resource: "*"}}
      Events:
        A: {{Type: Api, Properties: {{Path: /x{i}, Method: post}}}}
        B: {{Type: SQS, Properties: {{Queue: !GetAtt Q{i}.Arn}}}}
  T{i}: {{Type: AWS::DynamoDB::Table}}
  Q{i}: {{Type: AWS::SQS::Queue}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("action", ["logs:*", "*"])
def test_500_functions_take_little_time(action: str) -> None:
    body = "".join(ONE.format(i=index, action=action) for index in range(500))
    stack = stack_of(f"Transform: AWS::Serverless-2016-10-31\nResources:{body}")
    with working_at_most(seconds=3):
        found = wired(stack)
    assert len(found) == 500
    assert {start[:4] for start in found["F7"].triggers} == {
        ("http", "POST", "ServerlessRestApi", "/x7"),
        ("queue", "", "Q7", ""),
    }
