"""Each way to get an installation wrong fails the probes that are there to see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probe.faults import BESIDE, INSTALLING, INSTALLING_FAULTS, Fault, asked, check_fault

pytestmark = pytest.mark.slow

EVERY = pytest.mark.parametrize("fault", INSTALLING_FAULTS, ids=lambda fault: fault["id"])


@EVERY
def test_fault_is_seen_by_its_probes(fault: Fault, tmp_path: Path) -> None:
    check_fault(INSTALLING, fault, tmp_path, asked(BESIDE | set(fault["fails"])))


@pytest.mark.long
@EVERY
def test_fault_is_seen_by_no_other(fault: Fault, tmp_path: Path) -> None:
    check_fault(INSTALLING, fault, tmp_path)
