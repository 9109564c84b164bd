"""`tm.py export`: findings, actions and questions as CSV that a spreadsheet reads and never runs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import yaml

from tests.assessment.paths.samples import SAMPLES, changed
from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.render.text import csv_cell

DAY = ["--today", "2026-11-25"]
BARE = str(HOME / "tests" / "models" / "bare.yaml")
Printed = pytest.CaptureFixture[str]


def rows(capsys: Printed, *arguments: str) -> list[dict[str, str]]:
    assert main(["export", *arguments, *DAY]) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_findings_are_those_of_the_report_in_its_order(capsys: Printed) -> None:
    from threatmodel import assess, load_library, load_model

    model = load_model(BARE)
    found = rows(capsys, "findings", "-m", BARE)
    expected = assess(model, load_library(model)).findings
    assert [row["finding"] for row in found] == [finding.id for finding in expected]
    first = next(row for row in found if row["finding"] == "slack-request-forgery@order-bot")
    assert first["before controls"] == "critical"
    assert "slack-request-signing (unknown)" in first["missing controls"]
    assert "CWE-345" in first["standards"]


def test_actions_and_questions_have_an_owner_and_what_they_affect(tmp_path: Path, capsys: Printed) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(changed(SAMPLES["forged-commands"].changes), encoding="utf-8")
    first = rows(capsys, "actions", "-m", str(path))[0]
    assert first["number"] == "1"
    assert first["owner"] == "payments"
    assert first["location"]
    asked = rows(capsys, "questions", "-m", BARE)
    assert all(int(row["affected findings"]) > 0 for row in asked if row["facts"])


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t=", " =", "\r@", "\uff1d", "\n+"])
def test_no_cell_is_a_formula(begins: str, tmp_path: Path, capsys: Printed) -> None:
    assert csv_cell(f"{begins}1+1").startswith("'")
    model = yaml.safe_load(changed(SAMPLES["forged-commands"].changes))
    model["owner"] = f"{begins}cmd|' /C calc'!A0;=1+1"
    path = tmp_path / "model.yaml"
    path.write_text(yaml.safe_dump(model), encoding="utf-8")
    for what in ("findings", "actions", "questions"):
        for row in rows(capsys, what, "-m", str(path)):
            assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d")) for cell in row.values())


def test_a_picture_is_no_sheet(capsys: Printed) -> None:
    assert main(["export", "findings", "-m", BARE, "-o", "x.png"]) == 2
    assert "unknown-format" in capsys.readouterr().err
