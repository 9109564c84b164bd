"""From rows to facts: what all probes that bear on a fact show together.

A fact is shown false by one probe that failed, and true only where every probe that bears on it passed and side effects
were seen: what is not run, or undecided, leaves it open.  Left out, because no answer tells them: whether the signature
is compared in constant time (a source check looks for it), how a fact holds for addresses other than response_url, and
every fact that the vocabulary leaves to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from threatmodel.probe.cases import Shown
from threatmodel.probe.outcome_names import FAILED, NOT_RUN, PASSED
from threatmodel.reading.values import dataclass

LEVELS = ("required", "advised")

UNSEEN = "side effects are not seen here: probe the handler itself"
BOUND, FORMER_BOUND = "one more is rejected", "one more is refused"
"""The note on an upper bound, as it is written and as the results of 0.1.0 have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One probe as it went.  `bears_on` are the facts that it decides, `shows` what it shows of them this time."""

    probe: str
    title: str
    level: str
    sent: str
    back: str
    outcome: str
    why: str = ""
    failure: str = ""
    bears_on: tuple[str, ...] = ()
    shows: Mapping[str, Shown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a run says of one fact: its value where `decided`, and how many of its probes passed."""

    fact: str
    decided: bool
    value: Shown = None
    passed: int
    of: int
    note: str = ""


def decisions(rows: Sequence[Row], *, sees_effects: bool) -> tuple[Decision, ...]:
    """What the rows say of every fact that one of them bears on, by name."""
    facts = sorted({fact for row in rows for fact in row.bears_on})
    return tuple(_decision(fact, [row for row in rows if fact in row.bears_on], sees_effects) for fact in facts)


def _decision(fact: str, rows: Sequence[Row], sees_effects: bool) -> Decision:  # noqa: FBT001 - one flag, named at the call
    passed = sum(row.outcome == PASSED for row in rows)
    failed = [row for row in rows if row.outcome == FAILED and row.shows.get(fact, True) is not True]
    if failed:
        value = weakest(row.shows[fact] for row in failed)
        return Decision(
            fact=fact, decided=True, value=value, passed=passed, of=len(rows), note=_note(value, failed, good=False)
        )
    open_rows = [row for row in rows if row.outcome != PASSED or fact not in row.shows]
    if open_rows or not sees_effects:
        note = _open(open_rows) if open_rows else UNSEEN
        return Decision(fact=fact, decided=False, passed=passed, of=len(rows), note=note)
    value = weakest(row.shows[fact] for row in rows)
    return Decision(
        fact=fact, decided=True, value=value, passed=passed, of=len(rows), note=_note(value, rows, good=True)
    )


def weakest(values: Iterable[Shown]) -> Shown:
    """The one that promises least: false, or the largest number; null (no limit) is larger than all."""
    values = list(values)
    if None in values:
        return None
    flags = [value for value in values if isinstance(value, bool)]
    return all(flags) if flags else max(value for value in values if value is not None)


def _note(value: Shown, rows: Sequence[Row], *, good: bool) -> str:
    if isinstance(value, bool) or value is None:
        return "" if good else _names(rows)
    return f"at most {value}: {BOUND}" if good else f"{value} or more: {_names(rows)}"


def _open(rows: Sequence[Row]) -> str:
    not_run = [row for row in rows if row.outcome == NOT_RUN]
    first = next((row for row in rows if row.outcome != NOT_RUN), rows[0])
    if first.outcome == PASSED:
        return f"{first.probe}: a pass shows nothing"
    rest = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
    word = "not run" if first in not_run else first.outcome
    return f"{first.probe} {word}{f': {first.why}' if first.why else ''}{rest}"


def _names(rows: Sequence[Row]) -> str:
    names = [row.probe for row in rows]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004 - a line's worth
