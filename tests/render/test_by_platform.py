"""What the platform mitigates in nearly every system is named once, in a table; what needs work stays a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import HOME, assessed
from threatmodel.assessment.assessed import Assessment
from threatmodel.library.load import load_library
from threatmodel.library.platform import load_platform
from threatmodel.render.report.report import report

LIBRARY = load_library(HOME / "threatlib")
ROWS = load_platform(HOME / "threatlib")
MODEL = """\
name: x
data: {order: {classification: internal}}
stores: {files: {kind: s3, holds: [order], writable_by_public: false, open_to_public: PUBLIC}}
functions: {bot: {triggers: [], reads: [files]}}
"""


def of(folder: Path, public: str) -> Assessment:
    return assessed(folder, MODEL.replace("PUBLIC", public), LIBRARY)


def parts(text: str) -> tuple[str, str]:
    """The findings of a full report, and its table of what the platform mitigates."""
    findings, _, rest = text.partition("### Mitigated by the platform\n")
    return findings, rest.partition("\n### ")[0]


def test_each_threat_of_the_table_is_in_the_library_and_there_once() -> None:
    named = [name for row in ROWS for name in row.threats]
    assert len(named) == len({*named})
    assert {*named} <= LIBRARY.threats.keys()


def test_what_is_mitigated_is_named_in_the_table_only(tmp_path: Path) -> None:
    findings, table = parts(report(of(tmp_path, "false"), "full.md"))
    title = LIBRARY.threats["public-store-read"].title
    assert f"#### {title}" not in findings
    assert '<a id="threat-public-store-read"></a>`public-store-read`: 1 unproven' in table


@pytest.mark.parametrize("form", ["full.md", "full"])
def test_a_finding_that_needs_work_stays_among_the_findings(tmp_path: Path, form: str) -> None:
    text = report(of(tmp_path, "true"), form)
    assert text.count('id="threat-public-store-read"') == 1
    assert text.count('id="threat-public-store-write"') == 1
    if form == "full.md":
        findings, table = parts(text)
        assert f"#### {LIBRARY.threats['public-store-read'].title}" in findings
        assert "[public-store-read](#threat-public-store-read): 1 open" in table


def test_what_is_unknown_is_no_mitigation(tmp_path: Path) -> None:
    model = "name: x\nfunctions: {bot: {}}\n"
    _, table = parts(report(assessed(tmp_path, model, LIBRARY), "full.md"))
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(ROWS)
    assert all("mitigated" not in row.rpartition(" | ")[2] for row in rows)
    assert any(row.endswith("| undetermined, see the questions |") for row in rows)
