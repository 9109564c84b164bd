"""Files that are no plan, and plans that are not whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.stacks.dumping import dump
from tests.stacks.terraform.planning import (
    SAMPLES,
    SECRET,
    Golden,
    modules,
    plan,
    references,
    resource,
    sample,
)
from tests.support import working_at_most
from threatmodel.reading.problems import InputError, Place, shown
from threatmodel.stacks.terraform.marks import DEEPEST
from threatmodel.stacks.terraform.reader import read
from threatmodel.stacks.values import Scalar, Table, Unknown, get


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "p: line 1, column 1: not-a-plan: this is no JSON"),
        ('{"planned_values": ', "p: line 1, column 20: not-a-plan: this is no JSON"),
        ('{"@level":"info","@message":"Terraform 1.9"}\n{"@level":"info"}',
         "p: line 2, column 1: not-a-plan: this is the log of 'terraform plan -json'"),
        ("[" * 100_000, "p: not-a-plan: this is JSON nested too deeply to be read"),
        ("9" * 5_000, "p: not-a-plan: this is JSON with a number that cannot be read"),
        ("[]", "p: not-a-plan: this is a list"),
        ("null", "p: not-a-plan: this is null"),
        ('"hush"', "p: not-a-plan: this is a text"),
        ("true", "p: not-a-plan: this is a yes or no"),
        ("5", "p: not-a-plan: this is a number"),
        ("{}", "p: not-a-plan: this has no 'planned_values'"),
        ('{"planned_values": "hush"}', "p: not-a-plan: this has no 'planned_values'"),
        ('{"format_version": "1.0", "terraform_version": "1.9.8", "values": {}}',
         "p: not-a-plan: this is a Terraform state"),
        ('{"version": 4, "serial": 1, "lineage": "a", "resources": []}',
         "p: not-a-plan: this is a Terraform state file"),
        ('{"version": "0.2", "currency": "USD", "projects": []}', "p: not-a-plan: this is Infracost's output"),
        ('{"Resources": {}}', "p: not-a-plan: this is a CloudFormation template"),
        ('{"resource": {}}', "p: not-a-plan: this is Terraform configuration in JSON"),
        ('{"resource_changes": []}', "p: not-a-plan: this is a part of a plan, without 'planned_values'"),
    ],
)  # fmt: skip
def test_no_plan(text: str, found: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text, "p")
    said = shown(caught.value.problems, {"p": text})
    assert said.startswith(f"{found}; expected a Terraform plan as JSON; write it with 'terraform show -json ")
    assert "\n" not in said  # no line of the file is shown: it may hold anything
    assert "hush" not in said


def test_a_state_is_no_plan(golden: Golden) -> None:
    with pytest.raises(InputError) as caught:
        sample("state.json")
    golden("bad-input/not-a-plan.txt", shown(caught.value.problems, {}) + "\n")


def notes(**changed: Any) -> list[str]:
    document = plan([resource("aws_a.x")], {"aws_a.x": {}}) | changed
    stack = read(json.dumps({name: child for name, child in document.items() if child is not ...}), "p")
    return [f"{one.name}: {one.why}" for one in stack.unread] + [p.message for p in stack.problems]


def test_notes() -> None:
    assert notes() == []
    assert [notes(format_version=one) for one in ("0.1", "0.2", "1.0", "1.2", "1.17")] == [[]] * 5
    unknown = "format_version: nothing is known of this version of the format"
    assert notes(format_version="2.0") == [f"{unknown} 2.0"]
    assert notes(format_version="1.0; hush") == notes(format_version=["1.0"]) == [unknown]
    assert notes(errored=True) == ["errored: the plan ended with an error"]
    assert notes(complete=False) == ["complete: the plan leaves changes to a later one"]
    assert notes(configuration={}) == notes(configuration={"root_module": []}) == notes(configuration=None) == [
        "configuration: the plan has none, so it cannot be known what refers to what"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "mode", "noted"),
    [
        ("aws_cloudformation_stack", "managed", True),
        ("aws_cloudcontrolapi_resource", "managed", True),
        ("aws_cloudformation_stack", "data", False),
        ("aws_cloudformation_type", "managed", False),
    ],
)
def test_what_makes_other_resources_is_noted(kind: str, mode: str, noted: bool) -> None:
    address = f"data.{kind}.x" if mode == "data" else f"{kind}.x"
    found = read(json.dumps(plan([resource(address) | {"type": kind, "mode": mode}], {address: {}})), "p")
    assert [one.name for one in found.unread] == ([address] if noted else [])


def test_an_address_given_twice() -> None:
    twice = [resource("aws_a.x", {"a": 1}), resource("aws_a.x", {"a": 2})]
    stack = read(json.dumps(plan(twice, {})), "p")
    assert [str(p.place) + ": " + p.message for p in stack.problems] == [
        "p: aws_a.x: the address 'aws_a.x' is given twice"
    ]
    assert get(stack.resources["aws_a.x"].properties, "a") == Scalar(1, Place("p", 1, 1, "aws_a.x.a"))


def test_what_is_no_resource_is_noted() -> None:
    document = plan([], {})
    document["planned_values"]["root_module"] = {
        "resources": [5, {"address": 5}, {"address": "a", "type": "b"}],
        "child_modules": [5, {"address": "elsewhere"}],
    }
    stack = read(json.dumps(document), "p")
    assert not stack.resources
    assert len(stack.problems) == 5
    assert len(stack.unread) == 5


@pytest.mark.parametrize(
    ("planned", "name"),
    [
        ({}, "planned_values"),
        ({"root_module": "x"}, "planned_values"),
        ({"root_module": {"resources": {}}}, "resources"),
        ({"root_module": {"child_modules": {}}}, "child_modules"),
        ({"root_module": {"child_modules": [5]}}, "root_module"),
        ({"root_module": {"child_modules": [{"address": "module.m", "resources": "x"}]}}, "module.m.resources"),
    ],
)
def test_what_is_mistyped_never_looks_empty(planned: Any, name: str) -> None:
    document = plan([], {}) | {"planned_values": planned}
    assert [one.name for one in read(json.dumps(document), "p").unread] == [name]


@pytest.mark.parametrize("mark", ["true", 1, [True], {"a": 1}, {"a": "x"}, {"a": [1]}])
def test_a_mark_of_another_type_hides_what_it_stands_at(mark: Any) -> None:
    for name in ("sensitive_values", "after_sensitive"):
        document = plan([resource("aws_a.x", {"a": "hush"}, sensitive_values=mark if name[0] == "s" else {})], {})
        document["resource_changes"] = [
            {"address": "aws_a.x", "change": {"after_unknown": {}, "after_sensitive": mark if name[0] == "a" else {}}}
        ]
        assert "hush" not in dump(read(json.dumps(document), "p"))


def test_values_nested_deeply() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [{"a": deep}]
    node = read(json.dumps(plan([resource("aws_a.x", {"to": deep})], {})), "p").resources["aws_a.x"].properties
    found = dump(read(json.dumps(plan([resource("aws_a.x", {"to": deep})], {})), "p"))
    assert "? it is nested too deeply" in found
    assert isinstance(node, Table)
    assert found.count("\n") <= DEEPEST + 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
REFERENCE = st.sampled_from([
    "var.a", "each.value", "each.key", "count.index", "local.l", "module.m.o", "module.m", "aws_b.y.arn", "aws_b.y",
    "aws_b.y[0]", "data.aws_iam_policy_document.d.json", "self", "", ".", "[", "a[", "module", "data.x", "var",
])  # fmt: skip
EXPRESSION = (
    st.fixed_dictionaries({"references": st.lists(REFERENCE, max_size=3)})
    | st.fixed_dictionaries({"constant_value": JSON})
    | st.lists(st.dictionaries(st.sampled_from(["policy", "a"]), JSON, max_size=2), max_size=2)
    | JSON
)
NAMES = st.sampled_from(["policy", "arn", "a", "statement"])
RESOURCE = st.fixed_dictionaries(
    {
        "address": st.sampled_from(["aws_a.x", "aws_b.y[0]", "data.aws_iam_policy_document.d"]) | JSON,
        "type": st.sampled_from(["aws_a", "aws_b", "aws_iam_policy_document"]),
        "name": st.sampled_from(["x", "y", "d"]),
        "values": st.dictionaries(NAMES, JSON, max_size=3) | JSON,
    },
    optional={"mode": st.sampled_from(["data", "managed"]), "index": JSON, "sensitive_values": JSON},
)
CHANGE = st.fixed_dictionaries({
    "address": st.sampled_from(["aws_a.x", "aws_b.y[0]", "data.aws_iam_policy_document.d"]),
    "change": st.fixed_dictionaries({
        "after_unknown": st.dictionaries(NAMES, st.just(value=True) | JSON, max_size=3) | JSON,
        "actions": st.sampled_from([["create"], ["update"]]) | JSON,
    }),
})  # fmt: skip
MODULE = st.fixed_dictionaries({
    "resources": st.lists(
        st.fixed_dictionaries({
            "address": st.sampled_from(["aws_a.x", "aws_b.y", "data.aws_iam_policy_document.d"]),
            "expressions": st.dictionaries(NAMES, EXPRESSION, max_size=3) | JSON,
        }) | JSON,
        max_size=3,
    ),
    "outputs": st.dictionaries(st.just("o"), st.fixed_dictionaries({"expression": EXPRESSION}) | JSON, max_size=1),
})  # fmt: skip


@pytest.mark.slow
@given(
    JSON
    | st.fixed_dictionaries({
        "planned_values": st.fixed_dictionaries({
            "root_module": st.fixed_dictionaries(
                {"resources": st.lists(RESOURCE | JSON, max_size=4)},
                optional={"child_modules": st.lists(
                    st.fixed_dictionaries({"address": st.just("module.m"), "resources": st.lists(RESOURCE)}) | JSON,
                    max_size=2,
                )},
            ) | JSON,
        }),
        "resource_changes": st.lists(CHANGE | JSON, max_size=4) | JSON,
        "configuration": st.fixed_dictionaries({
            "root_module": st.tuples(MODULE, MODULE, EXPRESSION).map(
                lambda drawn: drawn[0] | {"module_calls": {"m": {"module": drawn[1], "expressions": {"a": drawn[2]}}}}
            ) | JSON,
        }) | JSON,
        "variables": JSON,
        "format_version": JSON,
    })
)  # fmt: skip
@example({"planned_values": {}})
def test_any_json_ends_in_a_stack_or_a_problem(document: Any) -> None:
    try:
        stack = read(json.dumps(document), "p")
    except InputError as error:
        codes = {problem.code for problem in error.problems}
    else:
        codes = {problem.code for problem in stack.problems}
        assert all(name == one.name for name, one in stack.resources.items())
        dump(stack)
    assert codes <= {"not-a-plan", "wrong-type", "duplicate-key", "too-many-problems"}


@given(st.text())
def test_any_text_ends_in_a_stack_or_a_problem(data: str) -> None:
    with pytest.raises(InputError):
        read(data, "p")


@pytest.mark.slow
def test_five_hundred_functions_are_read_in_a_fraction_of_a_second() -> None:
    source = json.loads((SAMPLES / "plan.json").read_text(encoding="utf-8"))
    worker = source["planned_values"]["root_module"]["child_modules"][1]
    text, changes = json.dumps(worker), source["resource_changes"]
    own = [one for one in changes if one.get("module_address") == 'module.worker["orders"]']
    children, more = [], json.dumps(own)
    for number in range(500):
        old, new = '\\"orders\\"', f'\\"w{number}\\"'
        children.append(json.loads(text.replace(old, new)))
        changes += json.loads(more.replace(old, new))
    source["planned_values"]["root_module"]["child_modules"] += children
    data = json.dumps(source)
    with working_at_most(seconds=4):
        stack = read(data, "p")
    assert len(stack.resources) + len(stack.parts) > 2500


def test_references_in_a_circle_and_in_great_numbers_end() -> None:
    many = references(*(f"module.m.o{number}" for number in range(50)))
    document = modules(many, {f"o{number}": references("var.in") for number in range(50)}, {"in": many}, many)
    with working_at_most(seconds=2):
        read(json.dumps(document), "p")


def test_unknown_never_holds_a_value() -> None:
    stack = sample("plan.json")
    told_ = [line for line in dump(stack).split("\n") if "? " in line]
    assert told_
    assert not any(word in line for line in told_ for word in ("order-bot-prod", "subnet-0a1", SECRET))
    assert any(isinstance(one.value, Unknown) for one in stack.parameters.values())
