"""A check as workflow commands of GitHub Actions: annotations at the lines of a pull request."""

from __future__ import annotations

from threatmodel.assessment.gate.results import CheckResult
from threatmodel.reading.problems import visible
from threatmodel.render.checks.checked import Checked, Totals, level
from threatmodel.render.checks.places import span

_WORDS = {"error": "error", "warning": "warning", "note": "notice"}


class GitHub:
    """The format: what fails, and warnings; GitHub shows ten errors and ten warnings of a step."""

    between = ""

    def head(self) -> str:
        """Nothing."""
        return ""

    def model(self, checked: Checked) -> str:
        """An annotation a result."""
        if checked.problems:
            said = _data(checked.problems.strip())
            return f"::error title=The model cannot be used,file={_property(checked.file)}::{said}\n"
        shown = [result for result in checked.results if result.fails or result.warns]
        return "".join(_annotation(result, checked) for result in shown)

    def tail(self, totals: Totals) -> str:
        """The sums, as plain text of the log."""
        return f"{totals}\n"


def _annotation(result: CheckResult, checked: Checked) -> str:
    at = span(result.place, checked)
    where = f"file={_property(at.path)},line={at.line},endLine={at.line},col={at.column},endColumn={at.end}"
    said = f"{result.message}; {result.do}" if result.do else result.message
    title = _property(f"{result.code}: {result.name}")
    return f"::{_WORDS[level(result)]} {where},title={title}::{_data(visible(said))}\n"


def _data(text: str) -> str:
    """Text after the last colons, where no line may end."""
    lines = "\n".join(visible(line) for line in text.split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Text of a property, which ends at a colon or a comma."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
