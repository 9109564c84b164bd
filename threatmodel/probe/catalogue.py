"""A saved result held against the probes that there are: what it lacks, and what no run of this version would say."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from threatmodel.model.longest import RESULT
from threatmodel.probe.cases import UNSHOWN, Case, load_cases
from threatmodel.probe.deciding import Row
from threatmodel.probe.outcome import FAILED, PASSED
from threatmodel.probe.result import Result

AGE = datetime.timedelta(days=RESULT)
"""How long a result is evidence.  The code may be the same for longer, but what surrounds it is not: AWS replaces the
runtime below a function (managed runtimes are patched without notice: docs.aws.amazon.com/lambda/latest/dg/
runtimes-update.html), and probes are added for what is found in handlers.  Two runs a year is what a reviewer of access
asks for too (NIST SP 800-53, AC-2 j, leaves the period to the organisation)."""
FIRST = datetime.date(2026, 11, 1)
"""Before this day there was no probe."""


def doubts(result: Result, now: datetime.datetime | None, version: str, age: datetime.timedelta = AGE) -> Iterator[str]:
    """Why a result is no run of these probes, or one from too long ago; none where it may be one."""
    if result.version != version:
        yield f"it is of version {result.version[:20]}, this is {version}"
        return
    yield from _dated(result, now, age)
    cases = {case.id: case for case in load_cases()}
    rows = {row.probe: row for row in result.rows}
    if missing := [name for name in cases if name not in rows]:
        yield f"it lacks {len(missing)} of {len(cases)} probes: {', '.join(missing[:3])}"
    if unknown := [name for name in rows if name not in cases]:
        yield f"it has probes that there are not: {', '.join(unknown[:3])}"
    if wrong := [name for name, row in rows.items() if name in cases and not _fits(row, cases[name])]:
        yield f"no run says this of {', '.join(wrong[:3])}"
    genuine = rows.get("genuine")
    if (genuine is None or genuine.outcome != PASSED) and any(value is True for value in result.decided.values()):
        yield "its genuine request was refused, and something is proven all the same"


def _dated(result: Result, now: datetime.datetime | None, age: datetime.timedelta) -> Iterator[str]:
    if result.when.date() < FIRST:
        yield f"it is dated {result.when:%Y-%m-%d}, when there was no probe"
    if now is None:
        return
    if result.when > now + datetime.timedelta(days=1):
        yield f"it is dated {result.when:%Y-%m-%d}, which is still to come"
    elif now - result.when > age:
        yield f"it is {(now - result.when).days} days old; evidence is so for {age.days}"


def _fits(row: Row, case: Case) -> bool:
    """Whether a row is what this probe may say: its own level and facts, and of each what its outcome shows."""
    if (row.level, row.title, row.failure, row.bears_on) != (case.level, case.title, case.failure, tuple(case.decides)):
        return False
    for fact, shows in case.decides.items():
        possible = {PASSED: {shows.passed}, FAILED: {shows.failed, shows.late}}.get(row.outcome, {UNSHOWN})
        if row.outcome == FAILED:
            possible |= {send.shows for send in case.send}
        if row.shows.get(fact, UNSHOWN) not in possible:
            return False
    return True
