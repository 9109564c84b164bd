"""Times as AWS and tools write them."""

from __future__ import annotations

import datetime
import re

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")


def time_of(said: object) -> datetime.datetime | None:
    """Return the time that a text has, UTC where it names no zone; None where it has none that can be read."""
    if not isinstance(said, str) or not _TIME.fullmatch(said):
        return None
    try:
        found = datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", said))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)
