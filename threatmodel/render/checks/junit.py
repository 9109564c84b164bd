"""A check as JUnit XML: a suite for each model, a case for each result."""

from __future__ import annotations

from threatmodel.assessment.gate.results import CheckResult
from threatmodel.render.checks.checked import Checked, Totals
from threatmodel.render.text import html


class JUnit:
    """The format: what fails is a failure, an accepted risk a skipped case, a model that cannot be used an error."""

    between = ""

    def head(self) -> str:
        """The start of the suites."""
        return '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="tm check">\n'

    def model(self, checked: Checked) -> str:
        """One suite."""
        name = html(f"{checked.name} ({checked.file})" if checked.name else checked.file)
        if checked.problems:
            text = "\n".join(html(line) for line in checked.problems.strip().split("\n"))
            case = f'<testcase classname="{name}" name="cannot be used"><error message="cannot be used">{text}</error>'
            return f'<testsuite name="{name}" tests="1" errors="1">\n{case}</testcase>\n</testsuite>\n'
        cases = [_case(result, name) for result in checked.results]
        if not cases:
            cases = [f'<testcase classname="{name}" name="nothing fails"/>\n']
        skipped = sum(bool(result.accepted) for result in checked.results)
        counts = f'tests="{len(cases)}" failures="{len(checked.failing)}" errors="0" skipped="{skipped}"'
        return f'<testsuite name="{name}" {counts}>\n{"".join(cases)}</testsuite>\n'

    def tail(self, _totals: Totals) -> str:
        """The end of the suites."""
        return "</testsuites>\n"


def _case(result: CheckResult, suite: str) -> str:
    place = f'file="{html(result.place.file)}" line="{result.place.line or 1}"'
    head = f'<testcase classname="{suite}" name="{html(f"{result.code}: {result.name}")}" {place}'
    if result.accepted:
        return f'{head}><skipped message="{html(result.accepted)}"/></testcase>\n'
    if not result.fails:
        return f"{head}><system-out>{html(result.message)}</system-out></testcase>\n"
    message = html(result.message)
    text = f"{html(str(result.place))}: {message}" + (f"; {html(result.do)}" if result.do else "")
    return f'{head}><failure type="{html(result.code)}" message="{message}">{text}</failure></testcase>\n'
