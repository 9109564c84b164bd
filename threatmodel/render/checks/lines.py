"""A check as lines, one for each result, for searching and for editors."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.assessment.gate.results import CheckResult
from threatmodel.reading.problems import visible
from threatmodel.render.checks.checked import Checked, Totals
from threatmodel.render.report.words import counted


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
    warned = [result for result in checked.results if result.warns and not result.fails]
    yield from (visible(f"{result.place}: {result.code}: {_said(result)}") for result in failing)
    yield from (visible(f"{result.place}: warning: {result.code}: {_said(result)}") for result in warned)
    yield counts(checked)
    yield from reliances(checked)
    known = sum(result.since == "known" for result in checked.results)
    if checked.baseline:
        yield visible(f"baseline {checked.baseline}: {known} known")
    yield (
        f"{counted(len(failing), 'result')} {'fails' if len(failing) == 1 else 'fail'} this check"
        if failing
        else "no result fails this check"
    )


def _said(result: CheckResult) -> str:
    since = f" [{result.since}]" if result.since in {"new", "worse"} else ""
    return f"{result.name}: {result.message}{since}"


def counts(checked: Checked) -> str:
    """Return how many findings there are, by verdict."""
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in checked.verdicts.items())
    possible = f", of which {checked.possible:,} may not apply" if checked.possible else ""
    return f"{counted(checked.findings, 'finding')}{possible}: {verdicts or 'none'}"


def reliances(checked: Checked) -> Iterator[str]:
    """Yield what the assessment relies on: the counts, and the lines."""
    if checked.reliances:
        yield f"relies on: {checked.reliances[0]}"
        yield from (f"  {line}" for line in checked.reliances[1:])
