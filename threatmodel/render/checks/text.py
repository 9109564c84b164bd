"""A check as text: for a terminal, as a line for each result, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.assessment.gate.results import CheckResult
from threatmodel.reading.problems import listed, visible
from threatmodel.render.checks.checked import Checked, Form, Totals
from threatmodel.render.checks.failing import CheckRow
from threatmodel.render.plain import SAFE
from threatmodel.render.report.words import counted
from threatmodel.render.text import markdown, wrapped


class Lines(Form):
    """The form."""

    def model(self, checked: Checked) -> str:
        """What fails and what is warned of, then the counts."""
        if checked.problems:
            return ""  # what is wrong with it goes to standard error
        return "".join(f"{line}\n" for line in _lines(checked))


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


MOST = 20
"""Results of a model that are shown; the rest is counted."""


class Markdown(Form):
    """The format: what fails, then warnings; the rest is counted."""

    def model(self, checked: Checked) -> str:
        """One model's section."""
        return "".join(f"{line}\n" for line in _section(checked))


def _section(checked: Checked) -> Iterator[str]:
    failing = checked.failing
    name = markdown(checked.name or checked.file)
    if checked.problems:
        yield from (f"### {name}: cannot be used", "")
        yield from (f"    {visible(line)}" for line in checked.problems.strip().split("\n"))
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


NARROWEST, USUAL = 40, 80
_COLORS = {"critical": "1;31", "high": "31", "medium": "33", "low": "36", "good": "32", "bold": "1", "faint": "2"}
_MOST_WARNINGS = 10
_MOST_NAMED = 3
"""Elements that a line names."""


class TerminalForm(Form):
    """The format, for a width and with or without color; `quiet`: only what fails."""

    between = "\n"

    def __init__(self, width: int = USUAL, *, color: bool = False, quiet: bool = False) -> None:
        self._width = max(width, NARROWEST)
        self._color = color
        self._quiet = quiet

    def model(self, checked: Checked) -> str:
        """One model."""
        if checked.problems or (self._quiet and not checked.failing):
            return ""  # what is wrong with it goes to standard error
        return "".join(f"{line.rstrip()}\n" for line in self._lines(checked))

    def tail(self, totals: Totals) -> str:
        """The sums, where there are several models."""
        return f"\n{totals}\n" if totals.models > 1 and not (self._quiet and not totals.code) else ""

    def _lines(self, checked: Checked) -> Iterator[str]:
        failing_issues = checked.failing_issues
        if failing_issues is not None:
            name = f"{checked.name} ({checked.file})"
            yield from (self._in("faint", line) for line in self._wrapped(name, ""))
            yield self._in(
                "good" if failing_issues.answer == SAFE["within-as-proven"] else "bold", failing_issues.answer.upper()
            )
            yield from self._wrapped(failing_issues.headline, "")
            yield from (line for row in failing_issues.rows for line in self._row(row))
        if not self._quiet:
            yield from self._warnings(checked)
            yield from self._reliances(checked)
        yield from self._end(checked)

    def _headed(self, head: str, text: str, long: int) -> Iterator[str]:
        """A head with the text behind it if it fits, else on the lines below."""
        if long + 2 + len(text) <= self._width:
            yield f"{head}  {text}"
        else:
            yield head
            yield from self._wrapped(text, "  ")

    def _row(self, row: CheckRow) -> Iterator[str]:
        yield ""
        band = row.band if row.sure else f"{row.band}?"
        since = f" [{row.since}]" if row.since else ""
        head = visible(f"{listed(row.elements, _MOST_NAMED, 'element') if row.elements else ''}{since}")
        mark = self._in(row.band, band)
        indent = " " * 9
        text = visible(f"{head}  {row.title} ({counted(row.findings, 'finding')})".strip() if row.title else head)
        lines = wrapped(text, self._width - 10) or [""]
        pad = " " * max(1, 10 - len(band))
        if len(band) > len(indent):  # a kind of failure, not a band: its own words
            yield mark
            yield from (f"{indent} {line}" for line in lines)
        else:
            yield f"{mark}{pad}{lines[0]}"
            yield from (f"{indent} {line}" for line in lines[1:])
        shown = row.cause if row.place is None else f"{row.place.short}  {row.cause}"
        for line in shown.splitlines():
            yield from self._wrapped(line, f"{indent} ")
        if row.do:
            yield from self._wrapped(f"do: {row.do}", f"{indent} ")

    def _warnings(self, checked: Checked) -> Iterator[str]:
        warned = [result for result in checked.results if result.warns and not result.fails]
        if warned:
            yield ""
            yield self._in("bold", "Warnings")
        for result in warned[:_MOST_WARNINGS]:
            yield from self._wrapped(f"{result.place.short}  {result.name}: {result.message}", "  ")
        if len(warned) > _MOST_WARNINGS:
            yield f"  and {counted(len(warned) - _MOST_WARNINGS, 'more warning')}; -v lists all"

    def _reliances(self, checked: Checked) -> Iterator[str]:
        if checked.reliances:
            yield ""
            yield from self._headed(self._in("bold", "Relies on"), checked.reliances[0], 9)
            for line in checked.reliances[1:]:
                yield from self._wrapped(line, "  ")

    def _end(self, checked: Checked) -> Iterator[str]:
        failing = checked.failing
        yield ""
        if checked.baseline:
            known = sum(result.since == "known" for result in checked.results)
            yield from self._wrapped(f"baseline {checked.baseline}: {known} known", "")
        if not failing:
            yield self._in("good", "No result fails this check.")
            return
        count = f"{len(failing):,} {'result fails' if len(failing) == 1 else 'results fail'} this check"
        yield from self._wrapped(f"{count}; -v lists each on a line", "")

    def _wrapped(self, text: str, indent: str) -> list[str]:
        return wrapped(text, self._width, indent, indent, cut=False)

    def _in(self, color: str, text: str) -> str:
        return f"\x1b[{_COLORS[color]}m{text}\x1b[0m" if self._color and color in _COLORS else text
