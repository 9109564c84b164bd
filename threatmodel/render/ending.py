"""What ends or is due, by owner, as text."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from threatmodel.assessment.priorities import Expiry
from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import visible
from threatmodel.render.report.words import counted


def ending(found: Sequence[Expiry], today: datetime.date, days: int) -> str:
    """Return what ends or is due, by owner, soonest first."""
    if not found:
        return f"nothing has expired or ends within {counted(days, 'day')} of {today}\n"
    by_owner = grouped(
        (one.owner or "owner: not assigned", one)
        for one in sorted(found, key=lambda one: (one.date, one.name, one.place))
    )
    lines = []
    for owner in sorted(by_owner, key=lambda owner: (by_owner[owner][0].date, owner)):
        lines.append(visible(owner))
        lines += [f"  {_line(one, today)}" for one in by_owner[owner]]
    return "\n".join(lines) + "\n"


def _line(one: Expiry, today: datetime.date) -> str:
    days = (one.date - today).days
    when = "today" if not days else f"in {counted(days, 'day')}" if days > 0 else f"{counted(-days, 'day')} ago"
    ticket = f"  {one.ticket}" if one.ticket else ""
    return visible(f"{one.date}  {when:<12} {one.what:<11} {one.name}{ticket}  {one.place.short}")
