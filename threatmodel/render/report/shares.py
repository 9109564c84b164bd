"""The bar of the full report: how many findings are above the accepted level, undetermined, or within it and why."""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.priorities import Summary
from threatmodel.render.report.method import untreated
from threatmodel.render.report.words import Row

_WIDTH = 1000
"""Width of the bar in its own units."""


def shares(assessment: Assessment, counts: Summary) -> list[Row]:
    """Return the shares of the bar, each with its number of findings, where it begins and how wide it is."""
    verdicts = counts.verdicts
    before = sum(untreated(finding, assessment) for finding in assessment.findings)
    found = [
        ("above", "above the accepted level", verdicts["open"] + verdicts["reduced"]),
        ("undetermined", "undetermined", verdicts["undetermined"]),
        ("claimed", "within it as claimed only", verdicts["unproven"]),
        ("accepted", "accepted by an owner", verdicts["accepted"]),
        ("provider", "for the provider to treat", verdicts["transferred"]),
        ("proven", "within it as proven", verdicts["mitigated"] - before),
        ("before", "within it before controls", before),
    ]
    return _drawn([(name, text, number) for name, text, number in found if number])


def _drawn(found: Sequence[tuple[str, str, int]]) -> list[Row]:
    total = sum(number for _, _, number in found) or 1
    rows: list[Row] = []
    start = taken = 0
    for name, text, number in found:
        taken += number
        end = round(taken * _WIDTH / total)
        rows.append(
            {"name": name, "text": text, "number": number, "shown": f"{number:,}", "start": start, "width": end - start}
        )
        start = end
    return rows
