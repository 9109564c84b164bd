"""Single values of a plan, its lists and blocks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stacks.dumping import value
from tests.stacks.terraform.planning import one, plan, references, resource, told
from threatmodel.stacks.terraform.reader import read
from threatmodel.stacks.values import get


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        (one(said={"constant_value": "a"}, values="a"), '"a"'),
        (one(said={"constant_value": 5}, values=5), "5"),
        (one(said={}, values=None, unknown=True), "? known only after apply"),
        (one(said=references("aws_b.y.arn", "aws_b.y"), unknown=True), "-> aws_b.y arn"),
        (one(said=references("aws_b.y"), unknown=True), "-> aws_b.y"),
        (one(said=references("aws_b.y.name", "aws_b.y"), values="orders"), "-> aws_b.y name"),
        (one(said=references("aws_b.y.name", "aws_b.y"), values="prod-orders-1"),
         '"prod-" + (-> aws_b.y name) + "-1"'),
        (one(said=references("aws_b.y.name", "aws_b.y"), values="ORDERS"), '"ORDERS"'),
        (one(said=references("aws_b.y.mode", "aws_b.y"), values="fast"), '"fast"'),
        (one(said=references("aws_b.y.size", "aws_b.y"), values=5), "5"),
        (one(said=references("aws_b.y.name", "aws_b.y", "aws_b.y.arn", "aws_b.y"), unknown=True), "-> aws_b.y arn"),
        (one(said=references("aws_b.y.arn", "aws_b.y", "aws_b.y.id", "aws_b.y"), unknown=True),
         "(? known only after apply) + (-> aws_b.y arn) + (-> aws_b.y id)"),
        (one(said=references("aws_b.y.arn", "aws_b.y", "local.name"), unknown=True),
         "(? known only after apply; it depends on local.name, and a plan does not hold locals) + (-> aws_b.y arn)"),
        (one(said=references("aws_c.none.arn", "aws_c.none"), unknown=True), "? known only after apply"),
        (one(said=references("data.aws_c.d.arn", "data.aws_c.d"), unknown=True), "-> data.aws_c.d arn"),
        (one(said=references("path.module", "terraform.workspace", "self", "x"), unknown=True),
         "? known only after apply"),
        (one(said=references("random_password.z.result", "random_password.z"), unknown=True, sensitive=True),
         "-> random_password.z result"),
        (one(said=references("random_password.z.result", "random_password.z", "aws_b.y.arn", "aws_b.y"),
             unknown=True, sensitive=True), "-> random_password.z result"),
        (one(said=references("aws_b.y.arn", "aws_b.y", "random_password.z.result", "random_password.z"),
             unknown=True), "-> aws_b.y arn"),
        (one(said={"constant_value": "hush"}, values="hush", sensitive=True), "? sensitive"),
        (one(said=references("var.a"), values="hush", sensitive=True, variables={"a": {"value": "hush"}}),
         "? sensitive <- a"),
        (one(said=references("var.a"), values="hush", variables={"a": {"value": "hush"}}), '"hush" <- a'),
        (one(said=references("var.a"), values="hush", variables={"a": {"value": "hush"}},
             root={"variables": {"a": {"sensitive": True}}}), "? sensitive <- a"),
        (one(said=references("var.a"), values="x-hush", variables={"a": {"value": "hush"}}), '"x-hush"'),
    ],
)  # fmt: skip
def test_value(document: dict[str, Any], wanted: str) -> None:
    assert told(document) == wanted


def test_what_a_new_resource_gets_by_default_is_left_out() -> None:
    new = resource("aws_a.x", {"name": "a"}, unknown={"arn": True, "log": True, "to": True})
    configured = {"aws_a.x": {"name": {"constant_value": "a"}, "to": references("aws_b.y.id")}}
    for actions, names in (
        (["create"], ["name", "to"]),
        (["delete", "create"], ["name", "to"]),
        (["update"], ["name", "arn", "log", "to"]),
    ):
        found = read(json.dumps(plan([{**new, "actions": actions}], configured)), "p").resources["aws_a.x"]
        assert list(found.properties.entries) == names, actions
        assert found.opaque is None


def listed(said: Any, values: Any, unknown: Any) -> list[str]:
    document = one(said=said, values=values, unknown=unknown)
    node = get(read(json.dumps(document), "p").resources["aws_a.x"].properties, "to")
    return [value(child) for child in getattr(node, "items", ())]


def test_unknown_items_are_the_references_in_order() -> None:
    said = references("aws_b.y.arn", "aws_b.y", "aws_b.y.id", "aws_b.y")
    assert listed(said, [None, None], [True, True]) == ["-> aws_b.y arn", "-> aws_b.y id"]
    assert listed(said, ["*", None, None], [False, True, True]) == ['"*"', "-> aws_b.y arn", "-> aws_b.y id"]


def test_unknown_items_may_be_left_out_of_the_values() -> None:
    said = references("aws_b.y.arn", "aws_b.y")
    assert listed(said, ["*"], [True, False]) == ["-> aws_b.y arn", '"*"']
    assert listed(said, None, [True]) == ["-> aws_b.y arn"]


def test_blocks_in_another_order_are_told_apart_by_their_constants() -> None:
    said = [
        {"name": {"constant_value": "a"}, "arn": references("aws_b.y.arn", "aws_b.y")},
        {"name": {"constant_value": "b"}, "arn": references("aws_b.y.id", "aws_b.y")},
    ]
    document = one(said=said, values=[{"name": "b"}, {"name": "a"}], unknown=[{"arn": True}, {"arn": True}])
    node = get(read(json.dumps(document), "p").resources["aws_a.x"].properties, "to")
    assert [value(child.entries["arn"]) for child in getattr(node, "items", ())] == ["-> aws_b.y id", "-> aws_b.y arn"]


def test_blocks_that_cannot_be_told_apart_may_refer_to_all() -> None:
    said = [{"arn": references("aws_b.y.arn", "aws_b.y")}, {"arn": references("aws_b.y.id", "aws_b.y")}]
    document = one(said=said, values=[{}, {}], unknown=[{"arn": True}, {"arn": True}])
    node = get(read(json.dumps(document), "p").resources["aws_a.x"].properties, "to")
    both = "(? known only after apply) + (-> aws_b.y arn) + (-> aws_b.y id)"
    assert [value(child.entries["arn"]) for child in getattr(node, "items", ())] == [both, both]


def test_dynamic_blocks_refer_to_what_nobody_knows() -> None:
    said = [{"arn": references("aws_b.y.arn", "aws_b.y")}]
    document = one(said=said, values=[{}, {}], unknown=[{"arn": True}, {"arn": True}])
    node = get(read(json.dumps(document), "p").resources["aws_a.x"].properties, "to")
    assert [value(child.entries["arn"]) for child in getattr(node, "items", ())] == ["? known only after apply"] * 2
