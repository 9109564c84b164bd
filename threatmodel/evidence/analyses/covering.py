"""What several resources cover together: yes where all that is wanted is covered by one that surely is there.

What a file lacks may be in another file, so the answer is never no: only what is there counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.evidence.answers import Answered, Outcome, Unanswered
from threatmodel.reading.problems import Place

Cover = tuple[str, bool | None, Place, str]
"""What is covered, whether it is (None: not known), by what, and why it is not known."""


def together(covers: Sequence[Cover], wanted: Sequence[str], missing: str) -> Outcome:
    """Yes where everything wanted is covered; unknown where some is, or may be; else nothing is said."""
    found = {what: place for what, value, place, _ in covers if value}
    if all(what in found for what in wanted):
        return Answered(value=True, places=tuple(dict.fromkeys(found[what] for what in wanted)))
    for _, value, place, why in covers:
        if value is None:
            return Unanswered(why, place)
    return Unanswered(missing, next(iter(found.values()))) if found else None
