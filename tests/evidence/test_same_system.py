"""One small system written as a template, as a plan and as a serverless.yml: the three say the same of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support import HOME
from threatmodel.evidence.answers import Answer, Answered
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.relations.found import function_relations
from threatmodel.evidence.relations.use import FunctionRelations
from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.serverless import reader as serverless
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.terraform import reader as terraform

SAMPLES = HOME / "tests" / "evidence" / "samples" / "same"


def text(name: str) -> str:
    return (SAMPLES / name).read_text(encoding="utf-8")


STACKS: Mapping[str, Stack] = {
    "template": sam.expanded(*cloudformation.read(text("template.yaml"), "template.yaml")),
    "plan": terraform.read(text("plan.json"), "plan.json"),
    "serverless": serverless.read(text("serverless.yml"), "serverless.yml"),
}
FACTS = {name: StackFacts(stack, load_mappings()) for name, stack in STACKS.items()}
ELEMENTS = {
    "bot": ("function", "Bot", "aws_lambda_function.bot", "BotLambdaFunction"),
    "list": ("function", "List", "aws_lambda_function.list", "ListLambdaFunction"),
    "worker": ("function", "Worker", "aws_lambda_function.worker", "WorkerLambdaFunction"),
    "orders": ("store", "Orders", "aws_dynamodb_table.orders", "Orders"),
    "jobs": ("queue", "Jobs", "aws_sqs_queue.jobs", "Jobs"),
    "dead": ("queue", "Dead", "aws_sqs_queue.dead", "Dead"),
    "token": ("secret", "Token", "aws_secretsmanager_secret.token", "Token"),
    "http": ("api", "Http", "aws_apigatewayv2_api.http", "HttpApi"),
    "rest": ("api", "Rest", "aws_api_gateway_rest_api.shop", "ApiGatewayRestApi"),
}
"""Each element: its kind, and the resource that it is in the template, in the plan and in the serverless.yml."""
UNKNOWN = {"minimum_tls", "readers_restricted", "senders_restricted", "request_validation", "role_permissions_boundary"}
"""What none of the three tells: it hangs on what else is in the account."""
MEANT = {
    ("bot", "timeout_seconds"): 10,
    ("bot", "reserved_concurrency"): 5,
    ("bot", "runtime"): "python3.13",
    ("bot", "failure_destination"): False,  # its role may not send to the queue that it names
    ("bot", "role_shared"): True,
    ("bot", "environment_holds_secret"): False,
    ("list", "reserved_concurrency"): None,
    ("worker", "log_retention_days"): 90,
    ("orders", "recovery"): True,
    ("jobs", "dead_letter_queue"): True,
    ("dead", "dead_letter_queue"): False,
    ("http", "kind"): "http",
    ("http", "access_logs"): True,
    ("rest", "access_logs"): False,
}
"""What some facts are: three files that are wrong in the same way agree too."""


def told(found: Answer | None) -> Any:
    return found.value if isinstance(found, Answered) else "nothing" if found is None else f"? {found.why}"


PLAN_CANNOT_TELL = {("jobs", "dead_letter_queue")}
"""What a first plan holds in a text that is known after apply only: a policy with the ARN of another resource."""


@pytest.mark.parametrize("element", ELEMENTS)
def test_the_three_say_the_same(element: str) -> None:
    kind, *names = ELEMENTS[element]
    of = {
        reader: FACTS[reader].of(kind, stack.resources[name])
        for (reader, stack), name in zip(STACKS.items(), names, strict=True)
    }
    facts = sorted(set().union(*of.values()))
    rows = {fact: {reader: told(found.get(fact)) for reader, found in of.items()} for fact in facts}
    differ = {fact: row for fact, row in rows.items() if len(set(map(repr, row.values()))) > 1}
    assert {fact for fact in differ if (element, fact) not in PLAN_CANNOT_TELL} == set()
    assert all(str(row["plan"]) == "? known only after apply" for row in differ.values())
    assert {fact for fact, row in rows.items() if str(row["template"]).startswith("? ")} <= UNKNOWN
    meant = {fact: value for (name, fact), value in MEANT.items() if name == element}
    assert {fact: rows[fact]["template"] for fact in meant} == meant


def relations(reader: str) -> dict[str, Any]:
    """Every function's relations in the model's words."""
    stack, at = STACKS[reader], 1 + list(STACKS).index(reader)
    named = {names[at]: element for element, names in ELEMENTS.items()}

    def of(relations: FunctionRelations) -> dict[str, Any]:
        lists = {name: relations.lists[name] for name in ("reads", "writes", "sends", "secrets")}
        lists |= {"unused": relations.unused, "ungranted": relations.ungranted}
        uses = {name: sorted(named[use.resource] for use in found) for name, found in lists.items()}
        starts = sorted((one.by, one.detail, named.get(one.source, one.source), one.path) for one in relations.triggers)
        return {**uses, "triggers": starts, "unknown": sorted(relations.unknown)}

    return {named[name]: of(relations) for name, relations in function_relations(stack, FACTS[reader]).items()}


def test_what_starts_functions_and_what_they_use_is_the_same() -> None:
    template = relations("template")
    assert relations("plan") == template
    assert relations("serverless") == template
    assert template["bot"]["triggers"] == [("http", "POST", "http", "/slack")]
    assert template["list"]["triggers"] == [("http", "GET", "rest", "/orders")]
    assert template["worker"]["triggers"] == [("queue", "", "jobs", ""), ("schedule", "rate(1 hour)", "", "")]
    assert template["bot"]["reads"] == template["bot"]["writes"] == ["orders"]
    assert template["bot"]["ungranted"] == ["dead"]
    assert not any(one["unknown"] for one in template.values())


def test_nothing_is_left_unread() -> None:
    assert {reader: (stack.unread, stack.problems) for reader, stack in STACKS.items()} == dict.fromkeys(
        STACKS, ((), ())
    )
