"""SARIF as GitHub takes it in: its demands, held by hand, and the official schema where it is at hand."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support import HOME
from threatmodel.command.main import main

TODAY = ("--today", "2026-11-25")
SCHEMA = os.environ.get("TM_SARIF_SCHEMA", "")
"""The file of the official schema, sarif-schema-2.1.0.json, for whoever has it."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("sarif") / "check.sarif"
    model = HOME / "models" / "slack-lambda.yaml"
    arguments = ["check", str(model), "--fail-on", "low", "--strict", "--format", "sarif", "-o", str(path), *TODAY]
    assert main(arguments) == 1
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_the_head_is_what_github_asks_for(log: dict[str, Any]) -> None:
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    assert run["tool"]["driver"]["name"] == "tm"
    assert run["tool"]["driver"]["rules"]
    assert run["results"]


def test_every_rule_has_help_and_security_rules_a_severity(log: dict[str, Any]) -> None:
    (run,) = log["runs"]
    for rule in run["tool"]["driver"]["rules"]:
        assert rule["id"]
        for key in ("shortDescription", "fullDescription", "help"):
            assert rule[key]["text"].strip(), rule["id"]
        severity = rule.get("properties", {}).get("security-severity")
        if severity is not None:
            assert re.fullmatch(r"(10\.0|[0-9]\.[0-9])", severity)
            assert "security" in rule["properties"]["tags"]
            assert len(rule["properties"]["tags"]) <= 10


def test_every_result_has_one_place_in_the_repository_with_a_real_span(log: dict[str, Any]) -> None:
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["message"]["text"].strip()
        (location,) = result["locations"]
        for one in (location, *result.get("relatedLocations", ())):
            physical = one["physicalLocation"]
            uri, region = physical["artifactLocation"]["uri"], physical["region"]
            assert not uri.startswith(("/", "..", "file:"))
            lines = (HOME / uri).read_text(encoding="utf-8").split("\n")
            assert region["startLine"] == region["endLine"] <= len(lines)
            assert 1 <= region["startColumn"] < region["endColumn"] <= len(lines[region["startLine"] - 1]) + 2


def test_what_waits_for_an_answer_is_open_and_has_no_level(log: dict[str, Any]) -> None:
    results = log["runs"][0]["results"]
    opened = [result for result in results if result["kind"] == "open"]
    assert opened
    assert {result["level"] for result in opened} == {"none"}
    assert {result["kind"] for result in results} <= {"open", "fail"}
    assert {result["properties"]["code"] for result in opened} == {"undetermined"}


def test_fingerprints_are_one_a_finding_and_know_no_lines(log: dict[str, Any], tmp_path: Path) -> None:
    results = log["runs"][0]["results"]
    marks = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]
    assert len(set(marks)) == len(marks)
    text = "# a line more\nname: Shop\nfunctions: {bot: {}}\n"
    found = []
    for one in (text, text.removeprefix("# a line more\n")):
        path, out = tmp_path / "model.yaml", tmp_path / "out.sarif"
        path.write_text(one, encoding="utf-8")
        main(["check", str(path), "--format", "sarif", "-o", str(out), *TODAY])
        log = json.loads(out.read_text(encoding="utf-8"))
        found.append([result["partialFingerprints"] for result in log["runs"][0]["results"]])
    assert found[0] == found[1] != []


def test_an_accepted_risk_is_suppressed_with_its_justification(tmp_path: Path) -> None:
    path, out = tmp_path / "model.yaml", tmp_path / "out.sarif"
    path.write_text(
        "name: Shop\nfunctions: {bot: {}}\nowners: {team: team@example.com}\naccepted_risks:\n"
        "  role-reaches-too-far@bot: {risk: 25, reason: a pilot, owner: team, expires: 2027-01-01, ticket: SEC-1}\n",
        encoding="utf-8",
    )
    main(["check", str(path), "--format", "sarif", "-o", str(out), *TODAY])
    results = json.loads(out.read_text(encoding="utf-8"))["runs"][0]["results"]
    (accepted,) = [result for result in results if "suppressions" in result]
    (suppression,) = accepted["suppressions"]
    assert suppression["status"] == "accepted"
    assert suppression["justification"].startswith("a pilot; team <team@example.com> accepts a risk of 25")
    assert "SEC-1" in suppression["justification"]


def test_a_broken_model_is_told_and_the_others_are_there(tmp_path: Path) -> None:
    good, bad, out = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "out.sarif"
    good.write_text("name: Shop\nfunctions: {bot: {}}\n", encoding="utf-8")
    bad.write_text("name: [\n", encoding="utf-8")
    assert main(["check", str(bad), str(good), "--format", "sarif", "-o", str(out), *TODAY]) == 2
    (run,) = json.loads(out.read_text(encoding="utf-8"))["runs"]
    assert run["results"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "bad.yaml" in invocation["toolConfigurationNotifications"][0]["message"]["text"]


@pytest.mark.skipif(not SCHEMA, reason="needs the official schema: TM_SARIF_SCHEMA=sarif-schema-2.1.0.json")
def test_the_official_schema_holds(log: dict[str, Any]) -> None:
    schema = json.loads(Path(SCHEMA).read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema, jsonschema.Draft4Validator)
    assert [error.message for error in validator(schema).iter_errors(log)] == []
