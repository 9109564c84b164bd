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


ROUTES = {"get": {"to": "a", "key": "GET /a"}, "put": {"to": "b", "key": "PUT /b"}}
LATER = {"arn": True, "id": True, "invoke_arn": True}
TO = ("each.value.to", "each.value")


def routed(over: dict[str, Any]) -> dict[str, FunctionRelations]:
    """Two functions, an integration of each, and routes that name integrations by a key of `for_each`."""
    api, integration = "aws_apigatewayv2_api.web", "aws_apigatewayv2_integration.to"
    functions = [
        resource(f'aws_lambda_function.f["{key}"]', {"function_name": key}, index=key, unknown=LATER) for key in "ab"
    ]
    integrations = [
        resource(f'{integration}["{key}"]', index=key, unknown={**LATER, "api_id": True, "integration_uri": True})
        for key in "ab"
    ]
    routes = [
        resource(
            f'aws_apigatewayv2_route.r["{key}"]',
            {"route_key": one["key"], "authorization_type": "NONE"},
            index=key,
            unknown={"api_id": True, "target": True},
        )
        for key, one in ROUTES.items()
    ]
    of_api = {"api_id": references(f"{api}.id", api)}
    said = {
        api: {},
        "aws_lambda_function.f": {},
        integration: {**of_api, "integration_uri": references("aws_lambda_function.f", "each.key")},
        "aws_apigatewayv2_route.r": {**of_api, "target": references(integration, *TO)},
    }
    every = [resource(api, {"protocol_type": "HTTP"}, unknown=LATER), *functions, *integrations, *routes]
    document = plan(every, said)
    document["configuration"]["root_module"]["resources"][-1]["for_each_expression"] = over
    stack = read(json.dumps(document), "plan.json")
    found = function_relations(stack, StackFacts(stack, load_mappings()))
    return {key: found[f'aws_lambda_function.f["{key}"]'] for key in "ab"}


def test_a_route_leads_to_what_for_each_names() -> None:
    found = routed({"constant_value": ROUTES})
    assert {key: [start[1:4:2] for start in one.triggers] for key, one in found.items()} == {
        "a": [("GET", "/a")],
        "b": [("PUT", "/b")],
    }


def test_a_route_to_one_of_several_is_drawn_to_none_of_them_and_the_api_stays_open_to_all() -> None:
    found = routed(references("local.routes"))
    for one in found.values():
        start = ("http", "", "aws_apigatewayv2_api.web", "")
        assert [(*each[:4], each.certain, each.guarded) for each in one.triggers] == [(*start, True, False)]
        assert "triggers" in one.unknown


def test_a_queue_that_starts_one_of_several_functions_is_drawn_to_none() -> None:
    many = [resource(f'aws_lambda_function.f["{key}"]', {}, index=key, unknown=LATER) for key in "ab"]
    queue = resource("aws_sqs_queue.work", unknown=LATER)
    mapping = resource("aws_lambda_event_source_mapping.m", unknown={"event_source_arn": True, "function_name": True})
    to = {
        "event_source_arn": references("aws_sqs_queue.work.arn"),
        "function_name": references("aws_lambda_function.f", "local.key"),
    }
    document = plan([*many, queue, mapping], {"aws_lambda_function.f": {}, "aws_lambda_event_source_mapping.m": to})
    stack = read(json.dumps(document), "plan.json")
    for one in function_relations(stack, StackFacts(stack, load_mappings())).values():
        assert not any(start.certain for start in one.triggers)
        assert "triggers" in one.unknown
