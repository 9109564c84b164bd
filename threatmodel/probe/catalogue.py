"""A saved result held against the probes that there are: what it lacks, and what no run of this version would say."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence

from threatmodel.model.longest import RESULT
from threatmodel.probe.cases import METHODS, UNSHOWN, Case, Send, load_cases
from threatmodel.probe.deciding import Row
from threatmodel.probe.events import ALB_SEVERAL, DIRECT, SHAPES
from threatmodel.probe.kinds import KINDS
from threatmodel.probe.outcome_names import FAILED, PASSED
from threatmodel.probe.result import Result
from threatmodel.probe.wording import in_words
from threatmodel.reading.problems import quoted

AGE = datetime.timedelta(days=RESULT)
"""How long a result is evidence.  The code may be the same for longer, but what surrounds it is not: AWS replaces the
runtime below a function (managed runtimes are patched without notice: docs.aws.amazon.com/lambda/latest/dg/
runtimes-update.html), and probes are added for what is found in handlers.  Two runs a year is what a reviewer of access
asks for too (NIST SP 800-53, AC-2 j, leaves the period to the organization)."""
FIRST = datetime.date(2026, 11, 1)
"""Before this day there was no probe."""


def doubts(result: Result, now: datetime.datetime | None, version: str, age: datetime.timedelta = AGE) -> Iterator[str]:
    """Why a result is no run of these probes, or one from too long ago; none where it may be one."""
    if result.version != version:
        yield f"it was made by version {result.version[:20]}, but this is version {version}"
        return
    yield from _dated(result, now, age)
    cases = {case.id: case for case in load_cases()}
    rows = {row.probe: row for row in result.rows}
    if missing := [name for name in cases if name not in rows]:
        yield f"it lacks {len(missing)} of {len(cases)} probes: {', '.join(missing[:3])} (probe again)"
    if unknown := [name for name in rows if name not in cases]:
        yield f"it has unknown probes: {', '.join(unknown[:3])}"
    genuine = rows.get("genuine")
    known = [(row, cases[name]) for name, row in rows.items() if name in cases]
    if wrong := [row.probe for row, case in known if not (_fits(row, case) and _agrees(row, case, genuine))]:
        yield f"no run produces these results: {', '.join(wrong[:3])}"
    yield from _covered(result, known)
    if (genuine is None or genuine.outcome != PASSED) and any(value is True for value in result.decided.values()):
        yield "its genuine request was rejected, but it states proven facts"


def _agrees(row: Row, case: Case, genuine: Row | None) -> bool:
    """Whether what was sent and what came back may have passed: a rejection is not what the genuine request got."""
    if row.outcome != PASSED:
        return True
    if case.expect == "accepted":
        return _TAKEN.match(row.back) is not None
    if genuine is None or case.expect not in {"refused", "closed"}:
        return True
    _, effects, done = genuine.back.rpartition("; ")
    same = row.back == genuine.back or (bool(effects) and row.back.endswith(f"; {done}"))
    hostile = row.sent != genuine.sent or in_words(Send()) in map(in_words, case.send)
    return hostile and not same


_TAKEN = re.compile(r"(?:2\d\d|no status)(?: |;|\Z)")
"""How the words for an answer begin that takes a request."""


def _covered(result: Result, rows: Sequence[tuple[Row, Case]]) -> Iterator[str]:
    """What a run with these rows covers beyond what it states, and its words that do not exist."""
    covered = result.shown_for
    sends = [
        send
        for row, case in rows
        if "verifies_signature" in case.decides and row.outcome == PASSED
        for send in case.send
        if send.event is None
    ]
    lacking = [
        *({send.method for send in sends} - set(covered.methods)),
        *({send.shape for send in sends if send.shape} - set(covered.forms)),
        *({send.body for send in sends if send.body in KINDS} - set(covered.kinds)),
        *({*covered.methods} - {*METHODS}),
        *({result.shape, *covered.forms} - {*SHAPES, ALB_SEVERAL, DIRECT}),
        *({*covered.kinds} - {*KINDS}),
    ]
    if lacking:
        yield f"no run of these probes covers what it states: {', '.join(sorted(lacking)[:3])}"
    if result.kind in _ENDINGS and not re.search(_ENDINGS[result.kind], result.target):
        yield f"its target {quoted(result.target)} is not a {result.kind} file"


_ENDINGS = {"python": r"\.py(?::\w+)?\Z", "node": r"\.[cm]?js(?::\w+)?\Z"}
"""How the name of a handler ends, by the kind of the result."""


def _dated(result: Result, now: datetime.datetime | None, age: datetime.timedelta) -> Iterator[str]:
    if result.when.date() < FIRST:
        yield f"it is dated {result.when:%Y-%m-%d}, before the probe existed"
    if now is None:
        return
    if result.when > now + datetime.timedelta(days=1):
        yield f"it is dated {result.when:%Y-%m-%d}, which is in the future"
    elif now - result.when > age:
        yield f"it is {(now - result.when).days} days old; results count as evidence for {age.days} days"


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
