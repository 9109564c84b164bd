"""The example deploys as it stands."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner, run_template_by_data

from tests.examples.standing_in import APP


@pytest.fixture(scope="module")
def template() -> Any:
    decoded, errors = decode_str((APP / "template.yaml").read_text(encoding="utf-8"))
    assert not errors
    return decoded


@pytest.mark.slow
def test_template_is_clean(template: Any) -> None:
    settings = ConfigMixIn(regions=["eu-central-1", "us-east-1"])
    matches = run_template_by_data(template, settings, Runner(settings).rules)
    assert [f"{match.rule.id} line {match.linenumber}: {match.message}" for match in matches] == []


@pytest.mark.parametrize(("function", "code"), [("OrderBotFunction", "app.py"), ("OrderWorkerFunction", "worker.py")])
def test_template_sets_the_variables_that_the_code_reads(template: Any, function: str, code: str) -> None:
    properties = template["Resources"][function]["Properties"]
    read = set(re.findall(r'(?:environ\[|listed\()"(\w+)"', (APP / code).read_text(encoding="utf-8")))
    assert read == set(properties["Environment"]["Variables"])
    assert properties["Handler"] == f"{code.removesuffix('.py')}.handler"


@pytest.mark.parametrize("role", ["OrderBotRole", "OrderWorkerRole"])
def test_roles_name_what_they_reach(template: Any, role: str) -> None:
    properties = template["Resources"][role]["Properties"]
    assert "ManagedPolicyArns" not in properties
    for statement in properties["Policies"][0]["PolicyDocument"]["Statement"]:
        network = all(action.startswith("ec2:") for action in statement["Action"])  # takes no resource
        assert network or "*" not in json.dumps(statement)


def test_only_who_is_told_has_to_be_given_and_the_defaults_let_nobody_in(template: Any) -> None:
    assert {name: one.get("Default") for name, one in template["Parameters"].items()} == {
        "AllowedIds": "",
        "ApiGatewayLogRole": "create",
        "OnCallEmail": None,  # alarms that reach nobody are none
        "WorkerSubnetIds": "",
        "WorkerSecurityGroupIds": "",
    }


def test_sam_makes_no_stage_beside_the_protected_one(template: Any) -> None:
    assert template["Resources"]["SlackApi"]["Properties"]["OpenApiVersion"] == "2.0"
