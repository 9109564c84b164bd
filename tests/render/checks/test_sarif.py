"""SARIF as GitHub takes it in: its demands, held by hand, and the official schema where it is at hand."""

from __future__ import annotations

import gzip
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.render.checks.test_forms import BROKEN, CHECKED, ROLE, written
from tests.support import HOME
from threatmodel.assessment.gate.risks import MOST_RELATED
from threatmodel.command.main import main
from threatmodel.library.load import load_library
from threatmodel.render.checks.checked import KINDS, Totals, outcome, rule_text
from threatmodel.render.checks.sarif import Sarif

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


def test_what_fails_the_job_has_the_kind_fail_and_the_level_of_its_band() -> None:
    log = written(Sarif(), replace(CHECKED, results=(ROLE, replace(ROLE, unsure=True))))
    assert [(one["kind"], one["level"]) for one in json.loads(log)["runs"][0]["results"]] == [("fail", "error")] * 2
    medium = replace(ROLE, band="medium", fails=True)
    log = written(Sarif(), replace(CHECKED, results=(medium,)))
    assert json.loads(log)["runs"][0]["results"][0]["level"] == "warning"


def test_an_open_question_that_fails_nothing_is_open_and_has_no_level() -> None:
    log = written(Sarif(), replace(CHECKED, results=(replace(ROLE, fails=False, unsure=True),)))
    assert [(one["kind"], one["level"]) for one in json.loads(log)["runs"][0]["results"]] == [("open", "none")]


@pytest.mark.slow
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
        "  outdated-runtime@bot: {risk: 25, reason: a pilot, owner: team, expires: 2027-01-01, ticket: SEC-1}\n",
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


# --- what GitHub has room for


def many(form: Sarif, count: int, times: int = 1) -> dict[str, Any]:
    """The log of some models with so many results each, every third of which fails, scores from 1 to 25."""
    totals = Totals()
    for _ in range(times):
        results = tuple(
            replace(ROLE, name=f"over-privileged-role@f{n}", element=f"f{n}", score=n % 25 + 1, fails=n % 3 == 0)
            for n in range(count)
        )
        one = outcome(replace(CHECKED, results=results), [form])
        totals.add(one)
        form.kept(one.pieces[0])
    found: dict[str, Any] = json.loads(form.start + form.tail(totals))
    return found


def told(log: dict[str, Any]) -> list[str]:
    (run,) = log["runs"]
    return [one["message"]["text"] for one in run["invocations"][0]["toolConfigurationNotifications"]]


def test_the_worst_stay_and_the_run_says_what_is_left_out() -> None:
    form = Sarif(results=7)
    found = many(form, 20, times=2)
    (run,) = found["runs"]
    fails = sorted((n % 25 + 1 for n in range(0, 20, 3)), reverse=True)
    assert [one["properties"]["score"] for one in run["results"]] == sorted([*fails, *fails], reverse=True)[:7]
    assert {one["level"] for one in run["results"]} == {"error"}
    (text,) = told(found)
    assert text.startswith("SARIF: the 7 worst of 40 results; 33 are left out, 7 of which fail. GitHub takes 25,000")
    assert form.left_out() == text


def test_at_the_limit_nothing_is_left_out() -> None:
    form = Sarif(results=20)
    assert len(many(form, 20)["runs"][0]["results"]) == 20
    assert form.left_out() == ""


def test_a_file_is_no_larger_than_github_takes() -> None:
    size = 20_000
    whole, cut = Sarif(), Sarif(size=size)
    text = json.dumps(many(whole, 3_000))
    assert len(gzip.compress(text.encode())) > size
    found = many(cut, 3_000)
    assert len(gzip.compress(json.dumps(found).encode())) <= size
    kept = len(found["runs"][0]["results"])
    assert 100 <= kept < 3_000
    assert f"the {kept:,} worst of 3,000 results; {3_000 - kept:,} are left out" in told(found)[0]


def test_the_limits_hold_for_what_the_library_can_make() -> None:
    library = load_library(HOME / "threatlib")
    rules = [rule_text(name, library) for name in [*library.threats, *KINDS]]
    assert len(rules) < 25_000
    assert all(len(rule.tags) <= 10 and len(rule.title) <= 1_024 for rule in rules)
    assert MOST_RELATED < 100


# --- the official schema


@pytest.mark.skipif(
    not SCHEMA, reason="the official schema is OASIS's and not part of this repository: TM_SARIF_SCHEMA=FILE names it"
)
@pytest.mark.parametrize("which", ["the default model", "broken and well", "more than there is room for", "nothing"])
def test_the_official_schema_holds(which: str, log: dict[str, Any]) -> None:
    schema = json.loads(Path(SCHEMA).read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema, jsonschema.Draft4Validator)
    found = {
        "the default model": log,
        "broken and well": json.loads(written(Sarif(), CHECKED, BROKEN)),
        "more than there is room for": many(Sarif(results=3), 5),
        "nothing": json.loads(written(Sarif())),
    }
    assert [error.message for error in validator(schema).iter_errors(found[which])] == []
