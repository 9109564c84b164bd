"""This toolkit's own threat model: it passes its own check, and what it calls in place is held by tests that exist."""

from __future__ import annotations

import ast
import datetime
import re
from pathlib import Path

import pytest

from tests.support import HOME
from threatmodel import assess, load_library, load_model
from threatmodel.assessment.assessed import Assessment
from threatmodel.command.main import main

MODEL = HOME / "models" / "threatmodel-tool.yaml"
BASELINE = HOME / "models" / "threatmodel-tool.baseline.json"
LAYER = HOME / "models" / "threatmodel-tool"
TODAY = datetime.date(2026, 11, 25)
EACH_TEAM_S_OWN = {"policy-from-outside"}
"""Controls that this repository cannot have: whoever uses the tool can."""


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    graph = load_model(MODEL, today=TODAY)
    return assess(graph, load_library(graph), today=TODAY)


def test_it_passes_its_own_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(MODEL), "--today", str(TODAY)]) == 0, capsys.readouterr().out


def test_each_control_of_its_own_names_the_tests_that_hold_it(assessment: Assessment) -> None:
    own = {path.stem for path in LAYER.glob("controls/*/*.yaml")}
    said = [one for one in assessment.graph.system.controls if one.control in own]
    assert {one.control for one in said} == own - EACH_TEAM_S_OWN
    for one in said:
        named = re.findall(r"tests/[\w/]+\.py", one.note)
        assert named, one.control
        assert not [name for name in named if not (HOME / name).is_file()], one.control


NETWORK = {"http", "socket", "ssl", "urllib", "ftplib", "smtplib", "requests", "httpx", "aiohttp", "boto3"}
"""Packages that can send a request; of urllib, only the parser of addresses cannot."""


def test_only_the_probe_of_an_address_can_send_a_request() -> None:
    """What the control address-typed-by-user says of the code."""
    found = set()
    for path in (HOME / "threatmodel").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if any(name.partition(".")[0] in NETWORK and name != "urllib.parse" for name in names):
                found.add(path.relative_to(HOME / "threatmodel").as_posix())
    assert {one for one in found if not one.startswith(("probe/runners/", "probe/inside/"))} == set()


def test_it_passes_its_own_check_against_its_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["check", str(MODEL), "--baseline", str(BASELINE), "--today", str(TODAY)]
    assert main(arguments) == 0, capsys.readouterr().out


def test_ci_checks_it_with_that_baseline() -> None:
    text = (HOME / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert f"check models/{MODEL.name} --baseline models/{BASELINE.name}" in text


def test_every_threat_of_its_own_is_found_and_answered_or_accepted(assessment: Assessment) -> None:
    own = {path.stem for path in LAYER.glob("threats/*/*.yaml")}
    found = [finding for finding in assessment.applying if finding.threat.id in own]
    assert {finding.threat.id for finding in found} == own
    assert {finding.verdict for finding in found} <= {"mitigated", "accepted", "reduced"}
    assert {f.id for f in found if f.verdict == "accepted"} == {
        "evidence-made-up@gate",
        "gate-talked-into-yes@gate",
        "risk-shown-as-none@gate",
    }


def test_a_clone_keeps_its_default_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed tool that stands in a clone finds the model that the clone's own finds."""
    from threatmodel.model.search import found_model
    from threatmodel.reading.files import Files

    monkeypatch.chdir(HOME / "docs")
    assert found_model(Files(), Path.cwd()) == Path("../models/slack-lambda.yaml")
