"""The lines that a first run prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from threatmodel.assessment.actions import Action, actions
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.priorities import expiries, summary
from threatmodel.assessment.risk import BANDS, band
from threatmodel.reading.problems import visible
from threatmodel.render.taken_out import counted_by_kind


def summary_text(assessment: Assessment, paths: Sequence[Path]) -> str:
    """What an assessment says, in eleven lines, and where the files are."""
    counts = summary(assessment)
    system = assessment.graph.system
    verdicts = counts.verdicts
    work = verdicts["open"] + verdicts["reduced"]
    lines = [
        f"{visible(system.name)} ({system.file}, {system.revision}), as of {assessment.today}",
        f"findings   {len(assessment.findings)}, and {len(assessment.possible)} that may apply",
        f"verdicts   {_listed(verdicts)}",
        f"inherent   {_listed(counts.inherent)}",
        f"claimed    {_listed(counts.claimed)}",
        f"proven     {_listed(counts.proven)}",
        f"to do      {work} need work, {verdicts['undetermined']} wait for an answer{_worst(counts.undetermined)}",
        f"first      {_first(assessment)}",
        f"ask        {_asked(assessment)}",
        f"expires    {_expiring(assessment)}",
        f"by word    {counted_by_kind(assessment.taken_out) or 'nothing is taken out'}",
        "",
        *(str(path) for path in paths),
    ]
    return "\n".join(lines) + "\n"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"


def _worst(counts: Mapping[str, int]) -> str:
    waiting = [name for name in BANDS if counts[name]]
    return f", up to {waiting[-1]}" if waiting else ""


def _first(assessment: Assessment) -> str:
    found = [f"{a.control.id}@{_on(a)} ({len(a.findings)})" for a in actions(assessment)]
    return ", ".join(found) or "nothing"


def _on(action: Action) -> str:
    elements = action.elements
    return elements[0] if len(elements) == 1 else f"{len(elements):,} {action.control.scope}s"


def _asked(assessment: Assessment) -> str:
    questions = assessment.questions
    if not questions:
        return "nothing"
    first = questions[0]
    return f"{len(questions)} questions; first {first.id}: {first.ask} (up to {band(first.score)})"


def _expiring(assessment: Assessment) -> str:
    found = [f"{e.name} {e.date}" for e in expiries(assessment)]
    return ", ".join(found) + " (within 60 days)" if found else "nothing within 60 days"
