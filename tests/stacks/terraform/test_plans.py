"""Plans to stacks, and the facts in them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stacks.dumping import dump
from tests.stacks.terraform.planning import SAMPLES, SECRET, Golden, sample
from threatmodel.evidence.answers import Answered, Unanswered
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.render.report.words import where
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.terraform.reader import read


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


FACTS = load_mappings("cloudformation")


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
        "customer_managed_key": False,
    }
    assert {name: found[name] for name in wanted} == wanted


def test_facts_of_a_function_with_count() -> None:
    found = facts(sample("plan.json"), "function", "aws_lambda_function.cleanup[0]")
    assert (found["reserved_concurrency"], found["in_vpc"]) == (None, True)
    assert found["customer_managed_key"] is True
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
