"""A threat's numbers for an element: what raises and lowers them, claimed and proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import assessed, evidence, library_of, only, threat
from threatmodel.assessment.assessed import Finding
from threatmodel.assessment.risk import Cell
from threatmodel.graph.building import Evidence

MODEL = "name: x\napis: {api: {kind: http}}\nfunctions: {bot: {triggers: [{slack: events}], calls: []"
RAISES = "raises: [{if: target.role_can_escalate, impact: 5, because: it leads to everything}]"
LOWERS = "lowers: [{if: target.in_vpc, likelihood: 2, because: few get there}]"
EXAMPLES = "[{role_can_escalate: true, in_vpc: true}, {role_can_escalate: false, in_vpc: false}]"


def finding(folder: Path, extra: str, facts: str = "", found: Evidence | None = None) -> Finding:
    name, text = threat("theft", "{}", applies="true", likelihood=4, impact=3, extra=f"treated_by: provider\n{extra}")
    text = text.replace("examples: {applies: [{}]}", f"examples: {{applies: {EXAMPLES}}}")
    return only(assessed(folder, f"{MODEL}{facts}}}}}\n", library_of(folder, (name, text)), found))


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("facts", "inherent", "proven"),
    [
        ("", Cell(4, 3), Cell(4, 5)),
        (", role_can_escalate: true", Cell(4, 5), Cell(4, 5)),
        (", role_can_escalate: false", Cell(4, 3), Cell(4, 5)),
    ],
)
def test_a_raise_counts_where_it_holds_and_is_disproven_by_evidence_alone(
    tmp_path: Path, facts: str, inherent: Cell, proven: Cell
) -> None:
    one = finding(tmp_path, RAISES, facts)
    assert (one.inherent, one.proven) == (inherent, proven)
    assert one.rated == (("raised: it leads to everything",) if inherent.impact > 3 else ())


def test_evidence_keeps_a_raise_away(tmp_path: Path) -> None:
    one = finding(tmp_path, RAISES, found=evidence(bot={"role_can_escalate": False}))
    assert one.proven == Cell(4, 3)


def test_word_lowers_what_is_claimed_and_nothing_proven(tmp_path: Path) -> None:
    one = finding(tmp_path, LOWERS, ", in_vpc: true")
    assert (one.inherent, one.proven, one.rated) == (Cell(2, 3), Cell(4, 3), ("lowered: few get there",))


def test_evidence_lowers_both(tmp_path: Path) -> None:
    one = finding(tmp_path, LOWERS, found=evidence(bot={"in_vpc": True}))
    assert (one.inherent, one.proven) == (Cell(2, 3), Cell(2, 3))


def test_unknown_lowers_nothing(tmp_path: Path) -> None:
    assert finding(tmp_path, LOWERS).inherent == Cell(4, 3)


def test_what_raises_wins(tmp_path: Path) -> None:
    lowers = LOWERS.replace("likelihood: 2", "impact: 1")
    assert finding(tmp_path, f"{RAISES}\n{lowers}", ", role_can_escalate: true, in_vpc: true").inherent == Cell(4, 5)
