"""What is computed once for equal facts is what each element would get by itself."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.generate import mixed
from tests.support import HOME, assessed
from threatmodel.assessment.causes import raising
from threatmodel.assessment.ranking import distance, rank
from threatmodel.assessment.risk import weighed
from threatmodel.assessment.safety import gap, gaps
from threatmodel.library.load import load_library

LIBRARY = load_library(HOME / "threatlib")
TWO = "name: x\nfunctions:\n  one: {%s}\n  two: {%s}\n"


@pytest.mark.slow
@pytest.mark.parametrize("size", [7, 12])
def test_what_follows_from_facts_is_that_of_each_element(tmp_path: Path, size: int) -> None:
    assessment = assessed(tmp_path, mixed(size), LIBRARY)
    for finding in assessment.findings:
        found = weighed(finding.threat, finding.target.kind, finding.target.facts)
        assert finding.proof == found.proof
        assert finding.inherent == found.cell
        assert finding.applies == finding.threat.applies[finding.target.kind].truth(finding.target.facts)
    counts = dict.fromkeys(gaps(assessment), 0)
    for finding in assessment.findings:
        if (reason := gap(finding)) is not None:
            counts[reason] += 1
    assert gaps(assessment) == counts


@pytest.mark.slow
def test_the_findings_of_a_group_are_alike(tmp_path: Path) -> None:
    assessment = assessed(tmp_path, mixed(9), LIBRARY)
    assert sorted(one.id for group in assessment.groups for one in group.findings) == sorted(
        one.id for one in assessment.findings
    )
    for group in assessment.groups:
        assert list(group.findings) == sorted(group.findings, key=lambda one: one.id)
        assert {rank(one).unnamed for one in group.findings} == {rank(group.head).unnamed}
        assert {raising(one) for one in group.findings} == {raising(group.head)}
        assert {distance(one.target) for one in group.findings} == {distance(group.head.target)}


@pytest.mark.slow
def test_the_order_of_facts_plays_no_part(tmp_path: Path) -> None:
    facts = ["timeout_seconds: 3", "validates_input: true", "reserved_concurrency: null", "errors_generic: false"]
    order = random.Random(1).sample(facts, len(facts))
    texts = TWO % (", ".join(facts), ", ".join(order))
    found = assessed(tmp_path, texts, LIBRARY)
    one, two = (
        {(f.threat.id, f.verdict, f.claimed, f.proven) for f in found.findings if f.target.id == name}
        for name in ("one", "two")
    )
    assert one == two
