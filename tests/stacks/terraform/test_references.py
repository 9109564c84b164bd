"""What a plan's expressions refer to: instances, modules, policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stacks.terraform.planning import document, modules, plan, references, resource, told


def counted(said: dict[str, Any], keys: tuple[Any, ...], own: Any = None, **block: Any) -> str:
    """What aws_a.x refers to where aws_b.y has several instances."""
    many = [resource(f"aws_b.y[{json.dumps(key)}]", unknown={"arn": True}, index=key) for key in keys]
    address = "aws_a.x" if own is None else f"aws_a.x[{json.dumps(own)}]"
    a = resource(address, unknown={"to": True}, **({} if own is None else {"index": own}))
    document = plan([a, *many], {"aws_a.x": {"to": said}, "aws_b.y": {}})
    document["configuration"]["root_module"]["resources"][0] |= block
    return told(document, address)


@pytest.mark.parametrize(
    ("said", "keys", "own", "wanted"),
    [
        (references("aws_b.y[0].arn", "aws_b.y[0]", "aws_b.y"), (0, 1), None, "-> aws_b.y[0] arn"),
        (references('aws_b.y["a"].arn', 'aws_b.y["a"]', "aws_b.y"), ("a", "b"), None, '-> aws_b.y["a"] arn'),
        (references('aws_b.y["x.y[1]"].arn', "aws_b.y"), ("x.y[1]", "b"), None, '-> aws_b.y["x.y[1]"] arn'),
        (references("aws_b.y", "each.key"), ("a", "b"), "b", '-> aws_b.y["b"]'),
        (references("aws_b.y", "count.index"), (0, 1), 1, "-> aws_b.y[1]"),
        (references("aws_b.y", "each.key"), (0, 1), "c",
         "(? known only after apply) + (-> aws_b.y[0]) + (-> aws_b.y[1])"),
        (references("aws_b.y"), (0,), None, "-> aws_b.y[0]"),
        (references("aws_b.y[7].arn", "aws_b.y"), (0, 1), None, "? known only after apply"),
    ],
)  # fmt: skip
def test_reference_to_one_of_several(said: dict[str, Any], keys: tuple[Any, ...], own: Any, wanted: str) -> None:
    assert counted(said, keys, own) == wanted


def test_each_value_is_what_for_each_goes_over() -> None:
    said = references("each.value.arn", "each.value")
    over = {"for_each_expression": references("aws_b.y")}
    assert counted(said, ("a", "b"), "b", **over) == '-> aws_b.y["b"] arn'
    single = {"for_each_expression": references('aws_b.y["a"].arn', 'aws_b.y["a"]', "aws_b.y")}
    assert counted(said, ("a", "b"), "b", **single) == '-> aws_b.y["a"] arn'


CONSTANT = {"constant_value": {"x": {"to": "b", "all": ["a", "b"]}, "y": {"to": "gone"}}}
BOTH = '(? known only after apply) + (-> aws_b.y["a"]) + (-> aws_b.y["b"])'


@pytest.mark.parametrize(
    ("over", "said", "own", "wanted"),
    [
        (CONSTANT, ("each.value.to", "each.value"), "x", '-> aws_b.y["b"]'),
        (CONSTANT, ("each.value.all", "each.value"), "x", BOTH),
        (CONSTANT, ("each.value.all[0]", "each.value.all", "each.value"), "x", '-> aws_b.y["a"]'),
        (CONSTANT, ("each.value.to", "each.value"), "y", BOTH),
        ({"constant_value": ["a", "b"]}, ("each.value",), "b", '-> aws_b.y["b"]'),
        (references("var.routes"), ("each.value.to", "each.value"), "x", '-> aws_b.y["b"]'),
        (references("var.routes", "var.other"), ("each.value.to", "each.value"), "x", BOTH),
        (references("local.routes"), ("each.value.to", "each.value"), "x",
         BOTH.replace("apply", "apply; it depends on local.routes, and a plan does not hold locals")),
    ],
)  # fmt: skip
def test_each_value_chooses_an_instance(over: dict[str, Any], said: tuple[str, ...], own: str, wanted: str) -> None:
    many = [resource(f"aws_b.y[{json.dumps(key)}]", unknown={"arn": True}, index=key) for key in ("a", "b")]
    a = resource(f"aws_a.x[{json.dumps(own)}]", unknown={"to": True}, index=own)
    written = plan([a, *many], {"aws_a.x": {"to": references("aws_b.y", *said)}, "aws_b.y": {}})
    written["configuration"]["root_module"]["resources"][0]["for_each_expression"] = over
    written["variables"] = {"routes": {"value": CONSTANT["constant_value"]}}
    assert told(written, a["address"]) == wanted


def test_a_key_chooses_among_what_a_module_returns() -> None:
    """`var.arns[each.value]`, where a call hands on a map of what another module makes."""
    inner = [resource(f"aws_c.z[{json.dumps(key)}]", unknown={"arn": True}, index=key) for key in ("a", "b")]
    for one in inner:
        one["address"] = f"module.m.{one['address']}"
    a = resource('aws_a.x["b"]', unknown={"to": True}, index="b")
    document = plan([a, *inner], {"aws_a.x": {"to": references("module.m.arns", "module.m", "each.key")}})
    document["planned_values"] = {
        "root_module": {"resources": [a], "child_modules": [{"address": "module.m", "resources": inner}]}
    }
    module = {"outputs": {"arns": {"expression": references("aws_c.z")}}, "resources": [{"address": "aws_c.z"}]}
    document["configuration"]["root_module"]["module_calls"] = {"m": {"module": module}}
    assert told(document, a["address"]) == '-> module.m.aws_c.z["b"]'


def test_a_known_text_names_the_instance() -> None:
    """A plan over what is deployed: the id tells which one a key chose."""
    many = [resource(f"aws_b.y[{json.dumps(key)}]", {"id": f"id-of-{key}"}, index=key) for key in ("a", "b")]
    a = resource("aws_a.x", {"to": "integrations/id-of-b"})
    assert told(plan([a, *many], {"aws_a.x": {"to": references("aws_b.y", "local.key")}, "aws_b.y": {}})) == (
        '"integrations/" + (-> aws_b.y["b"] id)'
    )


ARN = {"arn": references("aws_c.z.arn", "aws_c.z")}


@pytest.mark.parametrize(
    ("to", "outputs", "wanted"),
    [
        (references("module.m.arn", "module.m"), ARN, "-> module.m.aws_c.z arn"),
        (references("module.m.whole.arn", "module.m.whole", "module.m"), {"whole": references("aws_c.z")},
         "-> module.m.aws_c.z arn"),
        (references("module.m"), ARN, "-> module.m.aws_c.z"),
        (references("module.m"), {**ARN, "id": references("aws_c.z.id", "aws_c.z")}, "-> module.m.aws_c.z"),
        (references("module.m.arn", "module.m"), {"arn": references("var.in")}, "-> aws_b.y arn"),
        (references("module.m.gone", "module.m"), ARN,
         "? known only after apply; the module m is not written out"),
        (references("module.other.arn", "module.other"), ARN,
         "? known only after apply; the module other is not written out"),
    ],
)  # fmt: skip
def test_output_of_a_module(to: dict[str, Any], outputs: dict[str, Any], wanted: str) -> None:
    call = {"in": references("aws_b.y.arn", "aws_b.y")}
    assert told(modules(to, outputs, call, {})) == wanted


@pytest.mark.parametrize(
    ("call", "inner", "wanted"),
    [
        ({"in": references("aws_b.y.arn", "aws_b.y")}, references("var.in"), "-> aws_b.y arn"),
        ({"in": references("aws_b.y")}, references("var.in.arn", "var.in"), "-> aws_b.y arn"),
        ({}, references("var.in"), "? known only after apply"),
        ({"in": references("module.m.loop", "module.m")}, references("var.in"), None),
    ],
)
def test_variable_of_a_module(call: dict[str, Any], inner: dict[str, Any], wanted: str | None) -> None:
    outputs = {"loop": references("var.in")}
    found = told(modules({}, outputs, call, inner), "module.m.aws_c.z", "by")
    assert found == wanted if wanted else found.startswith("? known only after apply")


def test_a_policy_document_that_is_read_during_apply() -> None:
    statement = {
        "effect": "Allow",
        "actions": ["s3:GetObject"],
        "resources": [None, "arn:aws:s3:::b/&{aws:username}/*"],
        "principals": [{"type": "Service", "identifiers": ["lambda.amazonaws.com"]}],
        "condition": [{"test": "StringEquals", "variable": "aws:SourceAccount", "values": ["1"]}],
    }
    assert document([statement], [{"resources": [True, False]}]) == (
        "    Statement:\n"
        "      -\n"
        '        Effect: "Allow"\n'
        "        Action:\n"
        '          - "s3:GetObject"\n'
        "        Resource:\n"
        "          - -> aws_b.y arn\n"
        '          - "arn:aws:s3:::b/${aws:username}/*"\n'
        "        Principal:\n"
        "          Service:\n"
        '            - "lambda.amazonaws.com"\n'
        "        Condition:\n"
        "          StringEquals:\n"
        "            aws:SourceAccount:\n"
        '              - "1"'
    )


def test_resources_that_are_unknown_as_a_whole_may_be_more() -> None:
    assert document([{"actions": ["s3:*"]}], [{"resources": True}]).endswith(
        "          - -> aws_b.y arn\n          - ? what else is there is known only after apply"
    )


def test_a_document_that_takes_in_others_is_open() -> None:
    found = document([{"actions": ["s3:*"], "resources": ["*"]}], [{}], source_policy_documents=["{}"])
    assert found.endswith("      - ? it takes in other policy documents")


def test_a_policy_text_has_links_where_it_names_resources() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
    text = json.dumps({"Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": f"{arn}/index/*"}]})
    found = plan([resource("aws_a.x", {"policy": text}), resource("aws_b.y", {"arn": arn})], {"aws_a.x": {}})
    assert "(-> aws_b.y arn)" in told(found, "aws_a.x", "policy")
    assert "/index/*" in told(found, "aws_a.x", "policy")
