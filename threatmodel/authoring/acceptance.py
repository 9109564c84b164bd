"""An accepted risk, written into a model at its place: what was there stays, byte for byte."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import NamedTuple

from threatmodel.authoring.insertion import scalar, with_entry
from threatmodel.authoring.planned import Plan
from threatmodel.reading.files import Files

SECTION = "accepted_risks"


class Decision(NamedTuple):
    """Who accepts a finding, until when and why; `risk` is the score that is accepted, `ticket` can be ''."""

    finding: str
    risk: int
    owner: str
    until: datetime.date
    because: str
    ticket: str = ""


def with_acceptance(model: Path, files: Files, decision: Decision) -> Plan:
    """Return the model with the acceptance.  Raises InputError where the section is not written as lines."""
    lines = [
        f"{scalar(decision.finding)}:",
        f"  risk: {decision.risk}",
        f"  reason: {scalar(decision.because, flow=False)}",
        f"  owner: {scalar(decision.owner, flow=False)}",
        f"  expires: {decision.until.isoformat()}",
    ]
    if decision.ticket:
        lines.append(f"  ticket: {scalar(decision.ticket, flow=False)}")
    before = files.raw(model)
    text, at = with_entry(before, files.document(model), SECTION, decision.finding, lines)
    return Plan(((model, text, f", line {at}"),), (), {model: before})
