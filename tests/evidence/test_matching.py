"""Which resource of a file which element is: by the author's word, else by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import system_of
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.matching import Matches, kebab, matches
from threatmodel.model.system import EvidenceFile
from threatmodel.reading.problems import Place
from threatmodel.stacks.cloudformation import reader as cloudformation

MAPPINGS = load_mappings()


def matched(folder: Path, model: str, *resources: str, named: dict[str, str] | None = None) -> Matches:
    """The matches of a model's elements in a template with these resources (`Name Type`, own name behind a third)."""
    system = system_of(folder, f"name: x\n{model}\n")
    lines = []
    for resource in resources:
        name, kind, *own = resource.split()
        properties = f"\n    Properties: {{{own[0]}}}" if own else ""
        lines.append(f"  {name}:\n    Type: AWS::{kind}{properties}\n")
    stack, _ = cloudformation.read(f"Resources:\n{''.join(lines)}", "template.yaml")
    facts = StackFacts(stack, MAPPINGS)
    kinds = {name: facts.kinds_of_type(resource.type) for name, resource in stack.resources.items()}
    place = Place("model.yaml", 3, 1)
    given = {element: (name, place) for element, name in (named or {}).items()}
    source = EvidenceFile(kind="template", path="t.yaml", resources=given, every_function=False, place=place)
    return matches(system, source, stack, kinds)


@pytest.mark.parametrize(
    ("element", "resource"),
    [
        ("order-bot", "OrderBot Lambda::Function"),
        ("order-bot", "OrderBotFunction Lambda::Function"),
        ("order-bot-function", "OrderBot Serverless::Function"),
        ("order-bot", "OrderBotLambda Lambda::Function"),
        ("order-bot", 'Handler Lambda::Function "FunctionName":order-bot'),
        ("order-bot", "ORDERBOT Lambda::Function"),
    ],
)
def test_a_function_is_the_resource_of_its_name(tmp_path: Path, element: str, resource: str) -> None:
    found = matched(tmp_path, f"functions: {{{element}: {{}}}}", resource)
    assert found == Matches({element: resource.split(maxsplit=1)[0]}, (), ())


def test_the_whole_name_beats_one_with_an_ending_only_where_that_is_another_element(tmp_path: Path) -> None:
    both = ("Bot Lambda::Function", "BotFunction Lambda::Function")
    found = matched(tmp_path, "functions: {bot: {}, bot-function: {}}", *both)
    assert found.resources == {"bot": "Bot", "bot-function": "BotFunction"}
    found = matched(tmp_path, "functions: {bot: {}}", *both)  # either may be a decoy
    assert found.resources == {}
    assert [one.code for one in found.problems] == ["ambiguous-resource"]


def test_a_name_of_another_kind_is_none(tmp_path: Path) -> None:
    found = matched(tmp_path, "functions: {orders: {}}\nstores: {orders-data: {}}", "Orders DynamoDB::Table")
    assert found.resources == {}
    assert [(name, kind) for name, kind, _ in found.missing] == [("orders-data", "store"), ("orders", "function")]


def test_two_that_fit_are_a_problem_with_a_way_out(tmp_path: Path) -> None:
    found = matched(tmp_path, "functions: {bot: {}}", "BotFunction Lambda::Function", "BotLambda Lambda::Function")
    (problem,) = found.problems
    assert problem.code == "ambiguous-resource"
    assert problem.hint == "state which one under resources: {bot: BotFunction}"


def test_a_store_that_is_said_to_be_a_queue_is_a_problem(tmp_path: Path) -> None:
    found = matched(tmp_path, "stores: {orders: {}}", "Work SQS::Queue", named={"orders": "Work"})
    (problem,) = found.problems
    assert (problem.code, problem.message) == (
        "wrong-kind",
        "'orders' is a store, and 'Work' is not (AWS::SQS::Queue)",
    )


def test_the_author_says_which(tmp_path: Path) -> None:
    resources = ("Handler Lambda::Function", "BotFunction Lambda::Function")
    found = matched(tmp_path, "functions: {bot: {}}", *resources, named={"bot": "Handler"})
    assert found.resources == {"bot": "Handler"}


def test_what_the_author_misspells_is_a_problem(tmp_path: Path) -> None:
    found = matched(tmp_path, "functions: {bot: {}}", "Handler Lambda::Function", named={"bot": "Handlr", "bott": "X"})
    assert [(one.message, one.hint) for one in found.problems] == [
        ("there is no resource 'Handlr' in template.yaml", "did you mean 'Handler'?"),
        ("there is no element 'bott'", "did you mean 'bot'?"),
        ("there is no resource 'X' in template.yaml", ""),
    ]


def test_one_api_on_each_side_is_the_same(tmp_path: Path) -> None:
    found = matched(tmp_path, "apis: {slack-api: {}}\nfunctions: {f: {}}", "Front ApiGateway::RestApi")
    assert found.resources == {"slack-api": "Front"}
    two = matched(
        tmp_path, "apis: {slack-api: {}}\nfunctions: {f: {}}", "A ApiGateway::RestApi", "B ApiGateway::RestApi"
    )
    assert two.resources == {}


def test_what_is_out_of_scope_is_not_looked_for(tmp_path: Path) -> None:
    found = matched(tmp_path, "functions: {bot: {}, old: {out_of_scope: gone}}", "Bot Lambda::Function")
    assert found.missing == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("OrderBotFunction", "order-bot-function"),
        ("HTTPApi", "http-api"),
        ("S3Bucket", "s3-bucket"),
        ("bot2Handler", "bot2-handler"),
        ("x", "x"),
        ("2ndTable", "x-2nd-table"),
    ],
)
def test_a_logical_id_in_kebab_case(name: str, expected: str) -> None:
    assert kebab(name) == expected
