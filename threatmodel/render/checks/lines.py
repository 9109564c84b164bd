"""A check as lines, one a result: for people who search, and for editors that jump to a place."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.assessment.gate.results import CheckResult
from threatmodel.reading.problems import visible
from threatmodel.render.checks.checked import Checked, Totals


class Lines:
    """The form."""

    between = ""

    def head(self) -> str:
        """Nothing."""
        return ""

    def model(self, checked: Checked) -> str:
        """What fails and what is warned of, then the counts."""
        if checked.problems:
            return ""  # what is wrong with it goes to standard error
        return "".join(f"{line}\n" for line in _lines(checked))

    def tail(self, totals: Totals) -> str:
        """The sums, where there are several models."""
        return f"{totals}\n" if totals.models > 1 else ""


def _lines(checked: Checked) -> Iterator[str]:
    failing = checked.failing
    told = [result for result in checked.results if result.warns and not result.fails]
    yield from (visible(f"{result.place}: {result.code}: {_said(result)}") for result in failing)
    yield from (visible(f"{result.place}: warning: {result.code}: {_said(result)}") for result in told)
    yield counts(checked)
    yield from reliances(checked)
    known = sum(result.since == "known" for result in checked.results)
    if checked.baseline:
        yield visible(f"baseline {checked.baseline}: {known} known")
    yield f"{len(failing)} of them fail this check" if failing else "nothing fails this check"


def _said(result: CheckResult) -> str:
    since = f" [{result.since}]" if result.since in {"new", "worse"} else ""
    return f"{result.name}: {result.message}{since}"


def counts(checked: Checked) -> str:
    """How many findings there are, by verdict."""
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in checked.verdicts.items())
    return f"{checked.findings:,} findings, of which {checked.possible:,} may not apply: {verdicts or 'none'}"


def reliances(checked: Checked) -> Iterator[str]:
    """Yield what the assessment relies on: the counts, and the lines."""
    if checked.reliances:
        yield f"relies on: {checked.reliances[0]}"
        yield from (f"  {line}" for line in checked.reliances[1:])
