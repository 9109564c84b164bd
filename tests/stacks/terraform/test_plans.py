"""Plans to stacks, and the facts in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stacks.dumping import dump
from tests.stacks.terraform.planning import SAMPLES, SECRET, Golden, plan, references, resource, sample
from threatmodel.evidence.analyses.secrets import supplied
from threatmodel.evidence.answers import Answered, Unanswered
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.render.report.words import where
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.terraform.reader import read
from threatmodel.stacks.values import Scalar, Unknown, get, items


@pytest.mark.parametrize("name", ["plan", "plan-0.1", "plan-without-configuration"])
def test_plan(name: str, golden: Golden) -> None:
    golden(f"evidence/{name}.txt", dump(sample(f"{name}.json")))


def test_a_byte_order_mark_is_passed_over() -> None:
    data = (SAMPLES / "plan.json").read_text(encoding="utf-8")
    assert read(data, "p") == read("\ufeff" + data, "p")


def test_sensitive_values_are_dropped() -> None:
    assert SECRET in (SAMPLES / "plan.json").read_text(encoding="utf-8")
    assert SECRET not in repr(sample("plan.json"))


FACTS = load_mappings()


def facts(stack: Stack, kind: str, address: str) -> dict[str, Any]:
    """The facts of a resource; those that nobody can tell as their reason."""
    found = StackFacts(stack, FACTS).of(kind, stack.resources[address])
    return {name: one.value if isinstance(one, Answered) else one for name, one in found.items()}


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
        "environment_customer_key": False,
        "package_customer_key": False,
    }
    assert {name: found[name] for name in wanted} == wanted


def test_facts_of_a_function_with_count() -> None:
    found = facts(sample("plan.json"), "function", "aws_lambda_function.cleanup[0]")
    assert (found["reserved_concurrency"], found["in_vpc"]) == (None, True)
    assert found["environment_customer_key"] is True
    for name in ("role_wildcard_action", "failure_destination"):
        assert isinstance(found[name], Unanswered)  # its policy is written with jsonencode
    assert found["role_wildcard_action"].why == "known only after apply; it refers to aws_dynamodb_table.orders"


def test_facts_of_what_is_around() -> None:
    stack = sample("plan.json")
    api = facts(stack, "api", "aws_api_gateway_rest_api.api")
    wanted = {"kind": "rest", "throttle_rate": 10, "caller_authentication": "none", "access_logs": False}
    assert {name: api[name] for name in wanted} == wanted
    assert facts(stack, "store", "aws_dynamodb_table.orders")["recovery"] is True
    told = facts(stack, "queue", "aws_sqs_queue.jobs")["dead_letter_queue"]
    assert isinstance(told, Unanswered)  # written with jsonencode: how often it is tried is known after apply only
    assert facts(stack, "queue", "aws_sqs_queue.dead")["dead_letter_queue"] is False
    assert facts(stack, "queue", "aws_sqs_queue.jobs")["consumer_concurrency"] == 10  # of two mappings


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
    assert isinstance(found, Answered)
    place = found.places[0]
    assert str(place) == "plan.json: module.bot.aws_lambda_function.this.timeout"
    assert where(place) == str(place)


# --- before the first apply


def nodes(address: str, values: dict[str, Any], unknown: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    one = resource(address, values, unknown=unknown)
    return dict(read(json.dumps(plan([one], {address: said})), "plan.json").resources[address].properties.entries)


def test_a_dynamic_block_that_is_known_after_apply_is_no_default() -> None:
    """A plan's configuration does not have dynamic blocks; AWS's own defaults are unknown, too, and stay left out."""
    stage = "aws_apigatewayv2_stage.live"
    name = {"name": {"constant_value": "live"}}
    found = nodes(stage, {"name": "live"}, {"id": True, "route_settings": True, "default_route_settings": True}, name)
    assert isinstance(found["RouteSettings"], Unknown)
    assert isinstance(found["DefaultRouteSettings"], Unknown)
    function = "aws_lambda_function.bot"
    found = nodes(function, {"handler": "a.b"}, {"logging_config": True, "tracing_config": True}, {"handler": {}})
    assert found.keys() & {"LoggingConfig", "TracingConfig"} == set()


@pytest.mark.parametrize(
    ("address", "name", "own"),
    [
        ("aws_lambda_permission.open", "principal_org_id", "PrincipalOrgID"),
        ("aws_api_gateway_rest_api.api", "body", "Body"),
    ],
)
def test_what_is_written_and_known_after_apply_is_unknown(address: str, name: str, own: str) -> None:
    written: list[dict[str, Any]] = [{name: references("var.given")}, {name: {}}]
    for said in written:
        assert isinstance(nodes(address, {}, {name: True}, said)[own], Unknown)


def test_a_resource_of_which_nothing_is_known_has_no_defaults() -> None:
    one = resource("aws_lambda_function.bot", {"handler": "a.b"}, unknown=True)
    stack = read(json.dumps(plan([one], {one["address"]: {}})), "plan.json")
    assert stack.resources["aws_lambda_function.bot"].opaque is not None


def test_planned_values_that_a_change_contradicts_are_unknown() -> None:
    bot = resource("aws_lambda_function.bot", {"handler": "a.b", "timeout": 5, "memory_size": 128})
    raw = plan([bot], {"aws_lambda_function.bot": {}})
    raw["resource_changes"][0]["change"]["after"] = {"handler": "a.b", "timeout": 900}
    found = read(json.dumps(raw), "plan.json").resources["aws_lambda_function.bot"].properties.entries
    assert isinstance(found["Timeout"], Unknown)
    assert isinstance(found["Handler"], Scalar)
    assert isinstance(found["MemorySize"], Scalar)


@pytest.mark.parametrize(
    ("actions", "unread"),
    [(["create"], 1), (["no-op"], 1), (["delete", "create"], 1), (["delete"], 0), (["forget"], 0), ([], 0)],
)
def test_a_change_without_planned_values_is_an_unread_part(actions: list[str], unread: int) -> None:
    raw = plan([resource("aws_sqs_queue.work", {"name": "work"})], {"aws_sqs_queue.work": {}})
    kind = {"mode": "managed", "type": "aws_lambda_permission", "name": "open"}
    raw["resource_changes"].append({"address": "aws_lambda_permission.open", **kind, "change": {"actions": actions}})
    stack = read(json.dumps(raw), "plan.json")
    assert [one.name for one in stack.unread] == ["aws_lambda_permission.open"] * unread


@pytest.mark.parametrize(
    ("region", "doubted"), [("eu-west-1", False), ("us-east-1", True), (None, False)], ids=["same", "other", "none"]
)
def test_a_resource_may_name_its_region(region: str | None, doubted: bool) -> None:
    """As those of version 6 of the provider do."""
    one = resource("aws_lambda_function.bot", {"function_name": "bot", "region": "eu-west-1"})
    other = resource("aws_guardduty_detector.all", {"enable": True, **({"region": region} if region else {})})
    stack = read(json.dumps(plan([one, other], {one["address"]: {}, other["address"]: {}})), "plan.json")
    assert (stack.resources["aws_guardduty_detector.all"].doubt is not None) == doubted
    assert stack.resources["aws_lambda_function.bot"].doubt is None


SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:slack-abcdef"
SECRET_DATA = "data.aws_secretsmanager_secret_version.slack"


@pytest.mark.parametrize(
    ("value", "source", "secret"),
    [
        ("xyzzy", f"{SECRET_DATA}.secret_string", True),
        ("derived", f"{SECRET_DATA}.secret_string", None),
        (SECRET_ARN, f"{SECRET_DATA}.arn", False),
        ("plain", "data.aws_ssm_parameter.url.value", None),
    ],
)
def test_a_variable_made_of_a_secret_that_is_looked_up_is_never_clean(
    value: str,
    source: str,
    secret: bool | None,
) -> None:
    """Also where `nonsensitive` takes the mark away."""
    looked_up = [
        resource(SECRET_DATA, {"secret_string": "xyzzy", "arn": SECRET_ARN}),
        resource("data.aws_ssm_parameter.url", {"value": "other"}),
    ]
    bot = resource("aws_lambda_function.bot", {"environment": [{"variables": {"FOO": value}}]})
    block = {"environment": [{"variables": references(source, source.rpartition(".")[0])}]}
    raw = plan([bot, *looked_up], {"aws_lambda_function.bot": block, **{one["address"]: {} for one in looked_up}})
    stack = read(json.dumps(raw), "plan.json")
    (environment,) = items(get(stack.resources["aws_lambda_function.bot"].properties, "Environment"))
    node = get(environment, "Variables", "FOO")
    assert node is not None
    assert supplied("FOO", node, stack).secret is secret
