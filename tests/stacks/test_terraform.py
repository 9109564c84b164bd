"""Reading Terraform plans: values, links, what is unknown and what is sensitive, and files that are no plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.stacks.dumping import dump, value
from tests.support import HOME, working_at_most
from threatmodel.evidence.answers import Answer, Unanswered
from threatmodel.evidence.mappings.facts import StackFacts
from threatmodel.evidence.mappings.format import load_places
from threatmodel.reading.problems import InputError, Place, shown
from threatmodel.render.report.words import where
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.terraform import reader as terraform
from threatmodel.stacks.terraform.marks import DEEPEST
from threatmodel.stacks.terraform.reader import LARGEST, read
from threatmodel.stacks.values import Scalar, Table, Unknown, get

Golden = Callable[[str, str], None]
SAMPLES = HOME / "tests" / "evidence" / "samples"
SECRET = "test-only-5f3c1"


def sample(name: str) -> Stack:
    return read((SAMPLES / name).read_bytes(), name)


@pytest.mark.parametrize("name", ["plan", "plan-0.1", "plan-without-configuration"])
def test_plan(name: str, golden: Golden) -> None:
    golden(f"evidence/{name}.txt", dump(sample(f"{name}.json")))


def test_text_and_bytes_are_the_same() -> None:
    data = (SAMPLES / "plan.json").read_bytes()
    assert read(data.decode(), "p") == read(data, "p") == read("\ufeff" + data.decode(), "p")
    assert read(data.decode().encode("utf-16"), "p") == read(data, "p")


def test_sensitive_values_are_dropped() -> None:
    assert SECRET in (SAMPLES / "plan.json").read_text(encoding="utf-8")
    assert SECRET not in repr(sample("plan.json"))


# --- facts

FACTS = load_places("terraform")


def facts(stack: Stack, kind: str, address: str) -> dict[str, Any]:
    """The facts of a resource; those that nobody can tell as their reason."""
    found = StackFacts(stack, FACTS).of(kind, stack.resources[address])
    return {name: one.value if isinstance(one, Answer) else one for name, one in found.items()}


def test_facts_of_a_function() -> None:
    found = facts(sample("plan.json"), "function", "module.bot.aws_lambda_function.this")
    wanted = {
        "runtime": "python3.13",
        "timeout_seconds": 10,
        "reserved_concurrency": 50,
        "package_format": "zip",
        "log_format": "text",
        "log_retention_days": 30,
        "in_vpc": False,
        "failure_destination": False,
        "role_shared": False,
        "role_wildcard_action": False,
        "role_trusts_only_lambda": True,
        "customer_managed_key": False,
    }
    assert {name: found[name] for name in wanted} == wanted


def test_facts_of_a_function_with_count() -> None:
    found = facts(sample("plan.json"), "function", "aws_lambda_function.cleanup[0]")
    assert (found["reserved_concurrency"], found["failure_destination"], found["in_vpc"]) == (None, True, True)
    assert found["customer_managed_key"] is True
    assert isinstance(found["role_wildcard_action"], Unanswered)  # its policy is written with jsonencode
    assert found["role_wildcard_action"].why == "known only after apply; it refers to aws_dynamodb_table.orders"


def test_facts_of_what_is_around() -> None:
    stack = sample("plan.json")
    api = facts(stack, "api", "aws_api_gateway_rest_api.api")
    wanted = {"kind": "rest", "throttle_rate": 10, "caller_authentication": "none", "access_logs": False}
    assert {name: api[name] for name in wanted} == wanted
    assert facts(stack, "store", "aws_dynamodb_table.orders")["recovery"] is True
    assert facts(stack, "queue", "aws_sqs_queue.jobs")["dead_letter_queue"] is True
    assert facts(stack, "queue", "aws_sqs_queue.dead")["dead_letter_queue"] is False
    assert facts(stack, "queue", "aws_sqs_queue.jobs")["consumer_concurrency"] == 5


def test_facts_of_an_old_plan() -> None:
    stack = sample("plan-0.1.json")
    found = facts(stack, "function", "aws_lambda_function.bot")
    assert found["timeout_seconds"] == 30
    assert found["role_wildcard_resource"] is False
    assert facts(stack, "store", "aws_dynamodb_table.orders")["recovery"] is False


def test_facts_without_configuration() -> None:
    """What stands there is known; what does not may be anything."""
    found = facts(sample("plan-without-configuration.json"), "function", "aws_lambda_function.bot")
    assert found["timeout_seconds"] == 30
    for name in ("failure_destination", "in_vpc", "log_format", "log_retention_days"):
        assert isinstance(found[name], Unanswered), name
    assert "role_wildcard_action" not in found or isinstance(found["role_wildcard_action"], Unanswered)


def test_a_fact_cites_the_attribute() -> None:
    stack = sample("plan.json")
    resource = stack.resources["module.bot.aws_lambda_function.this"]
    found = StackFacts(stack, FACTS).of("function", resource)["timeout_seconds"]
    assert isinstance(found, Answer)
    place = found.places[0]
    assert str(place) == "plan.json: module.bot.aws_lambda_function.this.timeout"
    assert where(place) == str(place)


# --- single values


def plan(
    resources: list[dict[str, Any]],
    configured: dict[str, dict[str, Any]],
    *,
    root: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A plan of resources: address, type, name and values, with `unknown`, `sensitive` and `actions` beside them."""
    changes = [
        {
            "address": one["address"],
            "change": {
                "actions": one.pop("actions", ["create"]),
                "after_unknown": one.pop("unknown", {}),
                "after_sensitive": one.pop("sensitive", {}),
            },
        }
        for one in resources
    ]
    blocks = [{"address": name, "expressions": said} for name, said in configured.items()]
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": blocks, **(root or {})}},
    } | more


def resource(address: str, values: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    kind, name = address.split("[", maxsplit=1)[0].removeprefix("data.").split(".")
    mode = "data" if address.startswith("data.") else "managed"
    return {"address": address, "mode": mode, "type": kind, "name": name, "values": values or {}, **more}


def references(*names: str) -> dict[str, Any]:
    return {"references": list(names)}


def told(document: dict[str, Any], address: str = "aws_a.x", *path: str) -> str:
    node = get(read(json.dumps(document), "p").resources[address].properties, *(path or ("to",)))
    assert node is not None
    return value(node)


def one(*, said: Any, values: Any = None, unknown: Any = None, sensitive: Any = None, **more: Any) -> dict[str, Any]:
    """A plan in which the attribute `to` of aws_a.x is said to be something, beside two that it may refer to."""
    a = resource(
        "aws_a.x", {} if values is None else {"to": values}, unknown={} if unknown is None else {"to": unknown}
    )
    a["sensitive"] = {} if sensitive is None else {"to": sensitive}
    b = resource("aws_b.y", {"name": "orders", "size": 5, "mode": "fast"}, unknown={"arn": True, "id": True})
    c = resource("random_password.z", {}, unknown={"result": True}, sensitive={"result": True})
    return plan([a, b, c], {"aws_a.x": {"to": said}, "aws_b.y": {"name": {"constant_value": "orders"}}}, **more)


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


# --- lists and blocks


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


# --- instances and modules


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


def modules(to: dict[str, Any], outputs: dict[str, Any], call: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    """A root with aws_a.x and aws_b.y, and a module m with aws_c.z whose attribute `by` refers to something."""
    document = plan(
        [resource("aws_a.x", unknown={"to": True}), resource("aws_b.y", unknown={"arn": True})],
        {"aws_a.x": {"to": to}, "aws_b.y": {}},
    )
    z = {"address": "module.m.aws_c.z", "mode": "managed", "type": "aws_c", "name": "z", "values": {}}
    document["planned_values"]["root_module"]["child_modules"] = [{"address": "module.m", "resources": [z]}]
    change = {"actions": ["create"], "after_unknown": {"by": True, "arn": True, "id": True}}
    document["resource_changes"].append({"address": "module.m.aws_c.z", "change": change})
    document["configuration"]["root_module"]["module_calls"] = {
        "m": {
            "expressions": call,
            "module": {
                "outputs": {name: {"expression": said} for name, said in outputs.items()},
                "resources": [{"address": "aws_c.z", "expressions": {"by": inner}}],
            },
        }
    }
    return document


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


# --- policies

DOCUMENT = "data.aws_iam_policy_document.d"


def document(statement: list[dict[str, Any]], unknown: Any, **more: Any) -> str:
    """What a policy is whose document is known only after apply."""
    configured = [
        {"actions": {"constant_value": one.get("actions")}, "resources": references("aws_b.y.arn", "aws_b.y")}
        for one in statement
    ]
    found = plan(
        [
            resource("aws_a.x", unknown={"policy": True}),
            resource("aws_b.y", unknown={"arn": True}),
            resource(DOCUMENT, {"statement": statement, **more}, unknown={"json": True, "statement": unknown}),
        ],
        {
            "aws_a.x": {"policy": references(f"{DOCUMENT}.json", DOCUMENT)},
            "aws_b.y": {},
            DOCUMENT: {"statement": configured},
        },
    )
    return dump(read(json.dumps(found), "p")).split("\n  policy:\n", 1)[1].split("\naws_b.y")[0]


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
        "          - -> aws_b.y arn\n          - ? what else stands there is known only after apply"
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


# --- files that are no plan


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


def test_bytes_that_are_no_plan() -> None:
    for data, found in (
        (b"PK\x03\x04\x00", "this is a plan in Terraform's own form"),
        (b'{"a": "\xff"}', "this is no text in UTF-8"),
    ):
        with pytest.raises(InputError, match=found):
            read(data, "p")


def test_a_plan_that_is_too_large() -> None:
    with pytest.raises(InputError, match="file-too-large: the file has more than 64 MB"):
        read(" " * (LARGEST + 1), "p")


# --- plans that are not whole


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
        ("awscc_lambda_function", "managed", True),
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


@given(st.text() | st.binary())
def test_any_text_ends_in_a_stack_or_a_problem(data: str | bytes) -> None:
    with pytest.raises(InputError):
        read(data, "p")


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
    assert len(stack.resources) > 2500


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
    assert isinstance(terraform.LARGEST, int)
    assert any(isinstance(one.value, Unknown) for one in stack.parameters.values())
