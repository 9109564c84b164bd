"""Cells, bands, and what effects do to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threatmodel.assessment.risk import Cell, band, residual, within
from threatmodel.library.entries import EFFECTS, ControlEffect

CELLS = st.builds(Cell, st.integers(1, 5), st.integers(1, 5))
EFFECT_LISTS = st.lists(st.sampled_from(EFFECTS), max_size=8)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (1, "low"),
        (5, "low"),
        (6, "medium"),
        (9, "medium"),
        (10, "high"),
        (16, "high"),
        (17, "critical"),
        (25, "critical"),
    ],
)
def test_band(score: int, expected: str) -> None:
    assert band(score) == expected


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ([], (5, 4)),
        (["stops"], (1, 4)),
        (["hinders"], (4, 4)),
        (["hinders"] * 2, (3, 4)),
        (["hinders"] * 3, (3, 4)),
        (["contains"], (5, 3)),
        (["contains"] * 3, (5, 2)),
        (["detects"], (5, 4)),
        (["responds"], (5, 4)),
        (["detects", "responds"], (5, 3)),
        (["detects", "detects", "responds", "responds"], (5, 3)),
        (["assures"] * 3, (5, 4)),
        (["contains", "detects", "responds"], (5, 2)),
        (["contains", "contains", "detects", "responds"], (5, 2)),
        (["stops", "contains", "contains"], (1, 2)),
    ],
)
def test_residual(effects: list[ControlEffect], expected: tuple[int, int]) -> None:
    assert residual(Cell(5, 4), effects) == expected


@pytest.mark.parametrize(
    ("start", "expected"), [((1, 1), (1, 1)), ((2, 2), (2, 2)), ((3, 3), (2, 2)), ((4, 5), (2, 3))]
)
def test_hinders_and_contains_stop_at_two(start: tuple[int, int], expected: tuple[int, int]) -> None:
    assert residual(Cell(*start), ["hinders", "hinders", "hinders", "contains", "contains"]) == expected


@given(CELLS, EFFECT_LISTS, st.sampled_from(EFFECTS))
def test_one_more_control_never_raises_a_risk(cell: Cell, effects: list[ControlEffect], more: ControlEffect) -> None:
    before, after = residual(cell, effects), residual(cell, [*effects, more])
    assert after.likelihood <= before.likelihood <= cell.likelihood
    assert after.impact <= before.impact <= cell.impact


@given(CELLS, EFFECT_LISTS)
def test_order_of_controls_does_not_matter(cell: Cell, effects: list[ControlEffect]) -> None:
    assert residual(cell, effects) == residual(cell, sorted(effects))


@pytest.mark.parametrize(("tolerance", "expected"), [("low", False), ("medium", True), ("high", True)])
def test_within(tolerance: str, expected: bool) -> None:
    assert within(Cell(2, 4), tolerance) is expected
