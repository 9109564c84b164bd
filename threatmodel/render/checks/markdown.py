"""A check as Markdown: the summary of a step, or a comment, readable on a phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.assessment.gate.results import CheckResult
from threatmodel.render.checks.checked import Checked, Totals
from threatmodel.render.checks.lines import counts
from threatmodel.render.report.words import counted
from threatmodel.render.text import markdown

MOST = 20
"""Results of a model that are shown; the rest is counted."""


class Markdown:
    """The format: what fails, then warnings; the rest is counted."""

    between = ""

    def head(self) -> str:
        """Nothing: each model starts with its verdict."""
        return ""

    def model(self, checked: Checked) -> str:
        """One model's section."""
        return "".join(f"{line}\n" for line in _section(checked))

    def tail(self, totals: Totals) -> str:
        """The sums, where there are several models."""
        return f"{totals}\n" if totals.models > 1 else ""


def _section(checked: Checked) -> Iterator[str]:
    failing = checked.failing
    name = markdown(checked.name or checked.file)
    if checked.problems:
        yield from (f"### {name}: cannot be used", "")
        yield from (f"    {markdown_free(line)}" for line in checked.problems.strip().split("\n"))
        yield ""
        return
    verdict = f"{counted(len(failing), 'result')} {'fails' if len(failing) == 1 else 'fail'}" if failing else "passed"
    yield from (f"### {name}: {verdict}", "")
    yield from _listed([result for result in checked.results if result.fails])
    warned = [result for result in checked.results if result.warns and not result.fails]
    if warned:
        yield from ("Warnings:", "")
        yield from _listed(warned)
    if checked.reliances:
        yield from (f"Relies on: {markdown(checked.reliances[0])}.", "")
    yield from (f"{counts(checked)}.", "")


def markdown_free(line: str) -> str:
    """A line of an indented block, where no markup counts."""
    from threatmodel.reading.problems import visible

    return visible(line)


def _listed(results: Sequence[CheckResult]) -> Iterator[str]:
    for result in results[:MOST]:
        since = f" **{result.since}**" if result.since in {"new", "worse"} else ""
        yield f"- **{markdown(result.band or result.code)}**{since} {markdown(result.name)}: {markdown(result.message)}"
        do = f", {markdown(result.do)}" if result.do else ""
        yield f"  <br>{markdown(result.place.short)}{do}"
    if len(results) > MOST:
        yield f"- and {counted(len(results) - MOST, 'more result')}"
    if results:
        yield ""
