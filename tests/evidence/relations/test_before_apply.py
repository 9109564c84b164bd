"""What a plan tells of uses before its first apply: references are lower bounds, where they leave no other meaning."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stacks.terraform.planning import plan, references, resource
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.relations.found import function_relations
from threatmodel.evidence.relations.use import FunctionRelations
from threatmodel.stacks.terraform.reader import read

TRUST = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
)
USED = ("aws_dynamodb_table.orders", "aws_sqs_queue.work", "aws_secretsmanager_secret.slack")
ALL = references(*(f"{name}.arn" for name in USED))


def relations(policy: dict[str, Any], variables: dict[str, Any], *more: dict[str, Any]) -> FunctionRelations:
    """How a function is wired whose role's policy and variables, as written, are known after apply."""
    later = {"arn": True, "id": True}
    found = [
        resource("aws_iam_role.bot", {"name": "bot", "assume_role_policy": TRUST}, unknown=later),
        *(resource(name, {"name": name.rpartition(".")[2]}, unknown=later) for name in USED),
        resource("aws_iam_role_policy.bot", {"name": "bot"}, unknown={"policy": True, "role": True}),
        resource(
            "aws_lambda_function.bot",
            {"function_name": "bot", "environment": [{}]},
            unknown={**later, "role": True, "environment": [{"variables": True}]},
        ),
        *(dict(one) for one in more),
    ]
    said: dict[str, dict[str, Any]] = {one["address"]: one.pop("said", {}) for one in found}
    said["aws_iam_role_policy.bot"] = {"policy": policy, "role": references("aws_iam_role.bot.id")}
    said["aws_lambda_function.bot"] = {
        "role": references("aws_iam_role.bot.arn"),
        "environment": [{"variables": variables}],
    }
    stack = read(json.dumps(plan(found, said)), "plan.json")
    return function_relations(stack, StackFacts(stack, load_mappings()))["aws_lambda_function.bot"]


def names(found: FunctionRelations, relation: str) -> tuple[str, ...]:
    return tuple(use.resource for use in found.lists[relation])


def test_a_secret_is_read_and_a_queue_that_it_is_told_is_sent_to() -> None:
    """Whether a table is read or written, no reference says."""
    found = relations(ALL, ALL)
    assert names(found, "secrets") == ("aws_secretsmanager_secret.slack",)
    assert names(found, "sends") == ("aws_sqs_queue.work",)
    assert names(found, "reads") == names(found, "writes") == ()
    assert {"reads", "writes", "sends", "secrets"} <= found.unknown.keys()


def test_a_queue_that_the_variables_do_not_name_may_be_received_from() -> None:
    assert names(relations(ALL, {}), "sends") == ()
    assert names(relations({}, ALL), "sends") == ()


def test_a_queue_that_starts_the_function_may_be_that_alone() -> None:
    mapping = resource(
        "aws_lambda_event_source_mapping.work",
        unknown={"event_source_arn": True, "function_name": True},
        said={
            "event_source_arn": references("aws_sqs_queue.work.arn"),
            "function_name": references("aws_lambda_function.bot.arn"),
        },
    )
    found = relations(ALL, ALL, mapping)
    assert [start.source for start in found.triggers] == ["aws_sqs_queue.work"]
    assert names(found, "sends") == ()


@pytest.mark.parametrize("policy", [{}, references("var.policy")])
def test_no_reference_is_no_use(policy: dict[str, Any]) -> None:
    found = relations(policy, {})
    assert names(found, "secrets") == ()
