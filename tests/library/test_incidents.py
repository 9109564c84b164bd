"""Published incidents as small models: each is reported, and not called low by what would not have helped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import HOME, assessed
from threatmodel.assessment.assessed import Finding
from threatmodel.assessment.risk import MOVES, STRICTEST
from threatmodel.library.load import load_library

INCIDENTS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("incidents.yaml").read_text("utf-8"))
LIBRARY = load_library(HOME / "threatlib")


def finding_of(folder: Path, incident: dict[str, Any]) -> Finding:
    model = "name: incident\n" + incident["model"]
    if "functions:" not in model:
        model += "functions: {bot: {triggers: []}}\n"
    found = {finding.id: finding for finding in assessed(folder, model, LIBRARY).applying}
    assert incident["reports"] in found
    return found[incident["reports"]]


def test_there_are_at_least_twenty_from_every_year() -> None:
    assert len({incident["id"] for incident in INCIDENTS}) == len(INCIDENTS) >= 20
    assert {incident["year"] for incident in INCIDENTS} == set(range(2020, 2027))
    assert all(incident["source"].startswith("https://") for incident in INCIDENTS)


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident["id"])
def test_an_incident_is_reported_and_not_low(tmp_path: Path, incident: dict[str, Any]) -> None:
    finding = finding_of(tmp_path, incident)
    assert finding.claimed.band != STRICTEST
    assert finding.proven.band != STRICTEST


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident["id"])
def test_the_control_that_would_have_helped_is_missing(tmp_path: Path, incident: dict[str, Any]) -> None:
    finding = finding_of(tmp_path, incident)
    (answer,) = [one for one in finding.answers if one.link.control == incident["helps"]]
    assert answer.link.effect in MOVES
    assert answer.is_missing
